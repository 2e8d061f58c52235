# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of one inventory: up, down, and what is there."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from barestore.lab import ssh
from barestore.lab.building import Say
from barestore.lab.containers.driver import Nodes
from barestore.lab.errors import LabError
from barestore.lab.files import locked, socket_dir, write_atomically
from barestore.lab.host import Driver, Host
from barestore.lab.machine import Machine
from barestore.lab.virtual import VirtualMachines

DRIVERS: dict[str, Driver] = {"vm": VirtualMachines(), "container": Nodes()}


@dataclass(frozen=True)
class Site:
    """The state folder of an inventory; every host has a folder in it."""

    folder: Path

    @property
    def ssh_config(self) -> Path:
        """How all running hosts are reached; inventories point Ansible at it."""
        return self.folder / "ssh_config"

    def hosts(self) -> dict[str, Host]:
        """The hosts that have been up, on or off."""
        folders = sorted(path for path in self.folder.glob("*") if path.is_dir())
        found = (driver.recall(folder) for folder in folders for driver in DRIVERS.values())
        return {host.name: host for host in found if host is not None}

    def up(self, machines: Sequence[Machine], say: Say) -> None:
        """Bring these machines up; those that run are left alone."""
        with self._locked(say):
            present = self.hosts()
            for kind, driver in DRIVERS.items():
                wanted = [machine for machine in machines if machine.kind == kind]
                if wanted:
                    driver.prepare(say)
                    one_up = partial(self._up, driver, present, say)
                    with ThreadPoolExecutor(len(wanted) if driver.together else 1) as pool:
                        list(pool.map(one_up, wanted))

    def _up(self, driver: Driver, present: Mapping[str, Host], say: Say, machine: Machine) -> None:
        known = present.get(machine.name)
        if known is not None and known.running and known.born:
            known.keep(machine, say)
            return
        host = driver.bring_up(self.folder / machine.name, machine, known, say)
        host.save()
        self._write_ssh_config()

    def down(self, names: Sequence[str], say: Say, *, kill: bool = False, wipe: bool = False) -> None:
        """Power hosts off; with ``wipe`` their disks and root go too."""
        with self._locked(say):
            present = self.hosts()
            for name in names:
                if name not in present:
                    known = ", ".join(present) or "none"
                    raise LabError(f"host {name} is not in {self.folder}; hosts there: {known}")
            wanted = [present[name] for name in names or present]
            together = all(DRIVERS[host.machine.kind].together for host in wanted)
            with ThreadPoolExecutor(max(1, len(wanted)) if together else 1) as pool:
                list(pool.map(lambda host: self._down(host, say, kill, wipe), wanted))
            self._write_ssh_config()

    def _down(self, host: Host, say: Say, kill: bool, wipe: bool) -> None:
        if not host.running:
            say(f"{host.name}: is off")
        elif kill or wipe:
            host.power_cut()
            say(f"{host.name}: plug pulled")
        else:
            started = time.monotonic()
            host.power_off()
            say(f"{host.name}: powered off in {time.monotonic() - started:.0f} s")
        host.release()
        if wipe:
            host.remove()
            say(f"{host.name}: disks and root removed")
        else:
            host.save()

    def _locked(self, say: Say) -> AbstractContextManager[None]:
        return locked(self.folder / "lock", lambda: say("waiting: another process works on these hosts"))

    def _write_ssh_config(self) -> None:
        running = [host.endpoint for host in self.hosts().values() if host.running]
        write_atomically(self.ssh_config, ssh.ssh_config(running, socket_dir()))
