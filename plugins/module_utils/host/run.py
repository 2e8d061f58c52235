# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The way into a run on one host: the lock, the first questions, and only then the planner. Modules call this.

Ansible sends sources, which a host compiles at every launch: that takes longer than its tools take to answer. So the
tools are started before, and what plans and applies is imported while they work.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..plan.journal import FOLDER, UNFINISHED_FILE, host_lock, left_running
from ..plan.runner import Runner
from .first_look import SETTLE, UDEV_IS_BUSY, first_look
from .noticing import show_lost
from .state import Site

if TYPE_CHECKING:
    from .work import Report


_PATIENCE_SECONDS = 300.0


@dataclass(frozen=True)
class Job:
    """What a module was asked."""

    document: Mapping[str, Any]
    site: Site
    check: bool = True
    expected_digest: str = ""
    folder: str = FOLDER


def storage(job: Job, runner: Runner) -> Report:
    """Bring the host to its document, or say what that would take.

    :raises StorageError: the host cannot be read; refusals and failures of actions are in the report instead.
    """
    questions = [probe.argv for probe in first_look(job.document)]
    with nullcontext() if job.check else host_lock(job.folder):
        if not job.check:
            # What is half done now and done a moment later looks like somebody else's in between.
            runner.await_end(left_running(job.folder), _PATIENCE_SECONDS)
        await_udev(runner, os.path.exists(f"{job.folder}/{UNFINISHED_FILE}"))
        with runner.ahead(questions):
            from . import work

            return work.planned(job, runner) if job.check else work.changed(job, runner)


def await_udev(runner: Runner, unfinished: bool = False) -> None:
    """Look at nothing while udev has work: lsblk has names from it, and a new partition would be somebody's without.

    After a run that did not end well it also looks again at what it lost while a disk gave errors.
    """
    if (unfinished and show_lost()) or os.path.exists(UDEV_IS_BUSY):
        runner.run(SETTLE)
