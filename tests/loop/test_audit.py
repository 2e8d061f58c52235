# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit of a host, on real devices: what it reads of them, and each sign of two owners that they can give."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.cluster.audit import probe as probing
from ansible_collections.barestore.storage.plugins.module_utils.cluster.audit.facts import host_facts
from ansible_collections.barestore.storage.plugins.module_utils.cluster.audit.findings import findings
from ansible_collections.barestore.storage.plugins.module_utils.cluster.state import Volume
from ansible_collections.barestore.storage.plugins.module_utils.host.state import Device
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner
from tests.loop.test_osd_wipe import LABEL, UUID
from tests.unit.plugins.module_utils.cluster import recorded

pytestmark = pytest.mark.loop

MIB = 1024**2


class Host:
    """A host with two disks, each offered once by a link as ``host_storage`` makes it."""

    def __init__(self, folder: Path, loop: Callable[..., Device]) -> None:
        self.folder = folder
        self.disks = [loop(64 * MIB).path, loop(64 * MIB).path]
        self.volumes: dict[str, Volume] = {}
        for number, path in enumerate(self.disks):
            self.offer(f"v{number}", f"osd/wwn-0x{number}", path)

    def offer(self, name: str, leaf: str, device: str) -> None:
        link = self.folder / leaf
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(device)
        self.volumes[name] = Volume(name, "s", "Available", 1, "ss1", str(link), "", "", "", "Retain")

    def found(self, fsid: str = "") -> list[str]:
        seen = recorded.cluster("busy")
        cluster = replace(seen, volumes=self.volumes, claims={}, fsid=fsid or seen.fsid, serials={})
        told = findings([cluster], [], [host_facts(probing.probe(Runner(), "ss1"))])
        # This machine may have other devices with labels.
        return [one.code for one in told if re.sub(r"(?<=\d)p1$", "", one.target.split()[-1]) in self.disks]


@pytest.fixture
def host(tmp_path: Path, loop: Callable[..., Device], monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(probing, "VOLUMES", f"{tmp_path}/volumes/*/*")
    return Host(tmp_path / "volumes", loop)


@pytest.fixture
def holds(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Something named ceph-osd has a device open."""
    program = tmp_path / "ceph-osd"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    running: list[subprocess.Popen[bytes]] = []

    def hold(device: str) -> None:
        handle = os.open(device, os.O_RDWR)
        running.append(subprocess.Popen([str(program), "600"], stdin=handle))
        os.close(handle)
        while Path(f"/proc/{running[-1].pid}/comm").read_text() != "ceph-osd\n":
            time.sleep(0.01)

    yield hold
    for one in running:
        one.kill()
        one.wait()


def test_nothing_is_found_on_a_clean_host(host: Host, holds: Callable[[str], None]) -> None:
    holds(host.disks[0])
    assert host.found() == []


def test_a_second_name_of_one_disk(host: Host) -> None:
    host.offer("alias", "other/pci-0000-scsi-1", host.disks[1])
    assert host.found() == ["volume_shared"]


def test_a_disk_and_its_partition(host: Host) -> None:
    disk = host.disks[1]
    subprocess.run(["sfdisk", "--quiet", "--no-reread", disk], input="label: gpt\n,,\n", text=True, check=True)
    subprocess.run(["partx", "--add", disk], check=True)
    part = f"{disk}p1"
    try:
        if not Path(part).exists():
            major, minor = Path(f"/sys/class/block/{Path(part).name}/dev").read_text().split(":")
            os.mknod(part, 0o600 | 0o060000, os.makedev(int(major), int(minor)))
        host.offer("part", "other/by-path-part1", part)
        assert host.found() == ["volume_nested"]
    finally:
        subprocess.run(["partx", "--delete", disk], check=True)
        Path(part).unlink(missing_ok=True)


def test_a_label_of_another_cluster_or_of_another_osd(host: Host) -> None:
    write(host.disks[0], LABEL)
    assert host.found() == [], "it is the recorded cluster's own osd.8"
    assert host.found(fsid="0" * 36) == ["label_other_cluster"]
    write(host.disks[0], LABEL.replace(UUID.encode(), UUID.replace("1", "2").encode()))
    assert host.found() == ["label_other_osd"]


def write(disk: str, label: bytes) -> None:
    with open(disk, "r+b") as handle:
        handle.write(label)


def test_two_processes_with_one_disk(host: Host, holds: Callable[[str], None]) -> None:
    holds(host.disks[1])
    holds(host.disks[1])
    assert host.found() == ["process_two"]


def test_nothing_is_written_and_nothing_is_opened_alone(host: Host) -> None:
    before = [Path(one).read_bytes() for one in host.disks]
    handle = os.open(host.disks[0], os.O_RDWR | os.O_EXCL)
    try:
        assert host.found() == []
    finally:
        os.close(handle)
    assert [Path(one).read_bytes() for one in host.disks] == before
