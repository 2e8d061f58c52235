# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Device sets: their count is lowered before any purge and raised step by step; a set that ends is taken out last."""

from __future__ import annotations

from collections.abc import Iterator

from ...plan.model import Action, Expect
from ..commands import Commands
from ..state import Cluster
from ..wanted import Decision, Wanted
from .pace import DONE, SET
from .volume import available

KIND = "device_set"


def lowered(name: str) -> str:
    """What an action that purges needs: the operator no longer wants the OSD back."""
    return f"count:{name}"


def dropped(name: str) -> str:
    """What the last OSD of a set that ends needs before its purge."""
    return f"dropped:{name}"


def raised(name: str, to: int) -> str:
    """What the next raise needs: all that shall run with this count does, also what was to leave and stays."""
    return f"raised:{name}/{to}"


ALL_RAISED = "raised"
"""Nothing is taken away while anything is added."""


def plan(cluster: Cluster, wanted: Wanted, decision: Decision, run: Commands) -> Iterator[Action]:
    for name, (device_set, to) in sorted(decision.lower.items()):
        marks = frozenset(f"marked:{one.claim}" for one in decision.leavers if one.device_set == name)
        yield Action(
            KIND,
            "lower",
            name,
            steps=(run.count(device_set, device_set.count, to),),
            before={"count": device_set.count},
            after={"count": to},
            needs=marks | {SET, ALL_RAISED},
            provides=frozenset((lowered(name),)),
            expects=(Expect("count", name, str(to)),),
        )
    left = frozenset(_left_over(decision))
    for step in decision.steps:
        name = step.device_set.name
        marks = frozenset(f"marked:{one.claim}" for one in decision.leavers if one.device_set == name)
        yield Action(
            KIND,
            "raise",
            f"{name}/{step.to}",
            steps=(run.count(step.device_set, step.before, step.to),),
            before={"count": step.before},
            after={"count": step.to, wanted.failure_domain: sorted(step.domains)},
            needs=marks | left | {SET, raised(name, step.before)},
            provides=frozenset((raised(name, step.to), ALL_RAISED, DONE)),
            expects=(
                Expect("count", name, str(step.to)),
                Expect("osds", name, str(step.osds)),
                Expect("spread", name, str(step.gap)),
                Expect("clean", cluster.name),
            ),
        )
    gone = (*(one.volume for one in decision.leavers), *decision.wipes)
    volumes = frozenset(available(one.name) for one in gone if one is not None)
    for name, count in decision.settle:
        yield Action(
            KIND,
            "settle",
            name,
            steps=(),
            after={"count": count},
            needs=volumes | {SET, f"replaced:{name}"},
            provides=frozenset((ALL_RAISED, DONE)) if not decision.leavers else frozenset((DONE,)),
            expects=(Expect("osds", name, str(count)), Expect("clean", cluster.name)),
        )
    for device_set in decision.drop:
        goers = [one for one in decision.leavers if one.device_set == device_set.name]
        last = goers[-1] if goers else None
        yield Action(
            KIND,
            "remove",
            device_set.name,
            steps=(run.drop_set(device_set),),
            before={"count": device_set.count},
            after=None,
            needs=frozenset((lowered(device_set.name), SET, *_last_needs(decision, device_set.name))),
            provides=frozenset((dropped(device_set.name),)) if last else frozenset(),
            expects=(Expect("set_gone", device_set.name),),
        )


def _left_over(decision: Decision) -> Iterator[str]:
    """What earlier runs did not finish and a raise waits for: numbers and disks that new OSDs may get."""
    for one in decision.leavers:
        if one.osd >= 0 and not one.in_map:
            yield f"purged:{one.claim}"
        if one.detached:
            yield f"free:{one.claim}"
            if one.volume is not None:
                yield available(one.volume.name)
    for volume in decision.wipes:
        yield available(volume.name)


def last_of(decision: Decision, name: str) -> str:
    """The claim of a set that ends whose OSD is stopped before the set is taken out, and purged after that."""
    order = [claim for wave in decision.waves for claim in wave]
    mine = {one.claim for one in decision.leavers if one.device_set == name}
    return next((claim for claim in reversed(order) if claim in mine), "")


def _last_needs(decision: Decision, name: str) -> Iterator[str]:
    last = last_of(decision, name)
    for one in decision.leavers:
        if one.device_set == name:
            yield f"stopped:{one.claim}" if one.claim == last else f"free:{one.claim}"
