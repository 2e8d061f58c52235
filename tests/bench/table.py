# SPDX-License-Identifier: GPL-3.0-or-later
"""The one table of the bench: on a terminal, as plain lines when piped, as JSON and as Markdown."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

HEADS = ("what", "hold", "measured", "result")


@dataclass(frozen=True)
class Row:
    """One number: ``result`` is ``holds``, ``does not hold``, or a remark where nothing is to hold."""

    section: str
    what: str
    hold: str
    measured: str
    result: str = ""

    @property
    def cells(self) -> tuple[str, str, str, str]:
        return self.what, self.hold, self.measured, self.result


def verdict(good: bool, detail: str = "") -> str:
    """``holds`` or ``does not hold``, with a detail such as a ratio."""
    word = "holds" if good else "DOES NOT HOLD"
    return f"{word} ({detail})" if detail else word


def show(rows: Sequence[Row]) -> None:
    """Print the table; columns as wide as they need when no terminal sets a width."""
    if not sys.stdout.isatty():
        lines = [HEADS, *(row.cells for row in rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(HEADS))]
        for line in lines:
            print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
        return
    table = Table(*HEADS, title="barestore bench")
    section = ""
    for row in rows:
        if section and row.section != section:
            table.add_section()
        section = row.section
        colour = "red" if row.result.startswith("DOES NOT") else "green" if row.result.startswith("holds") else ""
        table.add_row(*row.cells[:3], f"[{colour}]{row.result}[/{colour}]" if colour else row.result)
    Console().print(table)


def keep(rows: Sequence[Row], notes: Sequence[str], folder: Path) -> None:
    """Write ``bench.json`` and ``bench.md``, the form in which the documentation has it."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = {"rows": [asdict(row) for row in rows], "notes": list(notes)}
    (folder / "bench.json").write_text(json.dumps(kept, indent=2) + "\n")
    lines = [f"| {' | '.join(HEADS)} |", "| --- | --- | --- | --- |"]
    lines += [f"| {' | '.join(cell.replace('|', '/') for cell in row.cells)} |" for row in rows]
    lines += ["", *(f"- {note}" for note in notes)]
    (folder / "bench.md").write_text("\n".join(lines) + "\n")
