# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Debian comes from on this machine, and which kernel and ZFS its newest release carries."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from barestore.lab.errors import LabError

SUITE = "trixie"
KERNEL_PACKAGE = "linux-image-cloud-amd64"
DEFAULT_MIRROR = "http://deb.debian.org/debian"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_URI = re.compile(r"(?:https?|file)://\S+/debian/?(?=\s|$)")


@dataclass(frozen=True)
class Versions:
    """What the image is made of; part of its key."""

    kernel: str  # 6.12.48+deb13-cloud-amd64
    kernel_version: str  # 6.12.48-1
    zfs: str  # 2.3.2-2


def mirror_in(sources: Iterable[str]) -> str | None:
    """The first Debian archive among apt source lines, one-line or deb822."""
    for line in sources:
        if line.startswith(("deb ", "deb\t", "URIs:")) and (found := _URI.search(line)):
            return found.group().rstrip("/")
    return None


def mirror() -> str:
    """The mirror to build from: the environment's, else this machine's own, else Debian's."""
    if chosen := os.environ.get("BARESTORE_DEBIAN_MIRROR"):
        return chosen.rstrip("/")
    folder = Path("/etc/apt")
    files = [folder / "sources.list", *sorted(folder.glob("sources.list.d/*"))]
    lines = [line for file in files if file.is_file() for line in file.read_text(errors="replace").splitlines()]
    return mirror_in(lines) or DEFAULT_MIRROR


def newest_versions(archive: str) -> Versions:
    """Ask the archive, with a private apt state: this machine's own lists are neither used nor changed."""
    with tempfile.TemporaryDirectory(prefix="barestore-apt-") as name:
        folder = Path(name)
        for part in ("lists/partial", "cache/archives/partial", "parts", "preferences"):
            (folder / part).mkdir(parents=True)
        (folder / "status").touch()
        line = f"deb [arch=amd64 signed-by={KEYRING}] {archive} {SUITE} main contrib\n"
        (folder / "sources.list").write_text(line)
        options = {
            "Dir::Etc::sourcelist": folder / "sources.list",
            "Dir::Etc::sourceparts": folder / "parts",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": folder / "preferences",
            "Dir::State::lists": folder / "lists",
            "Dir::State::status": folder / "status",
            "Dir::Cache": folder / "cache",
            "APT::Architecture": "amd64",
            "APT::Sandbox::User": "",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            "APT::Update::Error-Mode": "any",  # otherwise a mirror out of reach is only a warning
        }
        arguments = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
        _apt(["apt-get", *arguments, "-qq", "update"], archive)
        depends = _apt(["apt-cache", *arguments, "depends", KERNEL_PACKAGE], archive)
        found = re.search(r"Depends: linux-image-(\S+)", depends)
        if not found:
            raise LabError(f"{archive} names no kernel for {KERNEL_PACKAGE} of {SUITE}; is it a full mirror?")
        kernel = found.group(1)
        return Versions(
            kernel=kernel,
            kernel_version=_candidate(arguments, f"linux-image-{kernel}", archive),
            zfs=_candidate(arguments, "zfs-dkms", archive),
        )


def _candidate(arguments: list[str], package: str, archive: str) -> str:
    text = _apt(["apt-cache", *arguments, "policy", package], archive)
    found = re.search(r"Candidate: (\S+)", text)
    if not found or found.group(1) == "(none)":
        raise LabError(f"{archive} has no package {package} in {SUITE} main contrib; is it a full mirror?")
    return found.group(1)


def _apt(argv: list[str], archive: str) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    except FileNotFoundError as error:
        raise LabError("the image of the virtual host is built with apt, which this machine does not have") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise LabError(
            f"the package lists of {archive} could not be read ({last}); "
            "set BARESTORE_DEBIAN_MIRROR to a Debian mirror that this machine reaches"
        )
    return done.stdout
