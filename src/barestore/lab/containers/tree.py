# SPDX-License-Identifier: GPL-3.0-or-later
"""The root that all nodes share below their overlays: built once, found again by the content of its recipe."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from barestore.lab import debian
from barestore.lab.building import Say, elapsed, package_names, recipe_hash, remove, run_script
from barestore.lab.files import cache_dir, locked

RECIPE = Path(__file__).parent / "recipe"
# Debian 12: its systemd is the last that runs where the machine has cgroup version 1.
SUITE = "bookworm"


@dataclass(frozen=True)
class Tree:
    """A built root; it is read and never written."""

    folder: Path

    @property
    def root(self) -> Path:
        """The lower folder of the nodes' overlays."""
        return self.folder / "root"

    @property
    def identity(self) -> Path:
        """The private key that root of a node accepts."""
        return self.folder / "id_ed25519"


def ensure(say: Say) -> Tree:
    """The root, built now if there is none of the current recipe."""
    tree = Tree(cache_dir() / "nodes" / _key())
    with locked(cache_dir() / "nodes.lock", lambda: say("waiting: another process builds the nodes' root")):
        if not (tree.folder / "tree.json").exists():
            _build(tree.folder, say)
    return tree


def _key() -> str:
    """Recipes, and the kernel where the root has a list of what is built into it."""
    texts = {file.name: file.read_text() for file in sorted(RECIPE.iterdir())}
    kernel = "" if Path("/proc/modules").exists() else platform.release()
    return recipe_hash({**texts, "suite": SUITE, "kernel": kernel})[:16]


def _build(folder: Path, say: Say) -> None:
    started = time.monotonic()
    archive = debian.mirror()
    say(f"building the root of the nodes once, about 1 to 4 minutes ({SUITE} from {archive})")
    log = cache_dir() / "logs" / f"nodes-{folder.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("")
    work = folder.with_name(f".building-{folder.name}")
    remove(work)  # of a build that was killed; we hold the lock
    work.mkdir(parents=True)
    key = work / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "barestore-lab", "-f", str(key)], check=True)
    settings = {
        "MIRROR": archive,
        "SUITE": SUITE,
        "PACKAGES": ",".join(package_names((RECIPE / "packages.txt").read_text())),
        "PUBLIC_KEY": f"{key}.pub",
        "RECIPE": str(RECIPE),
        "OUT": str(work),
    }
    try:
        run_script(RECIPE / "root.sh", settings, log, say, started)
        (work / "tree.json").write_text(json.dumps({"suite": SUITE, "mirror": archive, "built": time.time()}) + "\n")
        os.rename(work, folder)
        say(f"{elapsed(started)} root of the nodes ready in {folder}")
    finally:
        remove(work)
