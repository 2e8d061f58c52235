# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that take the writes to other files, by qemu-img."""

from __future__ import annotations

import subprocess
from pathlib import Path

from barestore.lab.errors import LabError


def overlay(base: Path, base_format: str, path: Path) -> None:
    """An empty file that takes the writes to ``base``, which stays as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _image(path, "create", "-q", "-f", "qcow2", "-b", str(base), "-F", base_format, str(path))


def commit(path: Path) -> None:
    """Put what an overlay holds into its base; the machine is off."""
    _image(path, "commit", "-q", str(path))


def _image(path: Path, *words: str) -> None:
    done = subprocess.run(["qemu-img", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"qemu-img could not {words[0]} {path}: {done.stderr.strip()}")
