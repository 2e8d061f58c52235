# SPDX-License-Identifier: GPL-3.0-or-later
"""The second day of pools on real ZFS: disks are pulled out, replaced and added, and what was written stays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from barestore.lab.throwaway import throwaway
from tests.lab.test_zfs import DISKS, Guest, hdds, layout, link

pytestmark = pytest.mark.lab
RESILVERED = "zpool wait -t resilver,replace tank; udevadm settle"


@pytest.fixture
def guest() -> Iterator[Guest]:
    with throwaway({"disks": DISKS}, name="zfs2", say=print) as vm:
        vm.ssh("modprobe zfs; echo 30000 >/sys/module/zfs/parameters/zfs_vdev_open_timeout_ms")
        yield Guest(vm)


def document(pool: str = hdds(1, 4), data: str = "mirror: [pool], width: 2", spare: str = hdds(9, 9)) -> str:
    text = layout(pool=pool, spare=spare, datasets="a: {mount: /srv/a}")
    return text.replace("data: {mirror: [pool], width: 2}", f"data: {{{data}}}")


def with_words(group: str, words: str) -> str:
    return f"{group[:-1]}, {words}}}"


def written(guest: Guest) -> str:
    return guest.shell("head -c 50M /dev/urandom >/srv/a/kept; sync; sha256sum /srv/a/kept")


def unchanged(guest: Guest, digest: str) -> None:
    assert guest.shell("zpool export tank; zpool import -d /dev/disk/by-id tank; sha256sum /srv/a/kept") == digest


def pull(guest: Guest, serial: str) -> None:
    path = link(guest, serial)
    guest.vm.remove_disk(serial)
    guest.shell(f"i=0; while [ -e {path} ] && [ $i -lt 100 ]; do sleep .1; i=$((i+1)); done; udevadm settle")


def test_a_disk_that_was_pulled_out_is_replaced(guest: Guest) -> None:
    guest.becomes(document())
    digest = written(guest)
    pull(guest, "H02")
    # The pool notices by the next write.
    guest.shell("touch /srv/a/more; sync")
    (refusal,) = guest.refused(document())
    assert "the disk H02 was chosen" in refusal and "replace: {H02: its serial number}" in refusal
    wanted = document(pool=with_words(hdds(1, 4), "replace: {H02: H12}"))
    assert guest.becomes(wanted) == ["disk.pin:chosen disks", "zfs_pool.replace:tank/H12"]
    guest.shell(RESILVERED)
    assert guest.becomes(wanted) == []
    assert "all pools are healthy" in guest.shell("zpool status -x")
    unchanged(guest, digest)
    assert guest.becomes(wanted) == []


def test_a_vdev_is_added_with_the_line_that_the_refusal_prints(guest: Guest) -> None:
    guest.becomes(document())
    digest = written(guest)
    larger = document(pool=hdds(1, 6))
    refused = guest.run(larger, check=True)
    assert "what is added stays in it for ever" in refused["msg"]
    assert "would update 'tank' to the following configuration" in refused["notes"][0]
    assert "zfs_pool.add:tank" in guest.consented(larger)
    (refusal,) = guest.refused(larger.replace("width: 2", "width: 3"))
    assert "is 2 wide, 3 is wanted, and no disk is free" in refusal
    unchanged(guest, digest)


def test_a_mirror_gets_a_third_disk_and_gives_it_back(guest: Guest) -> None:
    guest.becomes(document(pool=hdds(1, 2)))
    digest = written(guest)
    three = document(pool=hdds(1, 3), data="mirror: [pool], width: 3")
    assert "zfs_pool.attach:tank/H03" in guest.becomes(three)
    guest.shell(RESILVERED)
    narrower = document(pool=with_words(hdds(1, 2), "retire: [H03]"))
    taken = guest.consented(narrower)
    assert any(name.startswith("zfs_pool.detach:tank/") for name in taken)
    unchanged(guest, digest)


def test_a_spare_works_until_its_disk_is_replaced(guest: Guest) -> None:
    guest.becomes(document())
    digest = written(guest)
    second, spare = link(guest, "H02"), link(guest, "H09")
    guest.shell(f"systemctl stop zfs-zed || true; zpool offline -f tank {second}; zpool replace tank {second} {spare}")
    guest.shell(RESILVERED)
    report = guest.run(document(), check=True)
    assert not report["failed"] and report["plan"] == []
    assert any("the spare" in note for note in report["notes"])
    wanted = document(pool=with_words(hdds(1, 4), "replace: {H02: H12}"))
    assert "zfs_pool.replace:tank/H12" in guest.becomes(wanted)
    guest.shell(RESILVERED)
    assert guest.becomes(wanted) == []
    assert "AVAIL" in guest.shell("zpool status tank")
    unchanged(guest, digest)


def test_a_raidz_becomes_wider_by_one(guest: Guest) -> None:
    guest.becomes(document(data="raidz1: [pool]"))
    digest = written(guest)
    wider = document(pool=hdds(1, 5), data="raidz1: [pool]")
    assert "zfs_pool.attach:tank/H05" in guest.consented(wider)
    guest.shell("zpool wait -t raidz_expand tank; udevadm settle")
    assert guest.becomes(wider) == []
    unchanged(guest, digest)


def test_a_log_and_a_vdev_leave_with_a_consent(guest: Guest) -> None:
    guest.becomes(document())
    digest = written(guest)
    without_log = document().replace("    log: {mirror: [fast.slog]}\n", "")
    assert guest.consented(without_log) == ["zfs_pool.remove:tank/mirror-2"]
    less = without_log.replace(hdds(1, 4), with_words(hdds(1, 2), "retire: [H03, H04]"))
    assert "zfs_pool.remove:tank/mirror-1" in guest.consented(less)
    guest.shell("zpool wait -t remove tank; udevadm settle")
    assert guest.becomes(less) == []
    unchanged(guest, digest)
