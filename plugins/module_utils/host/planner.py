# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Document and observation in, plan out. Pure: the same values give the same plan on any machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..plan.errors import PlanError
from ..plan.model import Action, Note, Plan, Refusal
from ..plan.order import ordered
from ..plan.policy import Approval
from ..plan.policy import refusals as unconsented
from . import blockdevices
from .kinds import disk, local_volume
from .lvm import risks
from .normal_form import long_form
from .observation import Observation, Probe
from .registry import KINDS
from .state import Offer, Site, State, Veiled
from .wiping.wipes import Wipes


def probes(document: Mapping[str, Any]) -> tuple[Probe, ...]:
    """The questions whose answers any plan for this document needs."""
    long = long_form(document)
    return tuple(dict.fromkeys(probe for kind in KINDS for probe in kind.probes(long)))


def observed(observation: Observation) -> State:
    """What the host has, by kind."""
    block = observation.once(blockdevices.read)
    kinds = {kind.KIND: kind.observe(observation, block) for kind in KINDS}
    return State(kinds, block, disk.pins(observation))


def plan(document: Mapping[str, Any], observation: Observation, site: Site) -> Plan:
    """The ordered actions that lead from the observation to the document, or the refusals that forbid them.

    While ``observation.missing`` is not empty afterwards, the plan is not final: answer and plan again.
    """
    long = long_form(document)
    have = observed(observation)
    wipes = Wipes(have, observation, site)
    draft = _draft(long, have, observation, site)
    # What stands in the way is taken as gone, so that one run names all of it; policy decides whether it may go.
    while wipes.add(draft.refusals, draft.want.of(disk.KIND)):
        seen = wipes.blanked()
        draft = _draft(long, observed(seen), seen, site)
        observation.missing.update(seen.missing)
    actions = [*draft.actions, *wipes.actions()]
    approvals = (Approval(one["action"], one["digest"]) for one in site.consent.get("irreversible", ()))
    refused = [*wipes.refusals(), *draft.refusals]
    notes = (*risks.notes(have.of("volume_group"), document), *draft.notes)
    if not refused:
        refused.extend(unconsented(actions, wipes.consents, approvals))
    if refused:
        return Plan((), _unique(refused), notes=notes)
    written = {name for action in actions for name in action.disks}
    known = {one.id: one for one in (*draft.want.of(disk.KIND), *wipes.disks)}
    identities = {name: {"serial": one.serial, "wwn": one.wwn} for name, one in known.items() if name in written}
    return Plan(ordered(_after_pins(actions)), identities=identities, notes=notes, is_first_part=draft.is_first_part)


def local_volumes(document: Mapping[str, Any], observation: Observation, site: Site) -> list[dict[str, Any]]:
    """The devices that the document gives away: what a PersistentVolume of each has to say, by link.

    ``serial`` and ``wwn`` are of the disk, and empty where there is none of its own; ``bytes`` is the size.
    """
    if not document.get("local_volumes"):
        return []
    want, _refused, _veiled = _wanted(long_form(document), observed(observation), site, observation)
    disks = {one.id: one for one in want.of(disk.KIND)}
    found = []
    for one in want.of(local_volume.KIND):
        below = disks.get(one.device.disks[0]) if len(one.device.disks) == 1 else None
        found.append(
            {
                "name": one.name,
                "link": one.link,
                "identity": one.link.rpartition("/")[2],
                "bytes": one.device.size,
                "storage_class": one.storage_class,
                "mode": one.mode,
                "serial": below.serial if below else "",
                "wwn": below.wwn if below else "",
            }
        )
    return sorted(found, key=lambda each: str(each["link"]))


@dataclass(frozen=True)
class _Draft:
    """What the kinds say of one document and one view of a host, before any consent is looked at."""

    want: State
    actions: tuple[Action, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()
    is_first_part: bool = False


def _draft(document: Mapping[str, Any], have: State, observation: Observation, site: Site) -> _Draft:
    want, refused, veiled = _wanted(document, have, site, observation)
    if refused:
        return _Draft(want, refusals=tuple(refused))
    planned = [step for kind in KINDS for step in kind.plan(have, want, site, observation)]
    notes = [*dict.fromkeys(step.sentence() for step in planned if isinstance(step, Note)), *map(_veil_note, veiled)]
    actions: dict[str, Action] = {}
    for step in planned:
        # Kinds that share a last step, such as telling systemd of fstab, yield the same one.
        if isinstance(step, Action) and actions.setdefault(step.id, step) != step:
            raise PlanError(f"two actions are called {step.id}", "this is a defect of barestore: please report it")
    refusals = tuple(step for step in planned if isinstance(step, Refusal))
    return _Draft(want, tuple(actions.values()), refusals, tuple(notes), bool(veiled))


def _veil_note(one: Veiled) -> str:
    return f"{one.title} is there and {one.now}: what lies in it is planned once it is {one.then}."


def _wanted(
    document: Mapping[str, Any], have: State, site: Site, observation: Observation
) -> tuple[State, list[Refusal], list[Veiled]]:
    want = State(block=have.block, pins=have.pins)
    veiled: list[Veiled] = []
    for kind in KINDS:
        values: list[object] = []
        refused: list[Refusal] = []
        for item in kind.declare(document, have, want, site, observation):
            if isinstance(item, Refusal):
                refused.append(item)
            elif isinstance(item, Offer):
                want.devices[item.ref] = item.devices
            elif isinstance(item, Veiled):
                veiled.append(item)
            else:
                values.append(item)
        want.kinds[kind.KIND] = tuple(values)
        # What comes after would speak of devices that nobody offered.
        if refused or veiled:
            break
    return want, refused, veiled


def _after_pins(actions: Iterable[Action]) -> list[Action]:
    """Every action that writes to a disk comes after the choice of disks is remembered."""
    return [replace(one, needs=one.needs | {"pins"}) if one.disks else one for one in actions]


def _unique(refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
    return tuple(dict.fromkeys(refusals))
