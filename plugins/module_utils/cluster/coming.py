# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where new OSDs come, in which steps, and which sets are only waited for."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from ..plan.model import Refusal
from . import placement
from .commands import NOTE_ACTIONS
from .going import Going
from .room import Room, waiting
from .state import Claim, Cluster, DeviceSet, Volume
from .wanted import Leaver, Step, Wanted

_AT_ONCE = {"gentle": 1, "normal": 0, "fast": -1}
"""New OSDs a step: one, one in each failure domain (0), or all (-1)."""


@dataclass
class Coming:
    """Steps in which counts rise; ``settle`` as in a Decision."""

    steps: list[Step] = field(default_factory=list)
    settle: list[tuple[str, int]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


def coming(cluster: Cluster, wanted: Wanted, going: Going, wipes: list[Volume]) -> Coming:
    """All that comes, of all sets; all that goes is known: what one set takes is not free for the next."""
    found = Coming()
    room, awaited = _room(cluster, wanted, going, wipes)
    for device_set in cluster.sets:
        name, count = device_set.name, wanted.counts.get(device_set.name)
        if not count:
            continue
        if device_set.count < count:
            steps, refused = _steps(cluster, device_set, count, going, awaited.get(name, ()), room, wanted)
            found.steps.extend(steps)
            found.refusals.extend(refused)
            if steps and steps[-1].osds < count:
                found.settle.append((name, count))
        elif _unverified(cluster, device_set) or _unsettled(cluster, device_set, count, going):
            found.settle.append((name, count))
    return found


def _steps(
    cluster: Cluster,
    device_set: DeviceSet,
    count: int,
    going: Going,
    awaited: tuple[str, ...],
    room: Room,
    wanted: Wanted,
) -> tuple[list[Step], tuple[Refusal, ...]]:
    owned = len(cluster.present(device_set.name))
    less = sum(1 for one in going.leavers if one.device_set == device_set.name and one.owned)
    back = [
        cluster.osds[one.osd].domain(wanted.failure_domain)
        for one in going.returners
        if one.device_set == device_set.name
    ]
    # The operator makes a claim only where it has fewer than the count, those that leave or come back among them.
    first = min(count, max(owned, device_set.count))
    number = count - first
    domains, refused = placement.arriving(cluster, device_set, number, wanted.failure_domain, room, back, awaited)
    if refused:
        return [], refused
    counts = placement.spread(cluster, device_set.name, wanted.failure_domain)
    for name in back:
        counts[name] = counts.get(name, 0) + 1
    size = _AT_ONCE[wanted.pace] or len(set(domains))
    size = number if size < 0 else size
    parts = [domains[start : start + size] for start in range(0, number, max(1, size))]
    steps = []
    before = device_set.count
    if first > before:
        steps.append(Step(device_set, before, first, (), max(first, owned) - less, max(1, placement.gap(counts))))
        before = first
    for part in parts:
        to = before + len(part)
        for name in part:
            counts[name] = counts.get(name, 0) + 1
        steps.append(Step(device_set, before, to, part, max(to, owned) - less, max(1, placement.gap(counts))))
        before = to
    return steps, ()


def _room(
    cluster: Cluster, wanted: Wanted, going: Going, wipes: list[Volume]
) -> tuple[Room, dict[str, tuple[str, ...]]]:
    """The room for new OSDs, less what claims without a volume are to find: in which failure domains, by set."""
    emptied = [one.volume for one in going.leavers if one.volume is not None and _is_emptied(one)]
    emptied += [one for one in wipes if one.serial not in wanted.replace]
    room = Room(cluster, wanted.failure_domain, tuple(emptied))
    awaited = {}
    for device_set in cluster.sets:
        count = wanted.counts.get(device_set.name, device_set.count)
        number = waiting(cluster, device_set, count, going.claims)
        if number:
            counts = placement.spread(cluster, device_set.name, wanted.failure_domain)
            awaited[device_set.name] = room.spread(device_set, counts, number)
    return room, awaited


def _is_emptied(one: Leaver) -> bool:
    """Whether the place of an OSD that an earlier run purged, or was about to, becomes free in this plan."""
    known = one.volume is not None and bool(not one.volume.path or one.in_map or one.volume.freed)
    return one.detached and one.reason == "count" and known


def _unsettled(cluster: Cluster, device_set: DeviceSet, count: int, going: Going) -> bool:
    """Whether an earlier raise, or a replacement, has not brought all its OSDs yet."""
    staying = cluster.present(device_set.name) - going.claims
    return len(staying) < count or any(_is_missing(cluster, cluster.claims[one]) for one in staying)


def _unverified(cluster: Cluster, device_set: DeviceSet) -> bool:
    """Whether a run that raised this set did not come to its end: nobody has looked yet at what came."""
    begun = json.loads(cluster.lease.notes.get(NOTE_ACTIONS, "[]"))
    name = device_set.name
    return any(one == f"device_set.settle:{name}" or one.startswith(f"device_set.raise:{name}/") for one in begun)


def _is_missing(cluster: Cluster, claim: Claim) -> bool:
    return not claim.leaving and cluster.osd_of(claim.name) is None
