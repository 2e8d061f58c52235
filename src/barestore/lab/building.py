# SPDX-License-Identifier: GPL-3.0-or-later
"""Running the scripts that build an image or a root: their steps to the person, everything to a log."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from barestore.lab.errors import LabError

Say = Callable[[str], None]


def package_names(text: str) -> tuple[str, ...]:
    """The package names in a recipe's list."""
    return tuple(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))


def recipe_hash(texts: Mapping[str, str]) -> str:
    """A hash of the recipe's parts by name."""
    return hashlib.sha256(json.dumps(dict(texts), sort_keys=True).encode()).hexdigest()


def elapsed(started: float) -> str:
    """``[2:05]`` since a moment of the monotonic clock."""
    seconds = int(time.monotonic() - started)
    return f"[{seconds // 60}:{seconds % 60:02d}]"


def remove(folder: Path) -> None:
    """Remove a build folder; parts of it belong to root."""
    if not folder.exists():
        return
    if os.getuid() == 0:
        shutil.rmtree(folder)
    else:
        subprocess.run(["sudo", "rm", "-rf", "--one-file-system", "--", str(folder)], check=True)


def run_script(script: Path, settings: Mapping[str, str], log: Path, say: Say, started: float) -> None:
    """Run one script of a recipe as root; it writes below the folder that its setting OUT names.

    :raises LabError: it failed; the sentence names the log.
    """
    variables = [f"{key}={value}" for key, value in {"LC_ALL": "C.UTF-8", **settings}.items()]
    # In a mount namespace of its own: whatever a broken build left mounted is gone with it.
    argv = _as_root(["unshare", "--mount", "env", *variables, "bash", str(script)])
    with log.open("a") as record:
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        assert process.stdout is not None
        try:
            for line in process.stdout:
                record.write(line)
                record.flush()
                if line.startswith("== "):
                    say(f"{elapsed(started)} {line[3:].strip()}")
        except BaseException:
            process.terminate()
            process.wait()
            raise
        code = process.wait()
    if os.getuid() != 0:
        owner = f"{os.getuid()}:{os.getgid()}"
        subprocess.run(["sudo", "chown", "-R", owner, settings["OUT"]], check=False)
    if code:
        raise LabError(
            f"the image could not be built: {script.name} ended with code {code}; the reason is at the end of {log}"
        )


def _as_root(argv: list[str]) -> list[str]:
    return argv if os.getuid() == 0 else ["sudo", *argv]
