# SPDX-License-Identifier: GPL-3.0-or-later
"""linux-system-roles.storage: the role as somebody has it, and the libraries that it needs on a virtual host.

No package client has the role (Galaxy does: ``ansible-galaxy role install linux-system-roles.storage``), so
``STORAGE_ROLE`` names its folder. blivet comes from PyPI and what lies under it from Debian; the role's own Debian 13
would take blivet from a repository of its author.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from guest import ROOT, Guest, Unmeasured, say

NAME = "linux-system-roles.storage"
LEFT_OUT = f"{NAME} was left out, since STORAGE_ROLE names no folder with it"
PACKAGES = (
    "gir1.2-blockdev-3.0",
    *(f"libblockdev-{plugin}3" for plugin in ("crypto", "dm", "fs", "lvm", "mdraid", "part", "swap")),
    *(f"python3-{library}" for library in ("blockdev", "bytesize", "dasbus", "gi", "packaging", "parted", "pyudev")),
)
_LIBRARIES = "/usr/local/lib/barestore-bench"
# What the host has decides which packages are missing; they are fetched here, since a host of the lab has no internet.
_FETCH = r"""
set -e
. "$ROOT/tests/setup/debian-mirror.sh"
mkdir -p state/lists/partial cache/archives/partial
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(debian_mirror) $SUITE main" >sources.list
apt() {
    apt-get -qq -y -o Dir::State="$PWD/state" -o Dir::State::status="$PWD/status" -o Dir::Cache="$PWD/cache" \
        -o Dir::Etc::SourceList="$PWD/sources.list" -o Dir::Etc::SourceParts=/dev/null -o APT::Architecture=amd64 \
        -o APT::Install-Recommends=false -o APT::Sandbox::User=root "$@"
}
apt update
apt --download-only install "$@"
"""
_INSTALL = f"""
set -e
mkdir -p /var/tmp/debs; base64 -d | tar -x -C /var/tmp/debs
dpkg --install /var/tmp/debs/*.deb
mkdir -p {_LIBRARIES}; python3 -m zipfile -e /var/tmp/debs/*.whl {_LIBRARIES}
echo {_LIBRARIES} >"$(python3 -c 'import site; print(site.getsitepackages()[0])')/bench.pth"
cd /; python3 -c 'import blivet'
"""


def folder() -> Path | None:
    """The role's folder, or nothing where nobody named one.

    :raises Unmeasured: there is no such role in the folder that ``STORAGE_ROLE`` names.
    """
    named = os.environ.get("STORAGE_ROLE")
    if not named:
        return None
    role = Path(named)
    if not (role.is_absolute() and (role / "library" / "blivet.py").is_file()):
        raise Unmeasured(f"STORAGE_ROLE is {named}, and that is no whole path of a folder with {NAME}; clone it there")
    return role


def install(host: Guest) -> None:
    """Put blivet, and all that it needs, on the host.

    :raises Unmeasured: a package cannot be had, or does not work.
    """
    say(f"installing what {NAME} needs on the host: minutes")
    place = host.vm.folder / "debs"
    place.mkdir()
    told = host.vm.ssh(". /etc/os-release; echo $VERSION_CODENAME; cat /var/lib/dpkg/status").stdout
    suite, _line, status = told.partition("\n")
    (place / "status").write_text(status)
    _run(["bash", "-c", _FETCH, "fetch", *PACKAGES], place, {"ROOT": str(ROOT), "SUITE": suite})
    archives = place / "cache" / "archives"
    _run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", str(archives), "blivet"], place, {})
    names = [path.name for path in archives.iterdir() if path.suffix in (".deb", ".whl")]
    tar = subprocess.run(["tar", "-c", "-C", str(archives), *names], capture_output=True, check=True).stdout
    done = host.vm.ssh(_INSTALL, input=base64.b64encode(tar).decode(), check=False)
    if done.returncode:
        raise Unmeasured(f"what {NAME} needs cannot be installed: {(done.stderr or done.stdout).strip()[-500:]}")


def versions(host: Guest, role: Path) -> Iterator[str]:
    """The role's and its libraries' versions, a few words each."""
    newest = re.search(r"^\[([0-9.]+)\]", (role / "CHANGELOG.md").read_text(), re.MULTILINE)
    yield f"{NAME} {newest[1] if newest else '?'}"
    yield "blivet " + host.vm.ssh("python3 -c 'import blivet; print(blivet.__version__)'").stdout.strip()
    yield host.vm.ssh("dpkg-query -W -f '${Package} ${Version}' libblockdev3").stdout.strip()


def _run(argv: list[str], place: Path, more: dict[str, str]) -> None:
    done = subprocess.run(argv, cwd=place, env={**os.environ, **more}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unmeasured(f"what {NAME} needs cannot be fetched: {(done.stderr or done.stdout).strip()[-500:]}")
