# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix of degraded pools: what is planned, or why not, as a text that a person reviews."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Command, Plan
from tests.unit.plugins.module_utils.host.zfs.degraded import ASKED, CASES, KINDS, Case, links, planned

GOLDEN = Path(__file__).parents[4] / "cases" / "zfs_degraded.txt"
HERE = "python -m tests.unit.plugins.module_utils.host.zfs.test_zfs_degraded"
MATRIX = [(kind, case) for kind in KINDS for case in CASES]


def lines() -> Iterator[str]:
    yield "# What is planned for a pool whose second disk, H02, is in some state; H09 is its spare."
    yield f"# Written by: {HERE}"
    for kind, case in MATRIX:
        yield from ("", f"## {kind}, H02: {case.name}")
        for asked in ASKED:
            plan = planned(kind, asked, case)
            yield f"{asked}:"
            yield from (f"    {_short(line)}" for line in _told(plan))
            if asked == "as it is":
                yield from (f"    note: {_short(note)}" for note in plan.notes)


def _told(plan: Plan) -> Iterator[str]:
    for refusal in plan.refusals:
        yield f"refused: {refusal.sentence()}"
    for action in plan.actions:
        yield from (" ".join(step.argv) for step in action.steps if isinstance(step, Command))
    if not plan.refusals and not any(action.kind == "zfs_pool" for action in plan.actions):
        yield "nothing"


def _short(text: str) -> str:
    for serial, link in links().items():
        text = text.replace(link, serial)
    return text.replace("/dev/disk/by-id/", "").replace("nvme-QEMU_NVMe_Ctrl_", "").partition("; to consent")[0]


def test_the_table_is_what_was_reviewed() -> None:
    assert GOLDEN.read_text().splitlines() == list(lines()), f"look at the difference, and run: {HERE}"


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize(("kind", "case"), MATRIX, ids=lambda value: getattr(value, "name", value))
def test_nothing_is_added_twice_or_removed_unasked(kind: str, case: Case, asked: str) -> None:
    plan = planned(kind, asked, case)
    for action in plan.actions:
        if action.verb == "add":
            assert asked == "a vdev more" and case.name in ("online", "replaced")
        if action.verb in ("remove", "detach"):
            assert action.irreversible
        assert action.verb not in ("remove", "detach", "create", "import"), "needs a consent that nobody gave"


if __name__ == "__main__":
    GOLDEN.write_text("".join(f"{line}\n" for line in lines()))
