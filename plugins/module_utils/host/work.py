# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One run on one host: observe, plan, and, unless it is a check, apply, verify and report. ``run`` calls this."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from ..plan.digest import digest
from ..plan.errors import StorageError
from ..plan.journal import UNFINISHED_FILE, Journal, report_cut_off
from ..plan.model import Command, Plan, Refusal
from ..plan.report import RunReport, not_approved, now, verify
from ..plan.runner import Runner
from . import fstab, planner, tools
from .disk_facts import disk_facts
from .executor import Executor
from .observation import ReadFile
from .observer import Observer
from .run import Job

_OS = ReadFile("/etc/os-release")
_SYSTEMD = fstab.SYSTEMD.path
_UNITS = "/run/systemd/generator"
_HINTS = "/run/lvm/hints"
_LVM = ("lv", "pv", "vg")
_MADE_FROM = (fstab.FSTAB, "/etc/crypttab")


@dataclass
class Report(RunReport):
    """What a module of a host answers; ``cut_off`` are sentences on earlier runs that nobody ended."""

    missing_packages: tuple[str, ...] = ()
    cut_off: tuple[str, ...] = ()
    disks: list[dict[str, Any]] = field(default_factory=list)
    local_volumes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def notes(self) -> list[str]:
        return [*self.cut_off, *self.plan.notes]

    def as_json(self) -> dict[str, Any]:
        return {
            **super().as_json(),
            "missing_packages": list(self.missing_packages),
            "disks": self.disks,
            "local_volumes": self.local_volumes,
        }


def changed(job: Job, runner: Runner) -> Report:
    """Bring the host to its document; the caller holds the host's lock.

    :raises StorageError: the host cannot be read; refusals and failures of actions are in the report instead.
    """
    cut_off = report_cut_off(job.folder, {"site": job.site.name, "host": job.site.host})
    _tell_systemd(job, runner)
    report = planned(job, runner)
    report.cut_off = tuple(one.sentence() for one in cut_off)
    if report.error or report.plan.refusals:
        return report
    if not report.plan.actions:
        Executor.forget(_unfinished(job))
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
    # Where nothing is left to do, nothing can be done that was not approved.
    if job.expected_digest and job.expected_digest != digest(plan) and plan.actions:
        report.plan = not_approved(plan, job.expected_digest, job.site.host, "host or document")
    return report


def _apply(job: Job, runner: Runner, report: Report) -> None:
    journal = Journal.create(job.folder, 3 * len(report.plan.actions) + 4)
    report.journal = journal.path
    observer = Observer(runner, job.site.host)
    executor = Executor(runner, journal, observer.shortfall)
    of = {"site": job.site.name, "host": job.site.host, "start": now(), "before": {"disks": report.disks}}
    try:
        if _uses_lvm(report.plan):
            executor.forget(_HINTS)
        report.plan = _carried_out(job, report.plan, observer, executor, journal, report)
        executor.forget(_unfinished(job))
        journal.write("end", {"result": "done"})
    except StorageError as error:
        report.error = error.sentence()
        journal.write("end", {"result": "failed", "why": report.error})
    finally:
        executor.release()
        report.executed = [one.as_json() for one in executor.done]
        report.processes = runner.count
        report.leave(journal, of, {"disks": report.disks})
        journal.close()


def _tell_systemd(job: Job, runner: Runner) -> None:
    """A run that did not end well may have left lines in fstab or crypttab that systemd has not read."""
    if os.path.exists(_unfinished(job)) and os.path.isdir(_SYSTEMD) and not _is_read():
        runner.run(("systemctl", "daemon-reload"))


def _is_read() -> bool:
    """Whether systemd made its units after the last edit: each reload, which costs seconds, makes their folder anew."""
    try:
        made = os.stat(_UNITS).st_mtime_ns
        return all(os.stat(path).st_mtime_ns < made for path in _MADE_FROM if os.path.exists(path))
    except OSError:
        return False


def _uses_lvm(plan: Plan) -> bool:
    """LVM keeps which disks it reads; kept while a disk gave errors, its commands miss that disk ever after."""
    return any(
        isinstance(step, Command) and step.argv[0].startswith(_LVM) for one in plan.actions for step in one.steps
    )


def _unfinished(job: Job) -> str:
    return f"{job.folder}/{UNFINISHED_FILE}"


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
            verify(rest, "host")
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
