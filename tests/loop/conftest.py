# SPDX-License-Identifier: GPL-3.0-or-later
"""Loop devices as disks, and a private view of mounts and of /etc, so that this machine's fstab is never touched."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host.state import Device

_NEW_MOUNT_NAMESPACE = 0x00020000
MIB = 1024**2


@pytest.fixture(scope="session", autouse=True)
def private_etc(tmp_path_factory: pytest.TempPathFactory) -> None:
    """This process leaves the machine's mounts, and gets a copy of /etc with an empty fstab."""
    if os.geteuid() != 0:
        pytest.skip("loop devices need root")
    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_MOUNT_NAMESPACE) != 0:
        raise OSError(ctypes.get_errno(), "a mount namespace of its own")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    copy = tmp_path_factory.mktemp("etc")
    shutil.copytree("/etc", copy, symlinks=True, dirs_exist_ok=True)
    (copy / "fstab").write_text("# nothing yet\n")
    subprocess.run(["mount", "--bind", str(copy), "/etc"], check=True)


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Callable[..., Device]]:
    """``loop(size, sector=512)``: a blank disk of that size in bytes, as a device that a document's ``disk`` means."""
    made: list[str] = []

    def attach(size: int, sector: int = 512) -> Device:
        image = tmp_path / f"disk{len(made)}"
        with image.open("wb") as handle:
            handle.truncate(size)
        argv = ["losetup", "--find", "--show", "--sector-size", str(sector), str(image)]
        path = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
        made.append(path)
        return Device("disk", path, f"disk:{image.name}", size, sector, (image.name,), image.name, True, image.name)

    yield attach
    for path in made:
        number = os.stat(path).st_rdev
        if not Path("/run/udev/control").exists():
            Path(f"/run/udev/data/b{os.major(number)}:{os.minor(number)}").unlink(missing_ok=True)
        subprocess.run(["swapoff", path], check=False, capture_output=True)
        subprocess.run(["umount", path], check=False, capture_output=True)
        subprocess.run(["losetup", "--detach", path], check=True)
