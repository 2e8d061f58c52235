# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of verdicts is complete, says what is right, and is what the page shows."""

from __future__ import annotations

from tests.corpus import recordings, verdicts
from tests.corpus.recipes import RECIPES

ROWS = verdicts.load()


def test_each_image_has_its_verdict() -> None:
    assert list(ROWS) == list(RECIPES)
    assert len(ROWS) >= 80
    for name, row in ROWS.items():
        recipe = RECIPES[name]
        right = "blank" if not recipe.carries else "kept" if recipe.lost_members else "wiped"
        assert (row["verdict"], row["made_by"], row["family"]) == (right, recipe.made_by, recipe.family), name
        assert bool(row["seen"]) == recipe.carries and bool(row["inside"]) == recipe.partitions, name


def test_the_page_is_the_table() -> None:
    assert verdicts.PAGE.read_text() == verdicts.page(ROWS), "run python -m tests.corpus.verdicts"


def test_recordings_are_small_and_in_use() -> None:
    used = {one.base.removeprefix("recording:") for one in RECIPES.values() if one.base.startswith("recording:")}
    assert {path.stem for path in recordings.FOLDER.iterdir()} == used
    assert all(path.stat().st_size < 16 * 1024 for path in recordings.FOLDER.iterdir())
