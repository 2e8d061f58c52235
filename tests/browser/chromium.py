# SPDX-License-Identifier: GPL-3.0-or-later
"""The browser of this machine, without anything that would reach the network."""

from __future__ import annotations

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def found() -> str:
    """Its path; tests/setup/browser-host.sh installs one."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    raise FileNotFoundError("no Chromium; run tests/setup/browser-host.sh")
