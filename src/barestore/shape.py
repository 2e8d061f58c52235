# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans that say the same of different hosts: a thousand servers of one group are read once.

Two plans are equal when they are the same but for the names of host and disks, UUIDs and digests.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from barestore.hostplan import HostPlan
from barestore.lines import ClusterView, cluster_view
from barestore.lines import lines as lines_of
from barestore.tally import Tally
from barestore.words import Disks, Line

_OWN = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|sha256:[0-9a-f]{64}|(?:scsi|ata|nvme|sas|phy)[-\d:.]+"
)
_FEW = 3


@dataclass(frozen=True)
class Group:
    """Hosts with equal plans; ``first`` is one of them, whose serials ``lines`` name, ``lost`` says what each loses."""

    first: HostPlan
    lines: tuple[Line, ...]
    racks: dict[str, list[str]] = field(default_factory=dict)

    @property
    def hosts(self) -> list[str]:
        return [name for names in self.racks.values() for name in names]

    def of(self, rack: str) -> Group:
        """Only the hosts of one rack."""
        return replace(self, racks={rack: self.racks[rack]})


@dataclass
class Grouping:
    """Takes the plans of a site one after the other, and keeps one of each kind; clusters are kept one by one.

    ``destroys`` and ``irreversible`` are for each, by its key, what nobody can get back: never summed up by kind.
    """

    groups: dict[str, Group] = field(default_factory=dict)
    clusters: list[ClusterView] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    destroys: dict[str, list[str]] = field(default_factory=dict)
    irreversible: dict[str, list[str]] = field(default_factory=dict)
    racks: dict[str, int] = field(default_factory=dict)

    def add(self, plan: HostPlan) -> None:
        """Count one host or cluster."""
        self.tally.add(plan)
        if plan.kind == "host":
            self.racks[plan.rack] = self.racks.get(plan.rack, 0) + 1
        if plan.status == "nothing" and not plan.notes:
            return
        lines = lines_of(plan)
        for each in lines:
            if each.lost:
                self.destroys.setdefault(plan.key, []).extend(each.lost)
        if plan.kind == "cluster":
            self.clusters.append(replace(cluster_view(plan), lines=tuple(folded(lines, _General(plan)))))
            return
        disks = Disks(plan.disks)
        for action in plan.actions:
            if action.get("irreversible"):
                why = f"{action['id']}: {disks.say(str(action['irreversible']))}"
                self.irreversible.setdefault(plan.key, []).append(why)
        general = _General(plan)
        said = [*map(general.line, lines), *map(general, (*plan.refusals, plan.message, *plan.notes))]
        key = hashlib.sha256("\0".join([plan.status, *said]).encode()).hexdigest()
        if key not in self.groups:
            self.groups[key] = Group(replace(plan, actions=(), disks=(), identities={}), tuple(folded(lines, general)))
        self.groups[key].racks.setdefault(plan.rack, []).append(plan.host)


def folded(lines: Sequence[Line], general: _General) -> list[Line]:
    """More than three lines that differ only in the disk are one line, with their number and a few of their targets."""
    same: dict[str, list[Line]] = {}
    for each in lines:
        same.setdefault(general.line(each, each.target if each.lost else ""), []).append(each)
    said: list[Line] = []
    for alike in same.values():
        if len(alike) <= _FEW:
            said.extend(alike)
            continue
        named = ", ".join(each.target for each in alike[:_FEW])
        more = f"{named} and {len(alike) - _FEW} more"
        said.append(replace(alike[0], what=f"{len(alike)} × {alike[0].what}", target=more, where=""))
    return said


class _General:
    """Texts of a host with numbers in the place of its disks, in the order in which they are spoken of."""

    def __init__(self, plan: HostPlan) -> None:
        names: dict[str, str] = {}
        for disk in plan.disks:
            for key in ("serial", "id", "wwn", "slot", "name", "osd", "claim", "volume"):
                if disk.get(key):
                    names.setdefault(str(disk[key]), str(disk["id"]))
        self._disk = names
        words = sorted([*names, plan.host], key=len, reverse=True)
        self._words = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, words)) + r")(?!\w)")
        self._numbers: dict[str, int] = {}

    def __call__(self, text: str) -> str:
        return _OWN.sub("*", self._words.sub(self._number, text))

    def line(self, each: Line, target: str | None = None) -> str:
        """All that a line says; with ``target``, all but its disks."""
        if target is None:
            return self("\1".join((each.sign, each.what, each.target, each.where, each.detail, *each.lost)))
        text = "\1".join((each.sign, each.what, each.target, each.detail, target))
        return _OWN.sub("*", self._words.sub("disk", text))

    def _number(self, found: re.Match[str]) -> str:
        identity = self._disk.get(found[0])
        if identity is None:
            return "host"
        return f"disk {self._numbers.setdefault(identity, len(self._numbers))}"
