# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws what barestore showed of a real run into an SVG for the README.

usage: record.py OUT.svg plan:FILE...                   a plan file, drawn as ``barestore plan`` draws it
       record.py OUT.svg 'text:FILE:COMMAND'...         what a command printed, with its colours
"""

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


def main(out: Path, *parts: str) -> None:
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True, highlight=False)
    for part in parts:
        kind, _, told = part.partition(":")
        (_plan if kind == "plan" else _text)(console, told)
    svg = console.export_svg(title="barestore", theme=_THEME)
    # No font from the network: what is installed does.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    out.write_text(svg, encoding="utf-8")


def _plan(console: Console, path: str) -> None:
    console.print(Text("$ barestore plan", "dim"))
    for host in planread.read(Path(path)).hosts.values():
        for part in render.one(host, _WIDTH):
            console.print(part)


def _text(console: Console, told: str) -> None:
    path, _, command = told.partition(":")
    console.print(Text(f"$ {command}", "dim"))
    console.print(Text.from_ansi(Path(path).read_text(encoding="utf-8")))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
