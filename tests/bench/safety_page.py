# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts what was tried into docs/comparison.md, between its two marks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from guest import ROOT, Unmeasured
from safety_cases import Case
from safety_tries import SYSTEMS, Seen

PAGE = ROOT / "docs" / "comparison.md"
BEGIN, END = "<!-- tried: written by `SAFETY=write make bench ONLY=safety` -->", "<!-- tried: end -->"


def write(cases: Sequence[Case], seen: Sequence[Seen], versions: Sequence[str]) -> None:
    """Replace what is between the marks.

    :raises Unmeasured: the page has no marks.
    """
    text = PAGE.read_text()
    head, begin, rest = text.partition(BEGIN)
    _old, end, tail = rest.partition(END)
    if not (begin and end):
        raise Unmeasured(f"{PAGE.name} has not both marks, {BEGIN} and {END}")
    PAGE.write_text(f"{head}{BEGIN}\n\n{table(cases, seen)}\n\n{_sentence(versions)}\n\n{END}{tail}")


def table(cases: Sequence[Case], seen: Sequence[Seen]) -> str:
    """A row for each case, a column for each system; harm in bold letters first."""
    cells = {(one.tried.case.name, one.tried.letter): _cell(one) for one in seen}
    lines = [f"| tried | {' | '.join(SYSTEMS.values())} |", f"| --- |{' --- |' * len(SYSTEMS)}"]
    for case in cases:
        row = [cells.get((case.name, letter), "not tried") for letter in SYSTEMS]
        lines.append(f"| {case.what} | {' | '.join(row)} |")
    return "\n".join(lines)


def _cell(one: Seen) -> str:
    text = "; ".join([*(f"**{harm}**" for harm in one.harms), *one.rest])
    return text.replace("|", "\\|").replace("<", "&lt;")


def _sentence(versions: Sequence[str]) -> str:
    return f"Tried on {date.today().isoformat()} with {', '.join(versions)}."
