# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a device carries anything: asked before anything is made on it, and a doubt is an answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..plan.journal import FOLDER, UNFINISHED_FILE
from ..plan.model import Command, Refusal
from .observation import Observation, ReadFile, Signatures
from .signatures.detect import UNKNOWN
from .state import Device

UNFINISHED = ReadFile(f"{FOLDER}/{UNFINISHED_FILE}")
"""The identities of the disks of a run that has not ended well, one a line."""


@dataclass(frozen=True)
class Signature:
    """One thing found: its type, where it starts, and what it calls itself."""

    type: str
    offset: str
    label: str = ""
    uuid: str = ""

    def __str__(self) -> str:
        name = f" '{self.label}'" if self.label else ""
        uuid = f" (UUID {self.uuid})" if self.uuid else ""
        return f"{self.type}{name}{uuid} at {self.offset}"


def unless_blank(
    observation: Observation, device: Device, wanted: str, begun: frozenset[str] = frozenset(), unseen: str = ""
) -> Iterator[Refusal]:
    """A refusal when a device that exists carries a signature, or when the detectors cannot tell.

    ``begun`` are types of signatures that the caller knows as its own, from a run that was killed while making them;
    ``unseen`` is the type that is wanted and of which udev told nothing: where it is there, udev missed it.
    """
    answer = observation.ask(Signatures(device.path))
    if answer is None:
        return
    if answer["error"]:
        yield Refusal(
            device.title,
            f"it cannot be told what it carries ({answer['error']}), so {wanted} is not made on it",
            "look at it with wipefs and blkid -p; match another disk if it is in use",
            device.wipeable,
        )
        return
    found = [Signature(**one) for one in answer["found"] if one["type"] not in begun]
    if found and not _is_ours(observation, device, found):
        hint = "match another disk, or clear it by hand if what it carries may be lost"
        if unseen and all(one.type == unseen for one in found):
            hint = f"if it is the one that is meant, run 'udevadm trigger {device.path}' and run again; else {hint}"
        yield Refusal(
            device.title,
            f"it carries {', '.join(map(str, found))}, so {wanted} is not made on it",
            hint,
            device.wipeable,
        )


def _is_ours(observation: Observation, device: Device, found: Iterable[Signature]) -> bool:
    """Whether bytes without a name lie on a disk that an unfinished run was writing to: then they are its own."""
    return all(one.type == UNKNOWN for one in found) and is_unfinished(observation, device)


def is_unfinished(observation: Observation, device: Device) -> bool:
    """Whether a run that has not ended well was writing to the disks of this device."""
    return bool(set(device.disks) & set((observation.ask(UNFINISHED) or "").splitlines()))


def still_blank(*paths: str) -> Command:
    """A check for devices that the plan itself makes: new partitions can uncover old contents."""
    columns = "DEVICE,OFFSET,TYPE,UUID,LABEL"
    return Command(("wipefs", "--no-act", "--noheadings", "--output", columns, *paths), silent=True)
