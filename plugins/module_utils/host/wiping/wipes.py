# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Wipes that a plan needs: which disks stand in its way, whether they may go, and the actions that do it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ...plan.model import Action, Command, Destroys, EditLine, Expect, Refusal, Zero
from ...plan.policy import Consent
from ..blank import still_blank
from ..first_look import FULLREPORT
from ..lvm.report import VolumeGroup
from ..observation import Observation
from ..selection import Disk
from ..state import Site, State
from . import reach, records
from .blanked import blanked
from .contents import Contents, consent_line, gather
from .reach import Group
from .records import Record


@dataclass(frozen=True)
class Wipe:
    """A disk that something must go from; ``groups`` are what it holds together with other disks."""

    contents: Contents
    groups: tuple[Group, ...]
    record: Record

    @property
    def disk(self) -> Disk:
        return self.contents.disk

    @property
    def digest(self) -> str:
        return self.record.agreed(self.contents)

    @property
    def line(self) -> str:
        return consent_line(self.disk, self.digest)


class Wipes:
    """The disks in the way of a plan, found one after the other, each with the refusal that named it."""

    def __init__(self, have: State, observation: Observation, site: Site) -> None:
        self._have = have
        self._observation = observation
        self._records = records.read(observation)
        self._disks = {one.id: one for one in have.of("disk")}
        self._reasons: dict[str, Refusal] = {}
        self._found: dict[str, Wipe] = {}
        entries = site.consent.get("wipe", ())
        self.consents = frozenset(
            Consent(disk.id, entry["contents"])
            for disk in self._disks.values()
            for entry in entries
            if entry.get("serial", disk.serial) == disk.serial and entry.get("wwn", disk.wwn) == disk.wwn
        )
        self._named = {one.disk for one in self.consents}

    @property
    def disks(self) -> tuple[Disk, ...]:
        return tuple(one.disk for one in self._found.values())

    def add(self, refused: Iterable[Refusal], chosen: Iterable[Disk]) -> bool:
        """Take in the disks that refusals name, those of unfinished wipes, and what they reach; whether any was new."""
        before = len(self._found)
        chosen = tuple(chosen)
        for refusal in refused:
            for name in refusal.disks:
                self._take(name, refusal)
        for disk in chosen:
            if self._records.get(disk.seed, Record()).begun:
                self._take_unfinished(disk)
        declared = {disk.id for disk in chosen}
        for wipe in list(self._found.values()):
            for group, disk in self._others(wipe):
                if disk.id not in declared and not disk.reach and disk.seed:
                    self._take(
                        disk.id, Refusal(f"disk {disk.title}", f"it is in the {group.title}, which goes with it")
                    )
        return len(self._found) > before

    def blanked(self) -> Observation:
        """The observation in which the disks found so far carry nothing."""
        return blanked(self._observation, self.disks, self._volume_groups(), self._have.block)

    def refusals(self) -> Iterator[Refusal]:
        """Why a disk may not be wiped: somebody uses it, it would take others with it, or nobody consented."""
        for name, wipe in self._found.items():
            reason = self._reasons[name]
            trouble = reach.user(wipe.contents, self._have.block) or self._torn(wipe)
            if trouble:
                yield replace(reason, hint=trouble, disks=())
            elif wipe.contents.things and Consent(name, wipe.digest) not in self.consents:
                yield self._unconsented(wipe, reason)

    def actions(self) -> Iterator[Action]:
        """The wipes, and before them the end of the volume groups that nobody uses."""
        active = [group for group in self._volume_groups() if any(one.active for one in group.logical_volumes)]
        for group in active:
            disks = [one.disk.id for one in self._found.values() if any(of.volume_group == group for of in one.groups)]
            yield Action(
                "volume_group",
                "deactivate",
                group.name,
                steps=(Command(("vgchange", "--quiet", "--activate", "n", "--select", f"vg_uuid={group.uuid}")),),
                before={"active": sorted(one.name for one in group.logical_volumes if one.active and not one.hidden)},
                after={"active": []},
                provides=frozenset((f"inactive:{group.uuid}",)),
                disks=tuple(sorted(disks)),
            )
        for wipe in self._found.values():
            yield _action(wipe)

    def _take(self, name: str, reason: Refusal) -> None:
        disk = self._disks.get(name)
        if disk is None or name in self._found:
            return
        contents = gather(disk, self._have.block, self._observation)
        groups = reach.groups(contents, self._have.block, self._observation) if contents else None
        if contents is not None and groups is not None:
            self._reasons[name] = reason
            self._found[name] = Wipe(contents, groups, self._records.get(disk.seed, Record()))

    def _take_unfinished(self, disk: Disk) -> None:
        contents = gather(disk, self._have.block, self._observation)
        if contents and not contents.held and self._records[disk.seed].goes_on(contents):
            self._take(disk.id, Refusal(f"disk {disk.title}", "a wipe of it was begun and did not end"))

    def _others(self, wipe: Wipe) -> Iterator[tuple[Group, Disk]]:
        """The disks that a disk shares something with, and that are not in the way themselves."""
        for group in wipe.groups:
            for disk in self._disks.values():
                if disk.kname in group.knames and disk.id not in self._found:
                    yield group, disk

    def _torn(self, wipe: Wipe) -> str:
        """What a wipe would take from disks that stay, as the end of a sentence."""
        for group, disk in self._others(wipe):
            return f"the {group.title} lies on disk {disk.title} as well, which stays: take this disk out of it first"
        known = {one.kname for one in self._disks.values()}
        for group in wipe.groups:
            if not group.knames <= known:
                return f"the {group.title} lies on a disk without an identity as well: take this disk out of it first"
            if group.volume_group and group.volume_group.missing:
                return (
                    f"{group.volume_group.missing} physical volumes of the {group.title} are missing: "
                    "bring their disks back, or clear this one by hand"
                )
        if any(one.type == "LVM2_member" for one in wipe.contents.things) and self._lvm_is_missing():
            return "nobody can tell what its physical volume belongs to without LVM: install lvm2"
        return ""

    def _lvm_is_missing(self) -> bool:
        answer = self._observation.ask(FULLREPORT)
        return answer is not None and answer["rc"] != 0

    def _unconsented(self, wipe: Wipe, reason: Refusal) -> Refusal:
        listed = ", ".join(map(str, wipe.contents.things))
        more = "" if listed in reason.message else f"; in all it carries {listed}"
        other = "; the consent given for it names other contents" if wipe.disk.id in self._named else ""
        return Refusal(
            reason.target,
            f"{reason.message}{more}{other}",
            f"match another disk, or, if all of it may be lost, write in host_storage_consent below wipe: {wipe.line}",
        )

    def _volume_groups(self) -> tuple[VolumeGroup, ...]:
        found = [of.volume_group for one in self._found.values() for of in one.groups if of.volume_group]
        return tuple({one.uuid: one for one in found}.values())


def _action(wipe: Wipe) -> Action:
    """The host remembers the wipe before the first write and its end after the last look."""
    disk, record, contents = wipe.disk, wipe.record, wipe.contents
    begin, end = records.begin(record, contents), records.end(record, contents)
    first = () if begin == record.line else (EditLine(records.FILE, record.line, begin),)
    what = ", ".join(map(str, contents.things))
    lost = (Destroys(disk.id, wipe.digest, what, wipe.line),) if contents.things else ()
    active = [
        of.volume_group.uuid
        for of in wipe.groups
        if of.volume_group and any(one.active for one in of.volume_group.logical_volumes)
    ]
    return Action(
        "disk",
        "wipe",
        disk.serial or disk.id,
        steps=(
            *first,
            Zero(disk.path, contents.parts),
            Command(("wipefs", "--all", disk.path)),
            still_blank(disk.path),
            EditLine(records.FILE, begin, end),
        ),
        before={"contents": [str(one) for one in contents.things]},
        after={"contents": []},
        needs=frozenset(f"inactive:{uuid}" for uuid in active),
        provides=frozenset((f"disk:{disk.id}",)),
        destroys=lost,
        disks=(disk.id,),
        expects=(Expect("zeroed", disk.path),),
        settles=True,
    )
