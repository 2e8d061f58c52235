# SPDX-License-Identifier: GPL-3.0-or-later
"""What zpool prints: the texts are recordings of ZFS 2.3 on a virtual host."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host.zfs.status import Pool, parse

RECORDINGS = Path(__file__).parent / "recordings"


def recorded(name: str) -> tuple[Pool, ...]:
    return parse((RECORDINGS / f"{name}.txt").read_text())


def shape(pool: Pool, role: str) -> list[tuple[str, list[int]]]:
    """The kind of each vdev, with the number of devices in each of its places."""
    return [(vdev.kind, [len(slot) for slot in vdev.slots]) for vdev in pool.of(role)]


PAIR = ("mirror", [1, 1])


@pytest.mark.parametrize(
    ("name", "state", "data", "unhealthy"),
    [
        ("status_online", "ONLINE", [PAIR, PAIR], ""),
        ("status_offline", "DEGRADED", [PAIR, PAIR], "it is DEGRADED"),
        ("status_spare", "DEGRADED", [("mirror", [1, 2]), PAIR], "it is DEGRADED"),
        ("status_replacing_scan", "DEGRADED", [("mirror", [1, 2]), PAIR], "it is DEGRADED"),
        ("status_lost", "DEGRADED", [PAIR, PAIR], "it is DEGRADED"),
        ("import", "ONLINE", [PAIR, PAIR], ""),
        ("import_lost", "DEGRADED", [PAIR, PAIR], "it is DEGRADED"),
    ],
)
def test_a_pool_of_mirrors(name: str, state: str, data: list[tuple[str, list[int]]], unhealthy: str) -> None:
    (pool,) = recorded(name)
    assert (pool.name, pool.state, pool.unhealthy) == ("tank", state, unhealthy)
    assert shape(pool, "data") == data
    assert shape(pool, "log") == [PAIR]
    assert shape(pool, "cache") == [("stripe", [1]), ("stripe", [1])]
    assert shape(pool, "spare") == [("stripe", [1])]
    assert not pool.of("special") and not pool.of("dedup")


def test_a_draid_holds_its_spares_itself() -> None:
    (pool,) = recorded("status_draid")
    assert shape(pool, "data") == [("draid1:2d:6c:1s", [1] * 6)]
    assert pool.of("spare") == () and pool.unhealthy == ""


def test_what_a_lost_disk_leaves() -> None:
    (pool,) = recorded("status_lost")
    lost = pool.of("data")[1].slots[0][0]
    assert lost.name.isdigit() and lost.state == "UNAVAIL"
    assert lost.note == "was /dev/disk/by-id/wwn-0x5000c59926b4b686-part1"


def test_what_zpool_says_beside_the_rows() -> None:
    (pool,) = recorded("import_lost")
    assert pool.id == "11854589251601995404"
    assert pool.status == "One or more devices contains corrupted data."
    assert pool.action.endswith("The fault tolerance of the pool may be compromised if imported.")


@pytest.mark.parametrize("text", ["", "no pools available\n", "internal error: out of memory\n"])
def test_no_pools(text: str) -> None:
    assert parse(text) == ()


def test_names_of_pools_that_look_like_headings() -> None:
    rows = ("NAME  STATE   READ WRITE CKSUM", "logs  ONLINE  0 0 0", "  /dev/x  ONLINE  0 0 0")
    text = "\n\t".join(("  pool: logs\n state: ONLINE\nconfig:\n", *rows)) + "\n"
    (pool,) = parse(text)
    assert [vdev.name for vdev in pool.of("data")] == ["/dev/x"]
