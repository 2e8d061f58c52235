# SPDX-License-Identifier: GPL-3.0-or-later
"""What is printed where nobody watches: plain lines, or colours in the width that somebody asks for."""

from __future__ import annotations

import io

import pytest
from rich.text import Text

from barestore.screen import Screen


@pytest.mark.parametrize(
    ("told", "coloured", "width"),
    [
        ({}, False, 1000),
        ({"FORCE_COLOR": "1"}, False, 1000),
        ({"FORCE_COLOR": "1", "COLUMNS": "70"}, True, 70),
        ({"COLUMNS": "70"}, False, 1000),
    ],
)
def test_a_log_has_colours_only_with_a_width(
    monkeypatch: pytest.MonkeyPatch, told: dict[str, str], coloured: bool, width: int
) -> None:
    for name in ("FORCE_COLOR", "COLUMNS", "NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TERM", "xterm-256color")
    file = io.StringIO()
    screen = Screen(file=file)
    screen.show(Text("destroyed", "bold red"))
    assert ("\x1b[" in file.getvalue()) is coloured
    assert (screen.width, screen.live) == (width, False)
