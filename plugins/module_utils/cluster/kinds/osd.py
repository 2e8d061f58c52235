# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""OSDs: drained while they run, stopped behind a fence when nothing needs them, purged. Or taken back before that."""

from __future__ import annotations

from collections.abc import Iterator

from ...plan.model import Action, Expect, Json
from ..commands import Commands
from ..state import FREED, LEAVING, Cluster
from ..wanted import Decision, Leaver, Wanted
from . import device_set
from .pace import DONE, SET

KIND = "osd"


def plan(cluster: Cluster, wanted: Wanted, decision: Decision, run: Commands) -> Iterator[Action]:
    yield from _taken_back(cluster, decision, run)
    by_claim = {one.claim: one for one in decision.leavers}
    earlier: tuple[str, ...] = ()
    for wave in decision.waves:
        goers = [by_claim[claim] for claim in wave if by_claim[claim].osd >= 0]
        running = [one for one in goers if one.in_map and one.running]
        waits = frozenset(f"free:{claim}" for claim in earlier) | {SET, device_set.ALL_RAISED}
        if running:
            yield _drain(cluster, running, waits, run)
        for one in goers:
            if one.in_map and one.running:
                yield _stop(one, run)
            # What is still of an OSD that Ceph no longer knows goes too.
            if one.in_map or one.deployment or one.owned:
                # What was begun ends at once: the next OSD may get its number, and needs its disk.
                yield _purge(cluster, one, decision, _begun(one) or waits, run)
        earlier = wave or earlier


def _drain(cluster: Cluster, goers: list[Leaver], waits: frozenset[str], run: Commands) -> Action:
    names = [f"osd.{one.osd}" for one in goers]
    # Weight 0 as well as out: else the purge, which takes the weight from the host, would move data a second time.
    steps = [run.ceph("osd", "crush", "reweight", name, "0") for name in names]
    steps.append(run.ceph("osd", "out", *names))
    counts = frozenset(f"count:{one.device_set}" for one in goers if one.reason == "count")
    return Action(
        KIND,
        "drain",
        "+".join(names),
        steps=tuple(steps),
        before=_facts(goers),
        after={"in": False, "weight": 0},
        needs=waits | counts | {f"marked:{one.claim}" for one in goers},
        provides=frozenset(f"drained:{one.claim}" for one in goers),
        disks=tuple(_disk(one) for one in goers if _disk(one)),
        expects=(
            *(Expect("out", name) for name in names),
            Expect("clean", cluster.name),
            *(Expect("safe", name) for name in names),
        ),
    )


def _stop(one: Leaver, run: Commands) -> Action:
    steps = (run.fence(one.deployment), run.stop(one.deployment)) if one.deployment else ()
    return Action(
        KIND,
        "stop",
        f"osd.{one.osd}",
        steps=steps,
        before={"deployment": one.deployment, "replicas": 1},
        after={"deployment": one.deployment, "replicas": 0, "fenced": True},
        needs=frozenset((f"drained:{one.claim}",)),
        provides=frozenset((f"stopped:{one.claim}",)),
        disks=(_disk(one),) if _disk(one) else (),
        expects=(Expect("down", f"osd.{one.osd}"),),
    )


def _purge(cluster: Cluster, one: Leaver, decision: Decision, waits: frozenset[str], run: Commands) -> Action:
    steps = []
    if one.in_map and one.volume is not None and one.volume.path:
        freed = f"{cluster.fsid} {one.osd} {one.uuid}"
        steps.append(run.annotate("persistentvolume", one.volume.name, FREED, freed))
    if one.owned:
        steps.append(run.detach(one.claim))
    if one.in_map:
        steps.append(run.ceph("osd", "purge", f"osd.{one.osd}", "--yes-i-really-mean-it"))
    if one.deployment:
        steps.append(run.delete("deployment", one.deployment))
    needs = {f"stopped:{one.claim}"} | waits
    if not one.detached:
        needs.add(f"count:{one.device_set}")
        if any(found.name == one.device_set for found in decision.drop) and one.claim == device_set.last_of(
            decision, one.device_set
        ):
            needs.add(device_set.dropped(one.device_set))
    return Action(
        KIND,
        "purge",
        f"osd.{one.osd}",
        steps=tuple(steps),
        before=_facts([one]),
        needs=frozenset(needs),
        provides=frozenset((f"purged:{one.claim}", DONE)),
        disks=(_disk(one),) if _disk(one) else (),
        expects=(Expect("purged", f"osd.{one.osd}", one.uuid), Expect("deployment_gone", one.deployment)),
    )


def _begun(one: Leaver) -> frozenset[str]:
    """What the purge of an OSD waits for that is gone or stopped and no longer counted: nothing moves because of it."""
    return frozenset((SET,)) if one.detached or not one.in_map else frozenset()


def _taken_back(cluster: Cluster, decision: Decision, run: Commands) -> Iterator[Action]:
    for one in decision.returners:
        name = f"osd.{one.osd}"
        found = cluster.device_set(one.device_set)
        # The mark goes last: a run that is killed before it finds this OSD again.
        unfence = (run.unfence(one.fenced),) if one.fenced else ()
        yield Action(
            KIND,
            "keep",
            name,
            steps=(
                run.ceph("osd", "crush", "reweight", name, f"{one.weight:.5f}"),
                run.ceph("osd", "in", name),
                *unfence,
                run.annotate("persistentvolumeclaim", one.claim, LEAVING, None),
            ),
            before={"in": cluster.osds[one.osd].is_in, "weight": cluster.osds[one.osd].weight},
            after={"in": True, "weight": one.weight},
            needs=frozenset((SET,)),
            provides=frozenset(
                (device_set.ALL_RAISED, DONE, device_set.raised(one.device_set, found.count if found else 0))
            ),
            expects=(
                *((Expect("unfenced", one.fenced),) if one.fenced else ()),
                Expect("in", name),
                Expect("clean", cluster.name),
            ),
        )


def _facts(goers: list[Leaver]) -> Json:
    return {
        f"osd.{one.osd}": {"claim": one.claim, "domain": one.domain, "uuid": one.uuid, "serial": _disk(one)}
        for one in goers
    }


def _disk(one: Leaver) -> str:
    return one.volume.serial if one.volume else ""
