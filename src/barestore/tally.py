# SPDX-License-Identifier: GPL-3.0-or-later
"""How many hosts and clusters of a site came to what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from barestore.hostplan import HostPlan

KINDS = ("host", "cluster")


def many(number: int, word: str) -> str:
    """``1 host``, ``2 hosts``."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def both(hosts: int, clusters: int) -> str:
    """``2 hosts and 1 cluster``; empty where there is neither."""
    return " and ".join(many(number, kind) for number, kind in zip((hosts, clusters), KINDS, strict=True) if number)


@dataclass
class Tally:
    """Counts plans by their kind and status."""

    of: dict[str, Counter[str]] = field(default_factory=lambda: {kind: Counter() for kind in KINDS})

    @classmethod
    def count(cls, plans: Iterable[HostPlan]) -> Tally:
        """Of all these."""
        found = cls()
        for plan in plans:
            found.add(plan)
        return found

    def add(self, plan: HostPlan) -> None:
        """Count one."""
        self.of[plan.kind][plan.status] += 1

    @property
    def number(self) -> int:
        """How many there are in all."""
        return sum(found.total() for found in self.of.values())

    @property
    def statuses(self) -> set[str]:
        return {status for found in self.of.values() for status in found}

    def words(self, chosen: Callable[[str], bool]) -> str:
        """``2 hosts and 1 cluster`` of these statuses; empty where there is none."""
        numbers = [sum(number for status, number in self.of[kind].items() if chosen(status)) for kind in KINDS]
        return both(*numbers)
