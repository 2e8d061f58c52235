# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts what was tried into docs/comparison.md, between its two marks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from guest import ROOT, Unmeasured
from safety_cases import CASES, Case
from safety_tries import SYSTEMS, Seen

PAGE = ROOT / "docs" / "comparison.md"
BEGIN, END = "<!-- tried: written by `SAFETY=write make bench ONLY=safety` -->", "<!-- tried: end -->"


def write(cases: Sequence[Case], seen: Sequence[Seen], versions: Sequence[str]) -> None:
    """Replace what is between the marks; cases that were not tried keep their rows.

    :raises Unmeasured: the page has no marks.
    """
    text = PAGE.read_text()
    head, begin, rest = text.partition(BEGIN)
    old, end, tail = rest.partition(END)
    if not (begin and end):
        raise Unmeasured(f"{PAGE.name} has not both marks, {BEGIN} and {END}")
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in old.splitlines() if line.startswith("| ")}
    rows |= {case.what: _line(case, seen) for case in cases}
    lines = [f"| tried | {' | '.join(SYSTEMS.values())} |", f"| --- |{' --- |' * len(SYSTEMS)}"]
    lines += [rows[case.what] for case in CASES if case.what in rows]
    told = f"Tried on {date.today().isoformat()} with {', '.join(versions)}."
    PAGE.write_text("\n\n".join([head + BEGIN, "\n".join(lines), told, end + tail]))


def _line(case: Case, seen: Sequence[Seen]) -> str:
    """A row: a column for each system."""
    cells = {one.tried.letter: _cell(one) for one in seen if one.tried.case is case}
    return f"| {case.what} | {' | '.join(cells.get(letter, 'not tried') for letter in SYSTEMS)} |"


def _cell(one: Seen) -> str:
    """Harm in bold letters first."""
    text = "; ".join([*(f"**{harm}**" for harm in one.harms), *one.rest])
    return text.replace("|", "\\|").replace("<", "&lt;")
