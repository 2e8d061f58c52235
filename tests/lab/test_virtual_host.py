# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual host itself: its disks look real, survive a power cut, and come back after a boot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from barestore.lab.machine import parse_disk
from barestore.lab.throwaway import throwaway
from barestore.lab.vm import VirtualMachine

pytestmark = pytest.mark.lab

DISKS: list[dict[str, Any]] = [
    {
        "serial": "HDD1",
        "type": "hdd",
        "size": "4 GiB",
        "wwn": "0x5000c50000000001",
        "vendor": "ACME",
        "model": "SPIN",
    },
    {"serial": "HDD2", "type": "hdd", "size": "4 GiB"},
    {"serial": "HDD4K", "type": "hdd", "size": "12 TB", "sector_size": 4096},
    {"serial": "SSD1", "type": "ssd", "size": "2 GiB"},
    {"serial": "NVME1", "type": "nvme", "size": "2 GiB"},
    {"serial": "NVME2", "type": "nvme", "size": "2 GiB", "sector_size": 4096},
]
# LVM with an fstab line, swap by UUID, and a mirrored pool, as an operator would make them.
STORAGE = """
set -e
cd /dev/disk/by-id
zpool create -f -O mountpoint=/srv/tank tank mirror $PWD/wwn-0x5000c50000000001 $PWD/scsi-3$HDD2
echo tank >/srv/tank/file
pvcreate -q $PWD/nvme-QEMU_NVMe_Ctrl_NVME1
vgcreate -q fast $PWD/nvme-QEMU_NVMe_Ctrl_NVME1
lvcreate -q -y -L 512m -n data fast
mkfs.xfs -q /dev/fast/data
mkdir -p /srv/data
echo "UUID=$(blkid -o value -s UUID /dev/fast/data) /srv/data xfs defaults 0 0" >>/etc/fstab
systemctl daemon-reload
mount /srv/data
echo data >/srv/data/file
mkdir -p /var/lib/barestore
echo kept >/var/lib/barestore/file
sync
"""
_READ = "setsid sh -c 'while dd if={} of=/dev/null bs=64k iflag=direct; do :; done'"


@pytest.fixture(scope="module")
def vm() -> Iterator[VirtualMachine]:
    """One host for the tests of this file, which follow one another."""
    with throwaway({"disks": DISKS}, name="ss1", say=print) as host:
        yield host


def disks(vm: VirtualMachine) -> dict[str, dict[str, Any]]:
    """What lsblk says of each disk, by serial."""
    text = vm.ssh("lsblk -J -b -d -o NAME,SIZE,LOG-SEC,PHY-SEC,ROTA,SERIAL,WWN,VENDOR,MODEL,TRAN").stdout
    return {disk["serial"]: disk for disk in json.loads(text)["blockdevices"]}


def test_the_guest_sees_the_disks_as_described(vm: VirtualMachine) -> None:
    seen = disks(vm)
    assert {disk["serial"] for disk in DISKS} | {"lab-root"} == set(seen)
    hdd, large, ssd, nvme = seen["HDD1"], seen["HDD4K"], seen["SSD1"], seen["NVME2"]
    assert (hdd["size"], hdd["log-sec"], hdd["phy-sec"], hdd["rota"]) == (4 << 30, 512, 4096, True)
    assert (hdd["wwn"], str(hdd["vendor"]).strip(), hdd["model"]) == ("0x5000c50000000001", "ACME", "SPIN")
    assert (large["size"], large["log-sec"]) == (12 * 10**12, 4096)
    assert (ssd["rota"], nvme["rota"], nvme["tran"], nvme["log-sec"]) == (False, False, "nvme", 4096)


def test_the_guest_is_itself(vm: VirtualMachine) -> None:
    name, machine_id, host_id, failed = vm.ssh(
        "hostname; cat /etc/machine-id; hostid; systemctl list-units --failed --plain --no-legend | wc -l"
    ).stdout.split()
    assert (name, failed) == ("ss1", "0")
    with throwaway(name="ss2") as other:
        lines = other.ssh("hostname; cat /etc/machine-id; hostid").stdout.split()
    assert lines[0] == "ss2"
    assert lines[1] != machine_id
    assert lines[2] != host_id


def test_two_hosts_of_one_state_draw_different_random_numbers() -> None:
    drawn = []
    for _ in range(2):
        with throwaway(name="ss3") as host:
            drawn.append(host.ssh("cat /proc/sys/kernel/random/uuid").stdout)
    assert drawn[0] != drawn[1]


def test_a_disk_comes_and_goes_with_its_contents(vm: VirtualMachine) -> None:
    spare = parse_disk({"serial": "SPARE", "type": "hdd", "size": "1 GiB"}, slot=20)
    nvme = parse_disk({"serial": "NVSPARE", "type": "nvme", "size": "1 GiB"}, slot=6)
    for disk in (spare, nvme):
        vm.add_disk(disk)
        empty = vm.disk_digest(disk.serial)
        vm.ssh(f"echo here | dd of=/dev/disk/by-id/{disk.link} conv=fsync status=none")
        written = vm.disk_digest(disk.serial)
        assert written != empty
        # It is pulled while it works.
        vm.ssh(f"{_READ.format(f'/dev/disk/by-id/{disk.link}')} >/dev/null 2>&1 </dev/null & sleep 1")
        vm.remove_disk(disk.serial)
        vm.ssh(f"i=0; while [ -e /dev/disk/by-id/{disk.link} ] && [ $i -lt 100 ]; do sleep .1; i=$((i+1)); done")
        assert disk.serial not in disks(vm)
        vm.add_disk(disk)
        assert vm.ssh(f"head -c 4 /dev/disk/by-id/{disk.link}").stdout == "here"
        assert vm.disk_digest(disk.serial) == written


def test_storage_comes_back_after_a_power_cut(vm: VirtualMachine) -> None:
    wwn = next(disk.wwn for disk in vm.machine.disks if disk.serial == "HDD2")
    vm.ssh(f"HDD2={wwn:x} sh -s", input=STORAGE)
    vm.power_cut()
    assert not vm.running
    before = {disk.serial: vm.disk_digest(disk.serial) for disk in vm.machine.disks}
    assert before == {disk.serial: vm.disk_digest(disk.serial) for disk in vm.machine.disks}
    vm.reboot()
    assert {disk["serial"] for disk in DISKS} <= set(disks(vm))
    files = "/srv/tank/file /srv/data/file /var/lib/barestore/file"
    assert vm.ssh(f"cat {files}").stdout.split() == ["tank", "data", "kept"]
    assert vm.ssh("findmnt -no FSTYPE /srv/data; findmnt -no FSTYPE /srv/tank").stdout.split() == [
        "xfs",
        "zfs",
    ]
    assert vm.ssh("zpool status -x").stdout.strip() == "all pools are healthy"
    assert vm.ssh("hostname").stdout.strip() == "ss1"


def test_storage_comes_back_after_a_clean_boot(vm: VirtualMachine) -> None:
    process = vm.process
    vm.reboot()
    assert vm.process != process
    assert vm.ssh("cat /srv/tank/file /srv/data/file").stdout.split() == ["tank", "data"]
