# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the collection and tries it where nothing of this checkout can help.

usage: collection.py check|build|docs
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import site_pages as site
from shipped import ROOT, allowed, too_large

NAME = "barestore.storage"
MADE_BY_GALAXY = {"MANIFEST.json", "FILES.json"}


class Failed(Exception):
    pass


def run(*argv: str, cwd: Path, collections: Path | None = None) -> str:
    """Runs a tool of .venv with no configuration of this checkout or user, and only the given collections."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    env["ANSIBLE_CONFIG"] = str(ROOT / "tests/build/ansible.cfg")
    env["ANSIBLE_LOCALHOST_WARNING"] = "false"
    if collections:
        env["ANSIBLE_COLLECTIONS_PATH"] = str(collections)
    done = subprocess.run(
        [str(Path(sys.executable).parent / argv[0]), *argv[1:]],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Failed(f"{' '.join(argv)}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def build_tarball(output: Path) -> Path:
    if large := too_large():
        raise Failed(
            f"{len(large)} built or downloaded files are in the tree, such as {large[0]}: take them out of git"
        )
    run("ansible-galaxy", "collection", "build", "--force", "--output-path", str(output), cwd=ROOT)
    return next(output.glob("barestore-storage-*.tar.gz"))


def unexpected(tarball: Path) -> list[str]:
    with tarfile.open(tarball) as tar:
        names = {member.name for member in tar.getmembers() if not member.isdir()}
    missing = {"README.md", "LICENSE", "meta/runtime.yml"} - names
    return sorted(name for name in names - MADE_BY_GALAXY if not allowed(name)) + [
        f"{name} (missing)" for name in sorted(missing)
    ]


def modules() -> list[str]:
    return sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py") if path.stem != "__init__")


def check() -> str:
    with tempfile.TemporaryDirectory(prefix="barestore-galaxy-") as name:
        place = Path(name)
        tarball = build_tarball(place)
        if names := unexpected(tarball):
            raise Failed("the tarball differs from tests/build/allowed.txt:\n  " + "\n  ".join(names))
        installed = place / "empty"
        run("ansible-galaxy", "collection", "install", "--offline", "-p", str(installed), str(tarball), cwd=place)
        if not modules():
            return "built and installed; ansible-doc and the playbook wait for the first module"
        for module in modules():
            run("ansible-doc", "-t", "module", f"{NAME}.{module}", cwd=place, collections=installed)
        playbook = ROOT / "tests/build/fqcn.yml"
        shutil.copy(playbook, place)
        local = ("-i", "localhost,", "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}")
        run("ansible-playbook", *local, "fqcn.yml", cwd=place, collections=installed)
        return f"built, installed elsewhere, {len(modules())} modules documented, playbook ran"


def build() -> str:
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    tarball = build_tarball(dist)
    run("pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(dist), ".", cwd=ROOT)
    return f"{tarball.name} and {next(dist.glob('*.whl')).name} are in dist/"


def docs() -> str:
    roles = sorted(path.parent.parent.name for path in (ROOT / "roles").glob("*/meta/argument_specs.yml"))
    lookups = sorted(path.stem for path in (ROOT / "plugins/lookup").glob("*.py"))
    named = [("module", modules()), ("lookup", lookups), ("role", roles)]
    return site.build(run, [(kind, f"{NAME}.{name}") for kind, names in named for name in names])


def main() -> int:
    actions = {"check": check, "build": build, "docs": docs}
    if len(sys.argv) != 2 or sys.argv[1] not in actions:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        print(actions[sys.argv[1]]())
    except Failed as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
