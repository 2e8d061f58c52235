# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One run on one host: observe, plan, and, unless it is a check, apply, verify and report. ``run`` calls this."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..plan.diff import diff
from ..plan.digest import digest
from ..plan.errors import StorageError, Surprise
from ..plan.journal import Journal, report_cut_off
from ..plan.model import Command, Plan, Refusal
from ..plan.runner import Runner
from . import planner, tools
from .blank import UNFINISHED
from .disk_facts import disk_facts
from .executor import Executor
from .observation import ReadFile
from .observer import Observer
from .run import Job

_OS = ReadFile("/etc/os-release")


@dataclass
class Report:
    """What a module answers; ``as_json`` is its RETURN."""

    plan: Plan = field(default_factory=lambda: Plan(()))
    executed: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""
    missing_packages: tuple[str, ...] = ()
    journal: str = ""
    report: str = ""
    cut_off: tuple[str, ...] = ()
    processes: int = 0
    disks: list[dict[str, Any]] = field(default_factory=list)
    local_volumes: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        actions = self.plan.actions
        return {
            "changed": bool(actions),
            "plan": [action.as_json() for action in actions],
            "identities": self.plan.identities,
            "digest": digest(self.plan),
            "refusals": [refusal.sentence() for refusal in self.plan.refusals],
            "notes": [*self.cut_off, *self.plan.notes],
            "missing_packages": list(self.missing_packages),
            "executed": self.executed,
            "before": {action.id: action.before for action in actions},
            "after": {action.id: action.after for action in actions},
            "diff": diff(actions),
            "journal": self.journal,
            "report": self.report,
            "disks": self.disks,
            "local_volumes": self.local_volumes,
            "processes": self.processes,
        }


def changed(job: Job, runner: Runner) -> Report:
    """Bring the host to its document; the caller holds the host's lock.

    :raises StorageError: the host cannot be read; refusals and failures of actions are in the report instead.
    """
    cut_off = report_cut_off(job.folder, {"site": job.site.name, "host": job.site.host})
    report = planned(job, runner)
    report.cut_off = tuple(one.sentence() for one in cut_off)
    if report.error or report.plan.refusals:
        return report
    if not report.plan.actions:
        Executor.end(_unfinished(job))
        return report
    _apply(job, runner, report)
    return report


def planned(job: Job, runner: Runner) -> Report:
    """What it would take to bring the host to its document.

    :raises StorageError: the host cannot be read.
    """
    # First, and without a process: a host that cannot be read as a whole is not planned for.
    report = _without(tools.needed(job.document), runner)
    if report is not None:
        return report
    observer = Observer(runner, job.site.host)
    seen, plan = observer.observe(planner.probes(job.document), lambda seen: planner.plan(job.document, seen, job.site))
    used = {step.argv[0] for action in plan.actions for step in action.steps if isinstance(step, Command)}
    report = _without(used, runner)
    if report is not None:
        return report
    report = Report(plan, processes=runner.count, disks=disk_facts(seen))
    report.local_volumes = planner.local_volumes(job.document, seen, job.site)
    found = digest(plan)
    # Where nothing is left to do, nothing can be done that was not approved.
    if job.expected_digest and job.expected_digest != found and plan.actions:
        report.plan = replace(
            plan,
            actions=(),
            refusals=(
                Refusal(
                    job.site.host,
                    f"the plan is now {found} and not {job.expected_digest} as approved: host or document changed",
                    "look at the new plan and approve it",
                ),
            ),
        )
    return report


def _apply(job: Job, runner: Runner, report: Report) -> None:
    journal = Journal.create(job.folder, 3 * len(report.plan.actions) + 4)
    report.journal = journal.path
    observer = Observer(runner, job.site.host)
    executor = Executor(runner, journal, observer.shortfall)
    before, start = report.disks, _now()
    try:
        report.plan = _carried_out(job, report.plan, observer, executor, journal, report)
        executor.end(_unfinished(job))
        journal.write("end", {"result": "done"})
    except StorageError as error:
        report.error = error.sentence()
        journal.write("end", {"result": "failed", "why": report.error})
    finally:
        executor.release()
        report.executed = [one.as_json() for one in executor.done]
        report.processes = runner.count
        _leave(job, report, journal, {"start": start, "before": {"disks": before}})
        journal.close()


def _unfinished(job: Job) -> str:
    return f"{job.folder}/{os.path.basename(UNFINISHED.path)}"


def _carried_out(
    job: Job, plan: Plan, observer: Observer, executor: Executor, journal: Journal, report: Report
) -> Plan:
    """Run a plan, then what can only be planned once it ran; all of it as one plan, with what is to be said now.

    :raises StorageError: an action failed, or the host is not as the plan left it.
    """
    whole = plan
    while True:
        journal.write("plan", {"digest": digest(plan), "actions": [one.id for one in plan.actions]})
        executor.begin(_unfinished(job), {**whole.identities, **plan.identities})
        executor.execute(plan)
        seen, rest = observer.observe(
            planner.probes(job.document), lambda seen: planner.plan(job.document, seen, job.site)
        )
        report.disks = disk_facts(seen)
        whole = replace(whole, notes=rest.notes)
        again = {one.id for one in rest.actions} & {one.id for one in plan.actions}
        if not plan.is_first_part or again or rest.refusals:
            _converged(rest)
            return whole
        if not rest.actions:
            return whole
        if job.expected_digest:
            # The person who approved the plan has not seen what follows.
            more = f"{len(rest.actions)} further actions are planned now; approve {digest(rest)} to go on."
            return replace(whole, notes=(*rest.notes, more))
        plan = rest
        whole = Plan(
            (*whole.actions, *rest.actions), identities={**whole.identities, **rest.identities}, notes=rest.notes
        )


def _leave(job: Job, report: Report, journal: Journal, more: Mapping[str, Any]) -> None:
    """The evidence of a run: what was, what was planned, what ran, what is; nothing in it opens or unlocks anything."""
    content = {
        "report": 1,
        "site": job.site.name,
        "host": job.site.host,
        **more,
        "end": _now(),
        "digest": digest(report.plan),
        "identities": report.plan.identities,
        "plan": [action.as_json() for action in report.plan.actions],
        "executed": report.executed,
        "after": {"disks": report.disks},
        "notes": [*report.cut_off, *report.plan.notes],
        "error": report.error,
        "journal": journal.path,
    }
    try:
        report.report = journal.write_report(content)
    except StorageError as error:
        report.plan = replace(report.plan, notes=(*report.plan.notes, error.sentence()))


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _converged(rest: Plan) -> None:
    """A second plan after the run must be empty: it is what the next run would do."""
    if rest.refusals:
        raise Surprise(f"after the run the host is refused: {rest.refusals[0].sentence()}", "look at the host")
    if rest.actions:
        names = ", ".join(action.id for action in rest.actions[:5])
        raise Surprise(f"after the run the host still differs: {names}", "run again; report it if it stays so")


def _without(names: Iterable[str], runner: Runner) -> Report | None:
    """A report that refuses for each tool that is not there; None when all are."""
    missing = [name for name in sorted(names) if not _is_there(name, runner)]
    if not missing:
        return None
    of = tools.family(Observer(runner).answers([_OS])[_OS.key] or "")
    packages = {name: tools.packages_of(name, of, runner.kernel()) for name in missing}
    refusals = tuple(
        Refusal(
            name,
            "the kernel has no such module" if name == tools.ZFS_MODULE else "this tool is needed and not installed",
            f"install {' and '.join(packages[name])}",
        )
        for name in missing
    )
    found = tuple(dict.fromkeys(package for name in missing for package in packages[name]))
    return Report(Plan((), refusals), missing_packages=found, processes=runner.count)


def _is_there(name: str, runner: Runner) -> bool:
    return runner.has_module("zfs") if name == tools.ZFS_MODULE else runner.has(name)
