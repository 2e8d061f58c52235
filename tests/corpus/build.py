# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the images of the corpus from their recipes, as sparse files. Needs root, for loop devices.

usage: python -m tests.corpus.build FOLDER [NAME...]
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.corpus import recordings
from tests.corpus.recipes import RECIPES, Recipe

_STEPS = Path(__file__).resolve().parent / "steps.sh"
_RECORDING = "recording:"
_SUM = re.compile(r"\$\(\(.*?\)\)")
_WORDS = re.compile(r"(?:^|[;(|] *|&& )([a-z][\w.-]*)")
_FUNCTIONS = {"luks": "cryptsetup", "osd": "ceph-osd", "partition": "sfdisk"}
_PLAIN = {"for", "do", "done", "disk", "other", "zero", "flip", "copy", "fill", "paste_at", "random", "tree"}


class Unbuildable(Exception):
    """A tool that an image needs is not on this machine."""


def tools(recipe: Recipe) -> frozenset[str]:
    """The programs that its steps and those of its bases start."""
    below = tools(RECIPES[recipe.base]) if recipe.base in RECIPES else frozenset()
    return below | {_FUNCTIONS.get(one, one) for one in _WORDS.findall(_SUM.sub("", recipe.steps)) if one not in _PLAIN}


class Builder:
    """Makes images when they are asked for, each once; they are only read afterwards."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def image(self, name: str) -> Path:
        """The file of an image.

        :raises Unbuildable: one of its tools is missing.
        :raises RuntimeError: one of its steps failed, with its words.
        """
        path = self.folder / name
        if not path.exists():
            recipe = RECIPES[name]
            lacking = sorted(one for one in tools(recipe) if shutil.which(one) is None)
            if lacking:
                raise Unbuildable(f"{', '.join(lacking)} is not on this machine: tests/setup/loop-host.sh says why")
            half = path.with_name(f".{name}")
            self._start(recipe, half)
            if recipe.steps:
                _run(recipe, half)
            if recipe.cut:
                os.truncate(half, recipe.cut)
            half.rename(path)
        return path

    def _start(self, recipe: Recipe, path: Path) -> None:
        if recipe.base.startswith(_RECORDING):
            size = recipe.size if recipe.start else 0
            recordings.replay(recipe.base.removeprefix(_RECORDING), path, recipe.start, size)
        elif recipe.base:
            copy(self.image(recipe.base), path)
        else:
            with path.open("wb") as handle:
                handle.truncate(recipe.size)


def copy(image: Path, path: Path) -> None:
    subprocess.run(["cp", "--sparse=always", str(image), str(path)], check=True)


@contextmanager
def attached(path: Path, sector: int = 512, offset: int = 0, size: int = 0, *options: str) -> Iterator[str]:
    """The loop device of a file, or of ``size`` bytes of it, by its node."""
    argv = ["losetup", "--find", "--show", "--partscan", "--sector-size", str(sector)]
    argv += ["--offset", str(offset), "--sizelimit", str(size), *options, str(path)]
    node = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
    try:
        yield node
    finally:
        subprocess.run(["losetup", "--detach", node], check=True)


def _run(recipe: Recipe, path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, attached(path, recipe.sector) as node:
        environment = {
            **os.environ,
            "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin",
            "disk": node,
            "size": str(path.stat().st_size),
            "folder": folder,
        }
        argv = ["bash", "-c", f". {_STEPS}\n{recipe.steps}"]
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise RuntimeError(f"{recipe.name}: {recipe.steps}\n{done.stdout}{done.stderr}")


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    builder = Builder(folder)
    for name in sys.argv[2:] or RECIPES:
        try:
            print(builder.image(name))
        except (Unbuildable, RuntimeError) as trouble:
            print(trouble, file=sys.stderr)


if __name__ == "__main__":
    main()
