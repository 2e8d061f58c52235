# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What gates are asked about: a cluster, and what of it is of our own making."""

from __future__ import annotations

from dataclasses import dataclass

from ...plan.model import Refusal
from ..state import Cluster

CLEAN = frozenset(("active", "clean", "scrubbing", "deep", "snaptrim", "snaptrim_wait"))
"""The parts of a placement group's state that are no work that is left, as Rook's own health check has them."""


@dataclass(frozen=True)
class Situation:
    """``leaving`` are the OSDs that we take out, up or not. ``moving``: data moves because of us.

    ``accepted`` are codes of Ceph's health that somebody allows. ``open``: whether one of the ``windows`` is open now.
    """

    cluster: Cluster
    leaving: frozenset[int] = frozenset()
    moving: bool = False
    accepted: frozenset[str] = frozenset()
    windows: tuple[str, ...] = ()
    open: bool = True


def closed(gate: str, message: str, hint: str) -> Refusal:
    """Why a gate is closed."""
    return Refusal(f"gate {gate}", message, hint)


def is_clean(state: str) -> bool:
    """Whether a placement group in this state has all its copies where they belong."""
    parts = set(state.split("+"))
    return parts <= CLEAN and {"active", "clean"} <= parts


def unclean(cluster: Cluster) -> int:
    """Placement groups that are not active+clean."""
    return sum(count for state, count in cluster.progress.states.items() if not is_clean(state))


def some(names: list[str], most: int = 5) -> str:
    """``a, b, c and 4 more``."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
