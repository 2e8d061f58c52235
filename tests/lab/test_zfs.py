# SPDX-License-Identifier: GPL-3.0-or-later
"""Pools and datasets on real ZFS: a document becomes true, and a second run does nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from ansible_collections.barestore.storage.plugins.module_utils.host.normal_form import long_form
from barestore.lab import qemu
from barestore.lab.throwaway import throwaway
from barestore.lab.vm import VirtualMachine
from tests.lab.converge import converge, pasted

pytestmark = pytest.mark.lab

DISKS: list[dict[str, Any]] = [
    *({"serial": f"H{number:02}", "type": "hdd", "size": "2 GiB"} for number in range(1, 13)),
    {"serial": "N1", "type": "nvme", "size": "2 GiB"},
    {"serial": "N2", "type": "nvme", "size": "2 GiB"},
]


class Guest:
    """A virtual host that documents in YAML are tried on."""

    def __init__(self, vm: VirtualMachine) -> None:
        self.vm = vm

    def run(self, document: str, check: bool = False, consent: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return converge(self.vm, long_form(yaml.safe_load(document)), check=check, consent=consent)

    def shell(self, command: str) -> str:
        return self.vm.ssh(command).stdout

    def becomes(self, document: str, consent: Mapping[str, Any] | None = None) -> list[str]:
        """The ids of the actions: those of a check are those of the run, and afterwards nothing is left to do."""
        planned, done = self.run(document, check=True, consent=consent), self.run(document, consent=consent)
        again = self.run(document, check=True)
        for report in (planned, done, again):
            assert not report["failed"], report["msg"]
        assert planned["plan"] == done["plan"]
        assert planned["digest"] == done["digest"]
        assert again["plan"] == [] and not again["changed"]
        assert again["processes"] <= 10
        return [str(action["id"]) for action in done["plan"]]

    def consented(self, document: str) -> list[str]:
        """As :meth:`becomes`, with the lines pasted that the refusals of a first check print; there must be some."""
        consent = pasted(self.run(document, check=True))
        assert consent
        return self.becomes(document, consent)

    def refused(self, document: str) -> list[str]:
        """The sentences of the refusals; nothing ran."""
        report = self.run(document)
        assert report["failed"] and report["executed"] == [], report
        return [str(sentence) for sentence in report["refusals"]]


@pytest.fixture
def guest() -> Iterator[Guest]:
    with throwaway({"disks": DISKS}, name="zfs1", say=print) as vm:
        # udev reads a table anew after zpool wrote it, and partitions are gone meanwhile: one second, ZFS's patience
        # by default, is too short for udev in an emulated and busy guest.
        vm.ssh("modprobe zfs; echo 30000 >/sys/module/zfs/parameters/zfs_vdev_open_timeout_ms")
        yield Guest(vm)


def hdds(first: int, last: int) -> str:
    serials = ", ".join(f"H{number:02}" for number in range(first, last + 1))
    return f"{{match: {{serial: [{serials}]}}, count: {last - first + 1}}}"


def layout(
    *, pool: str = hdds(1, 4), spare: str = hdds(9, 9), tail: str = "", datasets: str = "", volumes: str = ""
) -> str:
    """Mirrors with log, cache and spare; log and cache are partitions."""
    return f"""
disks:
  pool: {pool}
  spare: {spare}
  fast: {{match: {{transport: nvme}}, count: 2}}
partitions:
  fast:
    - {{name: slog, size: 256 MiB, use: zfs}}
    - {{name: cache, size: 256 MiB, use: zfs}}
zfs:
  tank:
    data: {{mirror: [pool], width: 2}}
    log: {{mirror: [fast.slog]}}
    cache: {{disks: [fast.cache]}}
    spare: {{disks: [spare]}}
    properties: {{ashift: 12, autotrim: on, autoexpand: on, comment: "rack 2, databases"}}
    filesystem_properties: {{compression: lz4, mount: none}}
    datasets: {{{datasets}}}
    volumes: {{{volumes}}}
{tail}"""


def test_mirrors_log_cache_spare_grow(guest: Guest) -> None:
    small = layout(
        datasets="mysql: {recordsize: 16 KiB, mount: /srv/mysql, atime: off}, lxd/containers: {mount: /srv/lxd}",
        volumes="vm1: {size: 100 MiB, volblocksize: 16 KiB, sparse: true}, vm2: {size: 100 MiB}",
        tail="filesystems: {data: {device: tank/vm1, type: ext4, mount: /srv/vm1}}",
    )
    made = guest.becomes(small)
    assert "zfs_pool.create:tank" in made and "filesystem.create:tank/vm1" in made
    assert "zfs_dataset.create:tank/lxd" in made
    large = layout(
        pool=hdds(1, 6),
        spare=hdds(9, 10),
        datasets="mysql: {recordsize: 128K, mount: /srv/db, atime: on}, lxd/containers: {mount: /srv/lxd}",
        volumes="vm1: {size: 150 MiB, volblocksize: 16 KiB}, vm2: {size: 120 MiB, sparse: true}",
        tail="filesystems: {data: {device: tank/vm1, type: ext4, mount: /srv/vm1}}",
    )
    assert set(guest.consented(large)) == {
        "disk.pin:chosen disks",
        "filesystem.grow:tank/vm1",
        "zfs_dataset.set:tank/mysql",
        "zfs_dataset.set:tank/vm1",
        "zfs_dataset.set:tank/vm2",
        "zfs_pool.add:tank",
    }
    assert guest.shell("findmnt -no SOURCE /srv/db").strip() == "tank/mysql"
    refused = guest.refused(small)
    assert any("H05" in one or "holds 6 disks" in one for one in refused), refused


SPELLINGS = """
  a: {quota: none, "net.example:backup": "no", xattr: dir, acltype: posixacl, refquota: 1G, reservation: 10 MB,
      dedup: verify, checksum: sha256, copies: 2, snapdir: visible, sync: always, primarycache: metadata,
      relatime: off, snapshot_limit: 10, "userquota@root": 5G, aclinherit: secure, redundant_metadata: most,
      logbias: throughput, dnodesize: auto, special_small_blocks: 32K, canmount: on, sharenfs: off},
  b/c/d: {compression: gzip-6, casesensitivity: insensitive, normalization: formD, utf8only: on, recordsize: 1M},
  e: {compression: zstd-3, canmount: off, devices: no, exec: off, setuid: false, xattr: on, acltype: "off"},
  f: {compression: zstd-fast-1, canmount: noauto, recordsize: 131072, xattr: sa},
  g: {mount: legacy, compression: on, atime: no, quota: 1.5G, filesystem_limit: none},
  h: {compression: zstd-fast, checksum: on, secondarycache: none, readonly: on, reservation: none}
"""


def test_properties_in_all_spellings(guest: Guest) -> None:
    guest.becomes(layout(datasets=SPELLINGS))
    changed = (
        SPELLINGS.replace("xattr: dir", "xattr: sa")
        .replace("quota: none", "quota: 1G")
        .replace("copies: 2", "copies: 1")
    )
    assert guest.becomes(layout(datasets=changed)) == ["zfs_dataset.set:tank/a"]
    (refusal,) = guest.refused(layout(datasets=SPELLINGS.replace("utf8only: on", "utf8only: on, pbkdf2iters: 5")))
    assert "pbkdf2iters" in refusal
    (refusal,) = guest.refused(layout(datasets=SPELLINGS.replace("formD", "formC")))
    assert refusal == "dataset tank/b/c/d: its normalization is formD for ever; write normalization: formD."
    (refusal,) = guest.refused(layout(datasets="a: {unheardof: 16K}"))
    assert refusal == "zfs: ZFS of this host knows no property 'unheardof'; correct its name, or remove it."


WIDE = f"""
disks:
  left: {hdds(1, 4)}
  right: {hdds(5, 11)}
  fast: {{match: {{transport: nvme}}, count: 2}}
partitions:
  fast:
    - {{name: special, size: 512 MiB, use: zfs}}
    - {{name: dedup, size: 512 MiB, use: zfs}}
zfs:
  wide:
    data: {{draid1: [right], data: 2, spares: 1}}
    special: {{mirror: [fast.special]}}
    dedup: {{mirror: [fast.dedup]}}
  two:
    data: {{raidz2: [left]}}
    properties: {{ashift: 13}}
"""


def test_raidz_draid_special_and_dedup(guest: Guest) -> None:
    assert {"zfs_pool.create:two", "zfs_pool.create:wide"} <= set(guest.becomes(WIDE))
    assert "draid1:2d:7c:1s-0" in guest.shell("zpool status wide")
    (refusal,) = guest.refused(WIDE.replace("spares: 1", "spares: 0"))
    assert "draid1:2d:7c:1s-0" in refusal and "is not what the document asks for" in refusal
    (refusal,) = guest.refused(WIDE.replace("ashift: 13", "ashift: 12"))
    assert refusal == "pool two: its ashift is 13 for ever; write ashift: 13."
    (refusal,) = guest.refused(WIDE.replace("raidz2: [left]", "raidz1: [left]"))
    assert "raidz2-0" in refusal


KEYED = layout(
    datasets="secret: {encryption: on, keyformat: raw, keylocation: 'file:///etc/zfs/tank.key', mount: /srv/secret}, "
    "secret/child: {atime: off}, plain: {mount: /srv/plain}"
)


def test_keys_and_unmounted(guest: Guest) -> None:
    (refusal,) = guest.refused(KEYED)
    assert refusal == "dataset tank/secret: its key file /etc/zfs/tank.key is not on this host; put it there first."
    guest.shell("head -c 32 /dev/urandom >/etc/zfs/tank.key; mkdir -p /srv/plain; touch /srv/plain/file")
    (refusal,) = guest.refused(KEYED)
    assert "/srv/plain is not an empty folder" in refusal
    guest.shell("rm /srv/plain/file")
    guest.becomes(KEYED)
    guest.shell("zfs unmount tank/plain; zfs unmount -u tank/secret")
    assert set(guest.becomes(KEYED)) == {
        "zfs_dataset.mount:tank/plain",
        "zfs_dataset.mount:tank/secret",
        "zfs_dataset.mount:tank/secret/child",
        "zfs_dataset.unlock:tank/secret",
    }
    guest.shell("zpool export tank")
    assert guest.becomes(KEYED) == ["zfs_pool.import:tank"]
    assert guest.shell("findmnt -no SOURCE /srv/secret/child").strip() == "tank/secret/child"


def link(guest: Guest, serial: str) -> str:
    return next(f"/dev/disk/by-id/{disk.link}" for disk in guest.vm.machine.disks if disk.serial == serial)


ONE = f"""
disks: {{one: {hdds(1, 1)}}}
zfs:
  tank:
    data: {{stripe: [one]}}
"""


def test_a_pool_of_another_host(guest: Guest) -> None:
    guest.becomes(ONE)
    # The labels as they are while another host uses the pool, put back after it was exported.
    guest.shell(f"""set -e
        part={link(guest, "H01")}-part1
        last=$(($(blockdev --getsize64 $part) / 524288 - 1))
        zpool export tank; cp /etc/hostid /root/hostid; hostname ss9; zgenhostid -f 00c0ffee; zpool import -N tank
        dd if=$part iflag=direct of=/root/front bs=512K count=1 status=none
        dd if=$part iflag=direct of=/root/back bs=512K skip=$last status=none
        zpool export tank; cp /root/hostid /etc/hostid; hostname zfs1
        dd if=/root/front of=$part oflag=direct bs=512K status=none
        dd if=/root/back of=$part oflag=direct bs=512K seek=$last status=none
        udevadm settle""")
    print(guest.shell("zpool import -d /dev/disk/by-id"))
    (refusal,) = guest.refused(ONE)
    assert "it was last used by host 'ss9' (hostid 00c0ffee) and never exported there" in refusal


def test_nothing_is_added_to_a_pool_that_is_not_well(guest: Guest) -> None:
    document, larger = layout(datasets="a: {}"), layout(pool=hdds(1, 6), datasets="a: {}")
    guest.becomes(document)
    second, spare = link(guest, "H02"), link(guest, "H09")
    guest.shell(f"zpool offline tank {second}")
    assert guest.becomes(document) == []
    (refusal,) = guest.refused(larger)
    assert refusal.startswith("pool tank: it is DEGRADED, so nothing is added to it (data mirror wwn-")
    guest.shell(f"zpool replace tank {second} {spare}; zpool wait -t resilver,replace tank")
    assert "spare-1" in guest.shell("zpool status tank")
    assert guest.becomes(document) == []
    guest.shell(f"zpool online tank {second}; zpool detach tank {spare}; zpool wait -t resilver tank")
    assert "zfs_pool.add:tank" in guest.consented(larger)


def test_a_killed_creation_goes_on_and_other_contents_stop_it(guest: Guest) -> None:
    first, second = link(guest, "H01"), link(guest, "H02")
    # What a power cut inside zpool create leaves: zpool's own partitions, and no label in them.
    guest.shell(f"zpool create x {first}; zpool destroy x; zpool labelclear -f {first}-part1; udevadm settle")
    guest.shell(f"mkfs.ext4 -q {second}")
    (refusal,) = guest.refused(layout())
    assert "disk H02" in refusal and "ext4" in refusal
    # What wipefs leaves of ext4 is still something that nobody knows.
    guest.shell(f"blkdiscard --force --zeroout {second}; udevadm settle")
    assert "zfs_pool.create:tank" in guest.becomes(layout())


def test_grown_disks_are_used(guest: Guest) -> None:
    guest.becomes(layout())
    guest.shell("systemctl stop zfs-zed || true")
    for serial in ("H01", "H02"):
        guest.vm.qmp.command("block_resize", **{"node-name": qemu.node_name(serial), "size": 3 << 30})
        guest.shell(f"echo 1 >/sys/class/block/$(basename $(readlink -f {link(guest, serial)}))/device/rescan")
    guest.shell("udevadm settle")
    before = int(guest.shell("zpool get -Hp -o value size tank"))
    assert guest.becomes(layout()) == ["zfs_pool.expand:tank"]
    assert int(guest.shell("zpool get -Hp -o value size tank")) > before + (900 << 20)


def test_mounts_follow_the_document(guest: Guest) -> None:
    def document(datasets: str, root: str = "/tank") -> str:
        return f"""
disks: {{one: {hdds(1, 1)}}}
zfs:
  tank:
    data: {{stripe: [one]}}
    filesystem_properties: {{mount: {root}}}
    datasets: {{{datasets}}}
"""

    guest.shell("rm /etc/hostid")
    before = (
        "a: {mount: none}, b: {mount: /srv/b, canmount: off}, c: {mount: legacy}, d: {mount: /srv/d}, e: {}, e/f: {}"
    )
    assert "zfs_pool.hostid:/etc/hostid" in guest.becomes(document(before))
    guest.shell("zfs unmount tank/d")
    after = (
        "a: {mount: /srv/a}, b: {mount: /srv/b, canmount: on}, c: {mount: /srv/c}, d: {mount: /srv/d2}, e: {}, e/f: {}"
    )
    guest.becomes(document(after))
    guest.becomes(document(after.replace("e: {}", "e: {mount: /srv/e}"), root="none"))
    mounted = set(guest.shell("findmnt -rnt zfs -o TARGET").split())
    assert mounted == {"/srv/a", "/srv/b", "/srv/c", "/srv/d2", "/srv/e", "/srv/e/f"}
