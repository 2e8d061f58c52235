# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts what was tried into docs/comparison.md, between its two marks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from guest import ROOT, Unmeasured
from safety_cases import CASES
from safety_tries import SYSTEMS, Seen

PAGE = ROOT / "docs" / "comparison.md"
BEGIN, END = "<!-- tried: written by `SAFETY=write make bench ONLY=safety` -->", "<!-- tried: end -->"
TRIED = "Tried ("


def write(seen: Sequence[Seen], versions: Sequence[str]) -> None:
    """Replace what is between the marks; what was not tried keeps its cell, and its line of versions.

    :raises Unmeasured: the page has no marks.
    """
    text = PAGE.read_text()
    head, begin, rest = text.partition(BEGIN)
    old, end, tail = rest.partition(END)
    if not (begin and end):
        raise Unmeasured(f"{PAGE.name} has not both marks, {BEGIN} and {END}")
    cells = _cells(old) | {(one.tried.case.what, one.tried.system): _cell(one) for one in seen}
    lines = [f"| tried | {' | '.join(SYSTEMS.values())} |", f"| --- |{' --- |' * len(SYSTEMS)}"]
    for what in (case.what for case in CASES):
        row = [cells.get((what, system), "not tried") for system in SYSTEMS.values()]
        lines.append(f"| {what} | {' | '.join(row)} |")
    systems = ", ".join(dict.fromkeys(one.tried.system for one in seen))
    told = {_whom(line): line for line in old.splitlines() if line.startswith(TRIED)}
    told |= {systems: f"{TRIED}{systems}), last on {date.today().isoformat()} with {', '.join(versions)}."}
    PAGE.write_text("\n\n".join([head + BEGIN, "\n".join(lines), *told.values(), end + tail]))


def _cells(table: str) -> dict[tuple[str, str], str]:
    """The cells of a table that was written before, by case and system."""
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ") and "---" not in line]
    systems = rows[0][1:] if rows else []
    return {(what, system): cell for what, *row in rows[1:] for system, cell in zip(systems, row, strict=True)}


def _whom(line: str) -> str:
    return line.removeprefix(TRIED).partition(")")[0]


def _cell(one: Seen) -> str:
    """Harm in bold letters first."""
    text = "; ".join([*(f"**{harm}**" for harm in one.harms), *one.rest])
    return text.replace("|", "\\|").replace("<", "&lt;")
