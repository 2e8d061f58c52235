# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix of degraded pools: what is planned, or why not, as a text that a person reviews."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host.zfs import health
from ansible_collections.barestore.storage.plugins.module_utils.host.zfs.status import Vdev
from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Command, Plan
from tests.unit.plugins.module_utils.host.zfs.degraded import ASKED, CASES, DISTRIBUTED, KINDS, Case, links, planned

GOLDEN = Path(__file__).parents[4] / "cases" / "zfs_degraded.txt"
PAGE = Path(__file__).parents[6] / "docs" / "zfs-degraded.md"
HERE = "python -m tests.unit.plugins.module_utils.host.zfs.test_zfs_degraded"
MATRIX = [(kind, case) for kind in KINDS for case in CASES]
MATRIX.append(("draid1", DISTRIBUTED))


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


def page() -> Iterator[str]:
    """The same as one table: a row for each state, a column for each request, layouts that agree together."""
    yield from _HEAD
    yield "| H02 is | " + " | ".join(ASKED) + " |"
    yield "| --- |" + " --- |" * len(ASKED)
    for case in dict.fromkeys(case for _kind, case in MATRIX):
        cells = [_cell([(kind, planned(kind, asked, case)) for kind, one in MATRIX if one is case]) for asked in ASKED]
        yield f"| {case.name} | " + " | ".join(cells) + " |"


_HEAD = (
    "# Pools that are not well, and what is planned for them",
    "",
    "Written from the planner; [ZFS](zfs.md) tells the rules. The pool has the disks H01 to H04, as two mirrors, one",
    "raidz1, raidz2, raidz3, or a dRAID with a distributed spare; a mirrored log, and the spare H09. What is not said",
    "of one layout holds for all. Sentences are cut short here; the table of the tests,",
    "[zfs_degraded.txt](../tests/unit/cases/zfs_degraded.txt), has them whole. The rows of `zpool status` that it is",
    "made from are those of recordings; where there is none, the words are those of ZFS's source. To write both anew:",
    "",
    f"    {HERE}",
    "",
)


def _cell(plans: list[tuple[str, Plan]]) -> str:
    told: dict[str, list[str]] = {}
    for kind, plan in plans:
        told.setdefault("<br>".join(_brief(line) for line in _told(plan)), []).append(kind)
    if len(told) == 1:
        return next(iter(told))
    return "<br>".join(f"{', '.join(kinds)}: {text}" for text, kinds in told.items())


def _brief(line: str) -> str:
    line = _short(line)
    if not line.startswith("refused: "):
        return line if line == "nothing" else f"`{line.replace(' -o ashift=12', '')}`"
    clause = re.sub(r" \([^)]*\)", "", line.removeprefix("refused: ").partition(";")[0]).partition(", and this must")[0]
    clause = clause.removeprefix("pool tank: ").removeprefix("disk group 'pool': ")
    if "nobody consented" in line:
        return "wants a consent"
    return f"refused: {clause.partition(', so nothing')[0]}"


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
    assert PAGE.read_text().splitlines() == list(page()), f"look at the difference, and run: {HERE}"


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


@pytest.mark.parametrize(
    ("serial", "named"),
    [
        ("H02", "H02"),
        ("wwn-0x5000c5000000000b", "0x5000c5000000000b"),
        ("nvme-eui.0025385b71b0d2a1", "eui.0025385b71b0d2a1"),
        ("nvme-nvme.1b36-4431-5445-00000001", "nvme.1b36-4431-5445-00000001"),
    ],
)
def test_a_disk_that_goes_by_its_link_is_told_as_replace_takes_it(serial: str, named: str) -> None:
    """Among disks that share a serial number, each goes by its link."""
    device = SimpleNamespace(path="/dev/disk/by-id/x", title="disk", serial=serial, resource="disk:x")
    block = SimpleNamespace(at=lambda _path: SimpleNamespace(children=(), content="", content_uuid=""), get={}.get)
    there = SimpleNamespace(target="pool tank", block=block, properties={"guid": "1"})
    gone = Vdev("1618", "UNAVAIL")
    (note,) = health._note(there, gone, gone, device)  # type: ignore[arg-type]
    assert note.message.endswith(f"write replace: {{{named}: {named}}} in its disk group")


if __name__ == "__main__":
    for path, text in ((GOLDEN, lines()), (PAGE, page())):
        path.write_text("".join(f"{line}\n" for line in text))
