# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest's image: built once from Debian packages, found again by the content of its recipe.

A folder of the cache holds ``root.ext4``, ``vmlinuz``, ``initrd``, the SSH key that opens the guest, and
``image.json``. The folder's name is the hash of the recipe (package list and scripts) and of the kernel and
ZFS versions. An image is used as long as its recipe is unchanged; the mirror is not asked for anything newer.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from barestore.lab import debian
from barestore.lab.building import Say, elapsed, package_names, recipe_hash, remove, run_script
from barestore.lab.files import cache_dir, locked

RECIPE = Path(__file__).parent / "recipe"
_PARTS = (
    "packages.txt",
    "root.sh",
)  # zfs-modules.sh has its own key: the modules outlive a change of the root


@dataclass(frozen=True)
class Image:
    """A built image; its files are read and never written."""

    folder: Path

    @property
    def root(self) -> Path:
        """The root file system."""
        return self.folder / "root.ext4"

    @property
    def kernel(self) -> Path:
        """The kernel, booted directly."""
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """What finds the root disk."""
        return self.folder / "initrd"

    @property
    def identity(self) -> Path:
        """The private key that root of the guest accepts."""
        return self.folder / "id_ed25519"


def image_key(recipe: str, versions: debian.Versions) -> str:
    """The name of the image: equal recipes and versions give equal names on any machine."""
    return recipe_hash({"recipe": recipe, **asdict(versions)})[:16]


def current_recipe() -> str:
    """The hash of the recipe that this barestore carries."""
    return recipe_hash({"suite": debian.SUITE, **{part: (RECIPE / part).read_text() for part in _PARTS}})


def find() -> Image | None:
    """The newest image of the current recipe, if one was built."""
    recipe = current_recipe()
    found = []
    for file in cache_dir().glob("images/*/image.json"):
        described = json.loads(file.read_text())
        if described["recipe"] == recipe:
            found.append((described["built"], file.parent))
    return Image(max(found)[1]) if found else None


def ensure(say: Say, *, refresh: bool = False) -> Image:
    """The image, built now if there is none; with ``refresh`` also if the mirror has newer versions."""
    if not refresh and (image := find()):
        return image
    with locked(cache_dir() / "image.lock", lambda: say("waiting: another process builds the image")):
        if not refresh and (image := find()):
            return image
        archive = debian.mirror()
        versions = debian.newest_versions(archive)
        recipe = current_recipe()
        folder = cache_dir() / "images" / image_key(recipe, versions)
        if (folder / "image.json").exists():
            return Image(folder)
        return _build(folder, recipe, archive, versions, say)


def _build(folder: Path, recipe: str, archive: str, versions: debian.Versions, say: Say) -> Image:
    say(f"building the image {folder.name} once, about 2 to 10 minutes (kernel {versions.kernel}, ZFS {versions.zfs})")
    log = cache_dir() / "logs" / f"image-{folder.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("")
    for stale in folder.parent.glob(".building-*"):  # of a build that was killed; we hold the lock
        remove(stale)
    work = folder.parent / f".building-{folder.name}"
    try:
        started = time.monotonic()
        os.rename(_fill(work, recipe, archive, versions, log, say, started), folder)
        say(f"{elapsed(started)} image ready in {folder}")
    finally:
        remove(work)
    return Image(folder)


def _fill(
    work: Path, recipe: str, archive: str, versions: debian.Versions, log: Path, say: Say, started: float
) -> Path:
    """A complete image in a folder of the work folder."""
    out = work / "out"
    out.mkdir(parents=True)
    settings = {
        "MIRROR": archive,
        "SUITE": debian.SUITE,
        "KERNEL": versions.kernel,
        "KERNEL_VERSION": versions.kernel_version,
        "ZFS_VERSION": versions.zfs,
        "PACKAGES": ",".join(package_names((RECIPE / "packages.txt").read_text())),
    }
    modules = _modules(versions, work, settings, log, say, started)
    key = out / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "barestore-lab", "-f", str(key)], check=True)
    places = {"MODULES": modules, "PUBLIC_KEY": f"{key}.pub", "WORK": work, "OUT": out}
    run_script(
        RECIPE / "root.sh", {**settings, **{name: str(path) for name, path in places.items()}}, log, say, started
    )
    described = {"recipe": recipe, "versions": asdict(versions), "mirror": archive, "built": time.time()}
    (out / "image.json").write_text(json.dumps(described, indent=2) + "\n")
    (out / "root.ext4").chmod(0o444)
    return out


def _modules(
    versions: debian.Versions, work: Path, settings: Mapping[str, str], log: Path, say: Say, started: float
) -> Path:
    """The tarball of ZFS modules, from the cache or compiled."""
    script = recipe_hash({"zfs-modules.sh": (RECIPE / "zfs-modules.sh").read_text()})[:8]
    tarball = cache_dir() / "zfs" / f"zfs-{versions.zfs}-{versions.kernel}-{script}.tar.zst"
    if tarball.exists():
        say(f"{elapsed(started)} ZFS modules are in the cache")
        return tarball
    tarball.parent.mkdir(parents=True, exist_ok=True)
    folder = work / "zfs"
    folder.mkdir()
    made = folder / "modules.tar.zst"
    run_script(RECIPE / "zfs-modules.sh", {**settings, "WORK": str(folder), "OUT": str(made)}, log, say, started)
    os.replace(made, tarball)
    return tarball
