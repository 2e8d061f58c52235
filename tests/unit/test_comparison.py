# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/comparison.md says of barestore: the tests that it names are there."""

from __future__ import annotations

import re
from pathlib import Path

_PAGE = Path(__file__).resolve().parents[2] / "docs/comparison.md"


def test_each_test_that_the_page_names_is_there() -> None:
    rows = [line for line in _PAGE.read_text().splitlines() if "](../tests/" in line]
    assert rows
    for row in rows:
        cell = row.split(" | ")[1]
        files = [(_PAGE.parent / path).resolve() for path in re.findall(r"\]\((\.\./tests/[^)]+)\)", cell)]
        defined = {name for file in files for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)}
        named = set(re.findall(r"`(test_\w+)`", cell))
        assert named and named <= defined, row
