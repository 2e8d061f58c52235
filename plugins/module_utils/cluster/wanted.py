# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a person wants of a cluster's OSDs, and what the plan decided to do about it. Values only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..plan.errors import SpecError
from ..plan.model import Refusal
from .state import DeviceSet, Volume

PROFILES = {"gentle": "high_client_ops", "normal": "", "fast": "high_recovery_ops"}
"""The mClock profile of a pace; empty: whatever the cluster has."""


@dataclass(frozen=True)
class Wanted:
    """``counts`` by device set; ``replace`` are serials of disks whose OSDs are made anew elsewhere.

    ``margin`` is the part of an OSD (0.05) kept free below near-full. ``patience``: seconds that nothing may move on.
    """

    cluster: str
    counts: Mapping[str, int]
    failure_domain: str = "host"
    pace: str = "normal"
    margin: float = 0.05
    accept_health: frozenset[str] = frozenset()
    windows: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    patience: int = 600
    config: str = "/etc/kubernetes/admin.conf"
    operator_namespace: str = "rook-ceph"

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Wanted:
        """Of the options of a module, or of what a document says; what is left out has its default.

        :raises SpecError: a device set has no count, or the margin is none.
        """
        margin = told.get("margin", cls.margin)
        if not 0 <= margin < 0.5:
            raise SpecError(f"margin: it is {margin}", "write a part of an OSD, such as 0.05 for 5 %")
        return cls(
            told["cluster"],
            dict(_counts(told.get("device_sets", {}))),
            told.get("failure_domain", cls.failure_domain),
            told.get("pace", cls.pace),
            margin,
            frozenset(told.get("accept_health", ())),
            tuple(told.get("windows", ())),
            tuple(told.get("replace", ())),
            told.get("patience", cls.patience),
            told.get("kubeconfig", cls.config),
            told.get("operator_namespace", cls.operator_namespace),
        )


def _counts(device_sets: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for name, entry in device_sets.items():
        count = entry.get("count") if isinstance(entry, Mapping) else entry
        try:
            yield name, int(count)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise SpecError(
                f"device_sets.{name}: its count is {count!r}", "write a whole number, such as {count: 18}"
            ) from None


@dataclass(frozen=True)
class Leaver:
    """A claim that goes, and what there still is of it. ``osd`` is -1 where no OSD ever came.

    ``in_map``: Ceph still knows exactly this OSD, by its UUID. ``running``: it is up or its Deployment wants it.
    """

    claim: str
    device_set: str
    osd: int
    uuid: str
    weight: float
    reason: str
    marked: bool
    in_map: bool
    running: bool
    owned: bool
    deployment: str
    job: str
    volume: Volume | None
    domain: str
    device_class: str
    drained_before: bool = False

    @property
    def detached(self) -> bool:
        """Whether its purge was begun: it is stopped, and the operator no longer counts its claim."""
        return self.marked and not self.owned and not self.running

    @property
    def mark(self) -> str:
        return f"{self.osd} {self.uuid or '-'} {self.weight:.5f} {self.reason}"


@dataclass(frozen=True)
class Step:
    """A raise of a count to ``to``; ``domains`` is where new OSDs are expected, ``gap`` how uneven it may get.

    ``osds`` of the set are up and in after it: an OSD that leaves counts for the operator until its claim is detached.
    """

    device_set: DeviceSet
    before: int
    to: int
    domains: tuple[str, ...]
    osds: int
    gap: int = 1


@dataclass(frozen=True)
class Returner:
    """An OSD that was to leave and stays after all; ``fenced`` is its Deployment where that carries our fence."""

    claim: str
    device_set: str
    osd: int
    weight: float
    fenced: str = ""


@dataclass(frozen=True)
class Decision:
    """What is done. ``lower`` has the new count by set; ``drop`` are sets whose last OSD goes.

    ``waves`` are claims that are drained together, in order; ``settle`` are sets that only have to be waited for.
    """

    leavers: tuple[Leaver, ...] = ()
    waves: tuple[tuple[str, ...], ...] = ()
    lower: Mapping[str, tuple[DeviceSet, int]] = field(default_factory=dict)
    drop: tuple[DeviceSet, ...] = ()
    steps: tuple[Step, ...] = ()
    settle: tuple[tuple[str, int], ...] = ()
    returners: tuple[Returner, ...] = ()
    wipes: tuple[Volume, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def moves(self) -> bool:
        """Whether data will move."""
        return bool(self.leavers or self.steps or self.returners)
