# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One run on one cluster: look, plan, and, unless it is a check, take the lease, apply, verify, report."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field, replace
from typing import Any

from ..plan.digest import digest
from ..plan.errors import StorageError, Surprise
from ..plan.journal import FOLDER, Journal
from ..plan.memory import uncollected
from ..plan.model import Plan
from ..plan.report import RunReport, not_approved, now, verify
from ..plan.runner import Runner, interrupts
from . import placement, planner, windows
from .commands import NOTE_ACTIONS, NOTE_PLAN, Commands
from .executor import Clock, Executor
from .lease import Holder, is_dead
from .observer import Observer
from .recording import recording
from .state import LEASE, Cluster, Lease
from .touched import touched
from .wanted import Wanted
from .windows import is_open

_PASSING = ("gate operator", "gate osds", "gate placement", "gate pods")
"""Gates that are closed for a moment after anything was changed; a run that applies looks again before it gives up."""
_PASSING_SECONDS = 60.0


@dataclass(frozen=True)
class Job:
    """What a module was asked."""

    wanted: Wanted
    check: bool = True
    expected_digest: str = ""
    folder: str = FOLDER


@dataclass
class Report(RunReport):
    """What the module of a cluster answers; ``cluster`` is a summary, ``disks`` are those that the plan speaks of.

    ``observed`` is when the plan was made.
    """

    cluster: dict[str, Any] = field(default_factory=dict)
    disks: list[dict[str, Any]] = field(default_factory=list)
    observed: str = ""

    def as_json(self) -> dict[str, Any]:
        own = {"cluster": self.cluster, "disks": self.disks, "observed": self.observed}
        return {**super().as_json(), **own, "lacks": planner.lacks(self.plan)}


def osds(job: Job, runner: Runner, clock: Clock | None = None) -> Report:
    """Bring the OSDs of a cluster to the wanted counts, or say what that would take.

    :raises StorageError: the cluster cannot be read; refusals and failures of actions are in the report instead.
    """
    clock = clock or Clock()
    observer = Observer(runner, job.wanted)
    seen, report = _planned(job, observer, clock)
    end = clock.now() + _PASSING_SECONDS
    while not job.check and _passing(report.plan) and clock.now() < end:
        clock.sleep(5.0)
        seen, report = _planned(job, observer, clock)
    report.processes = runner.count
    holder = Holder(runner, Commands.of(job.wanted))
    if not report.plan.refusals and not report.plan.actions:
        _clear(job, seen.lease, holder, report)
        report.processes = runner.count
        return report
    if job.check or report.plan.refusals:
        return report
    try:
        holder.take(seen.lease)
    except StorageError as error:
        report.error = error.sentence()
        return report
    whole = False
    try:
        # Whoever held the lease until now may have changed what was planned from.
        seen, report = _planned(job, observer, clock, whole=True)
        if report.plan.refusals or not report.plan.actions:
            whole = not report.plan.refusals
            return report
        whole = _apply(job, runner, observer, holder, clock, seen, report)
    finally:
        holder.give_back(whole)
        report.processes = runner.count
    return report


def _clear(job: Job, lease: Lease, holder: Holder, report: Report) -> None:
    """Nothing is to do: what a run left that died after its last action, or that gave up, goes too."""
    if not lease.version or (lease.holder and not is_dead(lease, time.time())):
        return
    told = f"Lease {LEASE} of {job.wanted.cluster} is left of a run that ended"
    if job.check:
        told += "; a run that is no check deletes it."
    else:
        try:
            holder.take(lease)
            holder.give_back(whole=True)
            told += ", and is deleted."
        except StorageError as error:
            told += f"; it stays: {error.sentence()}"
    report.plan = replace(report.plan, notes=(*report.plan.notes, told))


def _passing(plan: Plan) -> bool:
    return bool(plan.refusals) and all(one.target in _PASSING for one in plan.refusals)


def facts(job: Job, runner: Runner, clock: Clock | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The recording, and what there is: sets, OSDs, spread, and what the counts would need now.

    :raises StorageError: as ``osds`` does; where there is no cluster yet, as Absent.
    """
    observer = Observer(runner, job.wanted)
    cluster = observer.look(whole=True)
    plan = _timed(planner.plan(cluster, job.wanted), job.wanted, clock or Clock())
    claims = {one.osd: one.claim for one in cluster.deployments}
    listed = [_osd(cluster, number, claims.get(number, "")) for number in sorted(cluster.osds)]
    told = {**summary(cluster, job.wanted), "osds": listed}
    told["digest"] = digest(plan)
    told["refusals"] = [one.sentence() for one in plan.refusals]
    told["notes"] = list(plan.notes)
    return recording(observer.last, job.wanted.cluster, now()), told


def summary(cluster: Cluster, wanted: Wanted) -> dict[str, Any]:
    """A cluster in short."""
    size = sum(one.size for one in cluster.osds.values())
    used = sum(one.used for one in cluster.osds.values())
    return {
        "fsid": cluster.fsid,
        "health": cluster.health,
        "size": size,
        "used": used,
        "device_sets": {
            one.name: {
                "count": one.count,
                "wanted": wanted.counts.get(one.name, one.count),
                "spread": placement.spread(cluster, one.name, wanted.failure_domain),
            }
            for one in cluster.sets
        },
    }


def _osd(cluster: Cluster, number: int, claim: str) -> dict[str, Any]:
    one = cluster.osds[number]
    found = cluster.claims.get(claim)
    volume = cluster.volumes.get(found.volume) if found else None
    return {
        "id": number,
        "uuid": one.uuid,
        "up": one.up,
        "in": one.is_in,
        "class": one.device_class,
        "size": one.size,
        "used": one.used,
        "place": dict(one.place),
        "claim": claim,
        "device_set": found.device_set if found else "",
        "volume": volume.name if volume else "",
        "serial": volume.serial if volume else "",
    }


def _planned(job: Job, observer: Observer, clock: Clock, whole: bool = False) -> tuple[Cluster, Report]:
    """A look is enough where nothing is to do; the rest is asked only for a change, or at once.

    A check plans as if a window were open: what is approved by day may run at night.
    """
    window = job.check or is_open(job.wanted.windows, *clock.week())
    with uncollected():
        cluster = observer.look(whole)
        # Without the questions of a change every gate may be closed: what counts here is only whether anything differs.
        plan = planner.nothing(cluster, job.wanted)
        if plan is None:
            cluster = cluster if whole else observer.look(whole=True)
            plan = planner.plan(cluster, job.wanted, window)
        plan = _timed(_approved(job, cluster, plan), job.wanted, clock)
        report = Report(plan, cluster=summary(cluster, job.wanted), disks=touched(cluster, plan), observed=now())
    return cluster, report


def _timed(plan: Plan, wanted: Wanted, clock: Clock) -> Plan:
    """With a note where no window is open at the moment."""
    if not plan.actions or is_open(wanted.windows, *clock.week()):
        return plan
    return replace(plan, notes=(*plan.notes, windows.told(wanted.windows)))


def _approved(job: Job, cluster: Cluster, plan: Plan) -> Plan:
    """The plan, or a refusal where it is not what was approved. What is left of an approved plan is approved."""
    if not job.expected_digest or not plan.actions or job.expected_digest == digest(plan):
        return plan
    notes = cluster.lease.notes
    begun = json.loads(notes.get(NOTE_ACTIONS, "[]")) if notes.get(NOTE_PLAN) == job.expected_digest else []
    if {action.id for action in plan.actions} <= set(begun):
        return plan
    return not_approved(plan, job.expected_digest, f"cluster {cluster.name}", "cluster or counts")


def _apply(
    job: Job, runner: Runner, observer: Observer, holder: Holder, clock: Clock, seen: Cluster, report: Report
) -> bool:
    """Run the plan that was made of ``seen``; whether the cluster is as wanted afterwards."""
    plan = report.plan
    journal = Journal.create(job.folder, 8 * len(plan.actions) + 16)
    report.journal = journal.path
    executor = Executor(runner, journal, observer, holder, job.wanted, clock)
    of = {"cluster": job.wanted.cluster, "start": now(), "before": report.cluster}
    try:
        journal.write("plan", {"digest": digest(plan), "actions": [one.id for one in plan.actions]})
        commands = Commands.of(job.wanted)
        for key, value in (
            (NOTE_PLAN, job.expected_digest or digest(plan)),
            (NOTE_ACTIONS, json.dumps([one.id for one in plan.actions])),
        ):
            done = runner.run(commands.note(key, value).argv)
            if done.rc != 0:
                raise Surprise(
                    f"the run's notes cannot be written: {' '.join(done.stderr.split())[-300:]}", "run again"
                )
        asked = threading.Event()
        executor.stop = asked.is_set
        with interrupts(asked.set):
            executor.execute(plan, seen)
        _verify(job, observer, report)
        journal.write("end", {"result": "done"})
        return True
    except StorageError as error:
        report.error = error.sentence()
        journal.write("end", {"result": "failed", "why": report.error})
        return False
    finally:
        report.executed = [one.as_json() for one in executor.done]
        report.processes = runner.count
        report.leave(journal, of, report.cluster)
        journal.close()


def _verify(job: Job, observer: Observer, report: Report) -> None:
    cluster = observer.look(whole=True)
    report.cluster = summary(cluster, job.wanted)
    # All of this run was looked at; only a run that did not come so far leaves this to the next one.
    notes = {key: value for key, value in cluster.lease.notes.items() if key != NOTE_ACTIONS}
    cluster = replace(cluster, lease=replace(cluster.lease, notes=notes))
    verify(planner.plan(cluster, job.wanted), "cluster")
