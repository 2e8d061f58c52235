# SPDX-License-Identifier: GPL-3.0-or-later
"""The Job that wipes an OSD's disk, run as in its pod, on a device with the label that Ceph 20.2.4 wrote."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.cluster.state import Volume
from ansible_collections.barestore.storage.plugins.module_utils.cluster.wipe_job import job
from ansible_collections.barestore.storage.plugins.module_utils.host.state import Device
from tests.unit.plugins.module_utils.cluster import recorded

pytestmark = pytest.mark.loop

GIB = 1024**3
FSID, NUMBER, UUID = "fd999780-73c6-40af-8762-23a43a8da3dd", "8", "1ad4969f-6110-4e0c-9a21-801c0e365511"
LABEL = base64.b64decode((recorded.FOLDER / "label.b64").read_text())


def wipe(path: str, tmp_path: Path, fsid: str = FSID, number: str = NUMBER, uuid: str = UUID, serial: str = "") -> str:
    """What the Job says; an error is its exit code in front."""
    volume = Volume("v", "local-storage", "Released", GIB, "n", path, serial, "", "", "Retain")
    manifest = job(replace(recorded.cluster("drained"), fsid=fsid), volume, number, uuid)
    argv = manifest["spec"]["template"]["spec"]["containers"][0]["command"]
    argv[2] = argv[2].replace("/dev/termination-log", str(tmp_path / "termination-log"))
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.stdout.strip() if done.returncode == 0 else f"{done.returncode}: {done.stdout.strip()}"


@pytest.fixture
def disk(loop: Callable[..., Device]) -> str:
    """A disk with both labels that an OSD of 2 GiB has."""
    device = loop(2 * GIB)
    with open(device.path, "r+b") as handle:
        for offset in (0, GIB):
            handle.seek(offset)
            handle.write(LABEL)
    return device.path


def first(path: str, offset: int = 0) -> bytes:
    with open(path, "rb") as handle:
        handle.seek(offset)
        return handle.read(4096)


def test_the_disk_of_exactly_this_osd_is_wiped_and_a_second_try_ends_well(disk: str, tmp_path: Path) -> None:
    assert wipe(disk, tmp_path) == "wiped"
    assert not any(first(disk)) and not any(first(disk, GIB))
    assert wipe(disk, tmp_path) == "was empty"


@pytest.mark.parametrize(
    "other",
    [
        {"number": "7"},
        {"uuid": UUID.replace("1", "2")},
        {"fsid": FSID.replace("f", "e")},
        {"serial": "ZL2A0B1C"},
    ],
    ids=["number", "uuid", "cluster", "serial"],
)
def test_any_other_osd_or_disk_is_left_as_it_is(other: dict[str, str], disk: str, tmp_path: Path) -> None:
    said = wipe(disk, tmp_path, **other)
    assert said.startswith("1: ") and disk in said
    assert (tmp_path / "termination-log").read_text() in said
    assert first(disk) == LABEL and first(disk, GIB) == LABEL


def test_a_copy_of_another_osds_label_further_inside_is_enough(disk: str, tmp_path: Path) -> None:
    with open(disk, "r+b") as handle:
        handle.seek(GIB)
        handle.write(LABEL.replace(UUID.encode(), UUID.replace("1", "2").encode()))
    assert "at 1073741824" in wipe(disk, tmp_path)
    assert first(disk) == LABEL


def test_something_else_on_the_disk_is_left_as_it_is(loop: Callable[..., Device], tmp_path: Path) -> None:
    path = loop(2 * GIB).path
    subprocess.run(["mkfs.ext4", "-q", "-F", path], check=True)
    assert "carries something, and no label of a Ceph OSD" in wipe(path, tmp_path)
    assert any(first(path))


def test_a_disk_in_use_is_left_as_it_is(disk: str, tmp_path: Path) -> None:
    holder = os.open(disk, os.O_RDWR | os.O_EXCL)
    try:
        assert "cannot be had alone" in wipe(disk, tmp_path)
    finally:
        os.close(holder)
    assert first(disk) == LABEL
