# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop devices of a node that ended: its own and those that kubelet put over them go, those of others stay."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host.state import Device
from barestore.lab.containers.disks import Disks
from barestore.lab.machine import Disk

pytestmark = pytest.mark.loop

MIB = 1024**2


def over(device: str) -> str:
    """A loop device over another one, as kubelet makes it for a block volume."""
    argv = ["losetup", "--find", "--show", device]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def in_use(device: str) -> bool:
    return Path(f"/sys/block/{Path(device).name}/loop").exists()


def test_what_kubelet_left_goes_with_the_disks(tmp_path: Path, loop: Callable[..., Device]) -> None:
    disks = Disks(tmp_path / "disks")
    disks.folder.mkdir()
    own = f"/dev/{disks.attach(Disk(serial='S1', type='hdd', size=64 * MIB, slot=0))}"
    others = loop(64 * MIB).path
    left, kept = over(own), over(others)
    try:
        disks.detach()
        assert [in_use(one) for one in (own, left, others, kept)] == [False, False, True, True]
    finally:
        for one in (left, own, kept):
            subprocess.run(["losetup", "--detach", one], check=False, capture_output=True)
