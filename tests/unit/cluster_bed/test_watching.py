# SPDX-License-Identifier: GPL-3.0-or-later
"""What the samples of the cluster tests must not show."""

from __future__ import annotations

from typing import Any

from tests.cluster.watching import judge, most


def sample(up: list[int], state: str, acting: list[int], at: float = 0.0) -> dict[str, Any]:
    return {
        "at": at, "up": up, "sizes": {"1": 2}, "groups": [["1.0", state, acting]], "degraded": 0, "misplaced": 0,
    }  # fmt: skip


CLEAN = sample([0, 1, 2], "active+clean", [0, 1])
MOVING = sample([0, 1, 2], "active+remapped+backfilling", [1, 2])


def test_copies_on_an_osd_that_empties_count_while_it_runs() -> None:
    assert (
        judge(
            [CLEAN, MOVING, sample([0, 1, 2], "active+clean+scrubbing", [1, 2]), sample([1, 2], "active+clean", [1, 2])]
        )
        == []
    )


def test_an_osd_that_stops_too_early_is_seen_by_the_copies_and_by_the_stop() -> None:
    wrong = judge([CLEAN, MOVING, sample([1, 2], "active+undersized", [1, 2], 7)])
    assert wrong == [
        "7: 1.0 is active+undersized with 1 whole copies of 2",
        "7: [0] stopped while 1 placement groups were not clean",
    ]


def test_the_longest_gap_between_samples_is_told() -> None:
    assert most([CLEAN, {**MOVING, "at": 1.0}, {**CLEAN, "at": 4.5}]) == {
        "samples": 3, "unclean": 1, "degraded": 0, "misplaced": 0, "gap": 3.5,
    }  # fmt: skip
