# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The named health gates, one set for every operation: which are asked before a change, and which while it goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...plan.model import Refusal
from . import ceph, kubernetes
from .situation import Situation

Gate = Callable[[Situation], Iterator[Refusal]]

ALWAYS: tuple[Gate, ...] = (
    ceph.health,
    ceph.quorum,
    ceph.flags,
    ceph.osds,
    ceph.placement,
    ceph.scrub,
    ceph.splitting,
    kubernetes.operator,
    kubernetes.fences,
    kubernetes.pods,
    kubernetes.starts,
    kubernetes.volumes,
    kubernetes.nodes,
    kubernetes.window,
)
BEFORE_ADDING = ALWAYS
BEFORE_REMOVING: tuple[Gate, ...] = (*ALWAYS, ceph.room)
MEANWHILE: tuple[Gate, ...] = (
    ceph.health,
    ceph.quorum,
    ceph.flags,
    ceph.osds,
    ceph.scrub,
    kubernetes.pods,
    kubernetes.nodes,
)


def closed(gates: tuple[Gate, ...], now: Situation) -> tuple[Refusal, ...]:
    """Why the gates that are closed are closed; empty when all are open."""
    return tuple(refusal for gate in gates for refusal in gate(now))
