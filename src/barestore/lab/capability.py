# SPDX-License-Identifier: GPL-3.0-or-later
"""What this machine can do: its tools, QEMU's version, and whether KVM really runs the guest."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from barestore.lab import qemu
from barestore.lab.building import Say
from barestore.lab.errors import LabError
from barestore.lab.files import cache_dir, write_atomically
from barestore.lab.image import Image
from barestore.lab.machine import MIB

QEMU_MINIMUM = 8
INSTALL = "run tests/setup/lab-host.sh of the barestore repository, which installs it"
RUN_TOOLS = (qemu.BINARY, "qemu-img", "ssh", "ssh-keygen", "setpriv")
BUILD_TOOLS = ("mmdebstrap", "mke2fs", "cpio", "zstd", "xz", "busybox", "unshare", "apt-get")
_PROBE_LIMIT = 15.0


def require(*, build: bool) -> None:
    """Say in one sentence what is missing; ``build`` also asks for what makes an image."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    wanted = RUN_TOOLS + (BUILD_TOOLS if build else ())
    missing = [tool for tool in wanted if not shutil.which(tool, path=path)]
    if missing:
        raise LabError(f"the virtual host needs {', '.join(missing)}, not found on this machine; {INSTALL}")
    version = qemu_version()
    if int(version.split(".")[0]) < QEMU_MINIMUM:
        raise LabError(
            f"the virtual host needs QEMU {QEMU_MINIMUM} or later and this machine has {version}, "
            f"which crashes the guest's kernel; {INSTALL}"
        )


@cache
def qemu_version() -> str:
    """QEMU's version, such as 10.0.2."""
    done = subprocess.run([qemu.BINARY, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"version (\d+\.\d+\.\d+)", done.stdout)
    if not found:
        raise LabError(f"{qemu.BINARY} --version says nothing usable ({done.stderr.strip()[:200]}); {INSTALL}")
    return found.group(1)


def accelerator(image: Image, say: Say) -> str:
    """``kvm`` if the guest's kernel was seen to start under it, else ``tcg``; the answer is kept."""
    if chosen := os.environ.get("BARESTORE_LAB_ACCEL"):
        if chosen not in qemu.ACCELERATORS:
            raise LabError(
                f"BARESTORE_LAB_ACCEL is {chosen!r}; it can be {' or '.join(qemu.ACCELERATORS)}, or left out"
            )
        return chosen
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    asked = f"{platform.release()} {qemu_version()} {image.folder.name}"
    answers = cache_dir() / "accelerator.json"
    known: dict[str, str] = json.loads(answers.read_text()) if answers.exists() else {}
    if asked not in known:
        known = {asked: "kvm" if _kvm_boots(image) else "tcg"}
        if known[asked] == "tcg":
            say("/dev/kvm is there, but the guest's kernel does not start under it; emulating (slower)")
        write_atomically(answers, json.dumps(known) + "\n")
    return known[asked]


def _kvm_boots(image: Image) -> bool:
    """Start the kernel with an initrd that only says so and powers off: /dev/kvm existing proves nothing."""
    argv = qemu.kernel_argv(image, "kvm", 512 * MIB, 1, "console=ttyS0 rdinit=/probe panic=-1")
    try:
        done = subprocess.run(
            [*argv, "-no-reboot", "-serial", "stdio"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=_PROBE_LIMIT, check=False, cwd=Path("/"),
        )  # fmt: skip
    except subprocess.TimeoutExpired as expired:
        return b"barestore-lab-probe-ok" in (expired.stdout or b"")
    return b"barestore-lab-probe-ok" in done.stdout
