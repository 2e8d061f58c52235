# SPDX-License-Identifier: GPL-3.0-or-later
"""What every host of the lab can do, whatever it is made of, and what makes hosts of one kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from barestore.lab.building import Say
from barestore.lab.machine import Machine
from barestore.lab.ssh import Endpoint


class Host(Protocol):
    """One host, on or off."""

    machine: Machine
    born: bool  # has been up once

    @property
    def name(self) -> str:
        """The host's name in the inventory."""

    @property
    def running(self) -> bool:
        """Whether it is on."""

    @property
    def endpoint(self) -> Endpoint:
        """How it is reached by SSH."""

    def row(self) -> dict[str, Any]:
        """What ``lab list`` shows: name, kind, state, pid, disks, and what its kind adds."""

    def power_off(self) -> None:
        """Shut it down and wait until it is off."""

    def power_cut(self) -> None:
        """Pull the plug."""

    def keep(self, machine: Machine, say: Say) -> None:
        """Leave a running host alone, but give it the disks that the inventory has gained."""

    def release(self) -> None:
        """Let other programs speak to it."""

    def save(self) -> None:
        """Write down what the next command needs to find it."""

    def remove(self) -> None:
        """Remove it with its disks and its root; nothing of it is left on this machine."""


class Driver(Protocol):
    """Makes and finds hosts of one kind."""

    @property
    def together(self) -> bool:
        """Whether hosts are brought up and taken down side by side."""

    def recall(self, folder: Path) -> Host | None:
        """The host of this kind that was saved in a folder, if any."""

    def bring_up(self, folder: Path, machine: Machine, known: Host | None, say: Say) -> Host:
        """A running host: anew, or from the root and the disks that it had before."""

    def prepare(self, say: Say) -> None:
        """Build what all hosts of this kind share; a LabError says what this machine lacks."""
