# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The pace: how much of the disks' work goes to moving data. What was set before is put back at the end."""

from __future__ import annotations

from collections.abc import Iterator

from ...plan.model import Action, Expect
from ..commands import NOTE_PROFILE, Commands
from ..state import Cluster
from ..wanted import PROFILES, Decision, Wanted

KIND = "pace"

SET = "pace"
DONE = "data:moved"
"""Provided by every action after which nothing moves any more."""


def plan(cluster: Cluster, wanted: Wanted, decision: Decision, run: Commands) -> Iterator[Action]:
    kept = cluster.lease.notes.get(NOTE_PROFILE)
    profile = PROFILES[wanted.pace] if decision.moves else ""
    if profile and cluster.profile != profile:
        steps = [] if kept is not None else [run.note(NOTE_PROFILE, cluster.profile or "-")]
        yield Action(
            KIND,
            "set",
            wanted.pace,
            steps=(*steps, run.ceph("config", "set", "osd", "osd_mclock_profile", profile)),
            before={"profile": cluster.profile},
            after={"profile": profile},
            provides=frozenset((SET,)),
            expects=(Expect("profile", cluster.name, profile),),
        )
    if kept is None and not (profile and cluster.profile != profile):
        return
    before = (kept if kept is not None else cluster.profile) or "-"
    restore = ("config", "rm", "osd", "osd_mclock_profile") if before == "-" else (
        "config", "set", "osd", "osd_mclock_profile", before,
    )  # fmt: skip
    yield Action(
        KIND,
        "restore",
        cluster.name,
        steps=(run.ceph(*restore), run.note(NOTE_PROFILE, None)),
        before={"profile": profile or cluster.profile},
        after={"profile": before.strip("-")},
        needs=frozenset((SET, DONE)),
        expects=(Expect("profile", cluster.name, before.strip("-")),),
    )
