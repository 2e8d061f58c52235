# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws a plan, as ``barestore plan --out`` wrote it of a real host, into the SVG that the README shows."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

import barestore.commands  # noqa: F401  (makes the collection importable)
from barestore import planread, render

_WIDTH = 132
_THEME = TerminalTheme(
    (13, 17, 23),
    (201, 209, 217),
    [(72, 79, 88), (255, 123, 114), (63, 185, 80), (210, 153, 34), (88, 166, 255), (188, 140, 255), (57, 197, 207)]
    + [(177, 186, 196)],
)


def main(plan: Path, out: Path) -> None:
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True, highlight=False)
    console.print(Text("$ barestore plan", "dim"))
    for host in planread.read(plan).hosts.values():
        for part in render.one(host, _WIDTH):
            console.print(part)
    svg = console.export_svg(title="barestore plan", theme=_THEME)
    # No font from the network: what is installed does.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    out.write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
