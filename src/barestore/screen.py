# SPDX-License-Identifier: GPL-3.0-or-later
"""Where text goes: a terminal with colours and its own width, or plain lines that no pipe breaks.

``FORCE_COLOR`` with ``COLUMNS`` gives a log the colours and the width of a terminal, and nothing that moves.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

from rich.console import Console, RenderableType
from rich.text import Text

_NO_LIMIT = 1000


class Screen:
    """Prints; on a terminal by rich, else without colours, wrapping or blanks at the end of lines."""

    def __init__(self, console: Console | None = None, file: TextIO | None = None) -> None:
        self._file = file
        self.console = console or Console(file=file, highlight=False, emoji=False, markup=False)

    @property
    def live(self) -> bool:
        """Whether somebody watches, with a terminal that can draw."""
        return self.console.is_terminal and self.console.file.isatty()

    @property
    def _drawn(self) -> bool:
        return self.live or (self.console.is_terminal and "COLUMNS" in os.environ)

    @property
    def width(self) -> int:
        return self.console.width if self._drawn else _NO_LIMIT

    def show(self, what: RenderableType = "") -> None:
        """Print one thing, and end the line."""
        if self._drawn:
            self.console.print(what, soft_wrap=isinstance(what, Text) and what.no_wrap is True)
            return
        buffer = io.StringIO()
        plain = Console(file=buffer, width=_NO_LIMIT, color_system=None, highlight=False, emoji=False, markup=False)
        plain.print(what)
        print("\n".join(row.rstrip() for row in buffer.getvalue().splitlines()), file=self._file, flush=True)


def say(text: str) -> None:
    """Progress and errors go to standard error: standard output is for results."""
    print(text, file=sys.stderr, flush=True)
