# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host has, for those who only look."""

from __future__ import annotations

from typing import Any

from ..plan.digest import digest
from ..plan.runner import Runner
from . import health, planner
from .disk_facts import disk_facts
from .kinds import disk
from .observation import Observation
from .observer import Observer
from .run import Job, await_udev


def facts(job: Job, runner: Runner, healthy: bool = False) -> tuple[Observation, dict[str, Any]]:
    """What the host has: the recording, the disks, and what each selector matches now; its health where asked."""
    await_udev(runner)
    observer = Observer(runner, job.site.host)
    observation, plan = observer.observe(
        planner.probes(job.document), lambda seen: planner.plan(job.document, seen, job.site)
    )
    have = planner.observed(observation)
    groups, refused = disk.chosen(job.document, have)
    told: dict[str, Any] = {}
    if healthy:
        seen = have.of(disk.KIND)
        answers = observer.answers(health.probes(seen, runner.has))
        told = health.health(Observation(answers), seen, runner.has)
    return observation, {
        "health": told,
        "disks": disk_facts(observation),
        "groups": {name: [one.id for one in disks] for name, disks in groups.items()},
        "refusals": [one.sentence() for one in (plan.refusals or refused)],
        "notes": list(plan.notes),
        "digest": digest(plan),
        "local_volumes": planner.local_volumes(job.document, observation, job.site),
    }
