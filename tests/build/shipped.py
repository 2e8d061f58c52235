# SPDX-License-Identifier: GPL-3.0-or-later
"""What belongs to the collection, as tests/build/allowed.txt says it."""

from __future__ import annotations

import subprocess
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LARGEST = 1024 * 1024


def patterns() -> list[str]:
    lines = (ROOT / "tests/build/allowed.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def allowed(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns())


def tracked() -> list[str]:
    """The files of the work tree that git tracks or would add; links are left out."""
    argv = ["git", "ls-files", "-coz", "--exclude-standard"]
    names = subprocess.run(argv, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return [name for name in names if name and (ROOT / name).is_file() and not (ROOT / name).is_symlink()]


def too_large() -> list[str]:
    """Nothing that a person wrote is this large: built or downloaded files that got in by accident."""
    return [name for name in tracked() if (ROOT / name).stat().st_size > LARGEST or name.endswith(".whl")]
