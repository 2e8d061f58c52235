# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the bed keeps what it built: below the lab's cache, each thing under the hash of its recipe."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from barestore.lab.files import cache_dir, locked

CACHE = cache_dir().parent / "cluster"


def built(kind: str, recipe: str, build: Callable[[Path], None]) -> Path:
    """The folder that ``build`` filled for this recipe; it is called when there is none, and once at a time.

    A build that fails leaves nothing behind, so that the next one starts anew.
    """
    folder = CACHE / kind / hashlib.sha256(recipe.encode()).hexdigest()[:16]
    with locked(folder.parent / f"{folder.name}.lock"):
        if not folder.exists():
            work = folder.with_name(f".building-{folder.name}")
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True)
            build(work)
            os.rename(work, folder)
    return folder
