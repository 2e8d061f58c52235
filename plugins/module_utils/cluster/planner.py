# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Cluster and wanted counts in, plan out. Pure: the same values give the same plan on any machine."""

from __future__ import annotations

from collections.abc import Iterator

from ..plan.model import Plan, Refusal
from ..plan.order import ordered
from ..plan.policy import Consent
from ..plan.policy import refusals as unconsented
from .commands import NOTE_PLAN, Commands
from .decide import decide
from .gates import gates
from .gates.situation import Situation
from .kinds.volume import consent_disk
from .registry import KINDS
from .state import Cluster, Mark
from .wanted import Decision, Wanted


def plan(cluster: Cluster, wanted: Wanted, window_open: bool = True) -> Plan:
    """The ordered actions that make the counts true, or the refusals that forbid them."""
    decision = decide(cluster, wanted)
    run = Commands.of(wanted)
    actions = [action for kind in KINDS for action in kind.plan(cluster, wanted, decision, run)]
    notes = decision.notes
    refused: list[Refusal] = list(decision.refusals)
    if actions:
        refused.extend(gates.closed(_gates(decision), situation(cluster, wanted, decision, window_open)))
    if not refused:
        refused.extend(unconsented(actions, _consents(decision, cluster)))
    if refused:
        return Plan((), tuple(dict.fromkeys(refused)), notes=notes)
    return Plan(ordered(actions), identities=_identities(cluster, decision) if actions else {}, notes=notes)


def needed(cluster: Cluster, wanted: Wanted, window_open: bool = True) -> Plan:
    """The plan where anything differs, and an empty one else: then nobody asks whether gates are open."""
    idle = nothing(cluster, wanted)
    return plan(cluster, wanted, window_open) if idle is None else idle


def nothing(cluster: Cluster, wanted: Wanted) -> Plan | None:
    """The plan where nothing is to do, asked before the questions of a change are answered; None where anything is."""
    decision = decide(cluster, wanted)
    run = Commands.of(wanted)
    if decision.refusals or any(True for kind in KINDS for _action in kind.plan(cluster, wanted, decision, run)):
        return None
    return Plan((), notes=decision.notes)


def lacks(plan: Plan) -> tuple[str, ...]:
    """The resources for want of which alone a plan is refused; empty where anything else forbids it."""
    found = {one.lacks for one in plan.refusals}
    return () if "" in found else tuple(sorted(found))


def situation(cluster: Cluster, wanted: Wanted, decision: Decision, window_open: bool) -> Situation:
    """What the gates are asked about: an operation that was begun is gone on with while its data moves."""
    begun = any(one.marked for one in decision.leavers) or NOTE_PLAN in cluster.lease.notes
    begun = begun or bool(decision.settle and not decision.leavers)
    return Situation(
        cluster,
        leaving=leaving(cluster)
        | {one.osd for one in decision.leavers}
        | (coming(cluster) if decision.settle else frozenset()),
        moving=begun,
        accepted=wanted.accept_health,
        windows=wanted.windows,
        open=window_open or begun,
    )


def leaving(cluster: Cluster) -> frozenset[int]:
    """The OSDs that are marked as ours to take out."""
    marks = (Mark.read(claim.leaving) for claim in cluster.claims.values() if claim.leaving)
    return frozenset(mark.osd for mark in marks if mark is not None)


def _gates(decision: Decision) -> tuple[gates.Gate, ...]:
    removing = any(one.in_map for one in decision.leavers)
    return gates.BEFORE_REMOVING if removing else gates.BEFORE_ADDING


def _consents(decision: Decision, cluster: Cluster) -> Iterator[Consent]:
    """The plan's own consent: for an OSD that it took out itself, on the disk of that OSD, and for nothing else."""
    for one in decision.leavers:
        if one.volume is not None:
            yield Consent(consent_disk(one.volume), f"{cluster.fsid} {one.osd} {one.uuid}")
    for volume in decision.wipes:
        yield Consent(consent_disk(volume), volume.freed)


def _identities(cluster: Cluster, decision: Decision) -> dict[str, object]:
    found: dict[str, object] = {"cluster": cluster.fsid}
    for one in decision.leavers:
        found[f"osd.{one.osd}" if one.osd >= 0 else one.claim] = {
            "uuid": one.uuid, "serial": one.volume.serial if one.volume else "",
        }  # fmt: skip
    return found


def coming(cluster: Cluster) -> frozenset[int]:
    """The OSDs that the operator has prepared and that never ran: its first start gives an OSD its place in CRUSH."""
    return frozenset(one for one in cluster.strays if one in cluster.osds and not cluster.osds[one].up)
