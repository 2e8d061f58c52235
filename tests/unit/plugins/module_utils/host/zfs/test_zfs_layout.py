# SPDX-License-Identifier: GPL-3.0-or-later
"""Vdevs of a document, and the words that make them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host.blockdevices import BlockDevices
from ansible_collections.barestore.storage.plugins.module_utils.host.state import Device
from ansible_collections.barestore.storage.plugins.module_utils.host.zfs import layout
from ansible_collections.barestore.storage.plugins.module_utils.host.zfs.difference import Difference, difference
from ansible_collections.barestore.storage.plugins.module_utils.host.zfs.status import Pool, Vdev

NOTHING = BlockDevices({}, {})
GIB = 1 << 30


def device(name: str, size: int = 4 * GIB) -> Device:
    return Device(name, f"/dev/disk/by-id/{name}", f"disk:{name}", size, 512, (name,), name, True, f"disk {name}")


DEVICES = {
    "a": tuple(device(f"a{number}") for number in range(1, 7)),
    "b": tuple(device(f"b{number}") for number in range(1, 12)),
    "odd": (device("odd1"), device("odd2", 5 * GIB)),
}


def vdevs(document: dict[str, Any], pool: Pool | None = None) -> tuple[layout.Wanted, ...]:
    return tuple(difference(tuple(layout.entries(document, DEVICES)), pool, NOTHING).new)


def words(document: dict[str, Any], pool: Pool | None = None) -> str:
    return " ".join(layout.argv(vdevs(document, pool))).replace("/dev/disk/by-id/", "")


def row(name: str, *children: Vdev) -> Vdev:
    return Vdev(name, "ONLINE", "", children)


def disk(name: str) -> Vdev:
    return row(f"/dev/disk/by-id/{name}-part1")


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"data": {"mirror": ["a"], "width": 2}}, "mirror a1 a2 mirror a3 a4 mirror a5 a6"),
        ({"data": {"mirror": ["a"]}}, "mirror a1 a2 a3 a4 a5 a6"),
        ({"data": [{"raidz2": ["a"]}]}, "raidz2 a1 a2 a3 a4 a5 a6"),
        ({"data": {"stripe": ["odd"]}}, "odd1 odd2"),
        (
            {"data": {"draid2": ["b"], "data": 4, "spares": 1}},
            "draid2:4d:11c:1s " + " ".join(f"b{n}" for n in range(1, 12)),
        ),
        ({"data": {"draid1": ["a"]}}, "draid1:5d:6c:0s a1 a2 a3 a4 a5 a6"),
        (
            {"spare": {"disks": ["odd"]}, "log": {"mirror": ["a"], "width": 3}, "data": {"raidz1": ["b"]}},
            "raidz1 b1 b2 b3 b4 b5 b6 b7 b8 b9 b10 b11 log mirror a1 a2 a3 mirror a4 a5 a6 spare odd1 odd2",
        ),
    ],
)
def test_words_of_a_new_pool(document: dict[str, Any], text: str) -> None:
    assert words(document) == text


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"data": {"mirror": ["a"], "width": 1}}, "a mirror of 1 devices is wanted, and it needs at least 2"),
        ({"data": {"raidz3": ["a"], "width": 3}}, "a raidz3 of 3 devices is wanted, and it needs at least 4"),
        (
            {"data": {"draid2": ["a"], "data": 4, "spares": 1}},
            "a draid2 of 6 devices is wanted, and it needs at least 7",
        ),
        (
            {"data": {"mirror": ["a"], "width": 4}},
            "6 devices are left for data vdevs of 4 (a1, a2, a3, a4, a5, a6)",
        ),
    ],
)
def test_layouts_that_cannot_be(document: dict[str, Any], sentence: str) -> None:
    with pytest.raises(layout.Unfit) as error:
        vdevs(document)
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (
            {"data": {"mirror": ["a"], "width": 2}, "special": {"mirror": ["b"], "width": 11}},
            "mirror of 2 and mirror of 11",
        ),
        ({"data": {"raidz1": ["a"]}, "special": {"mirror": ["odd"]}}, "devices of different sizes"),
        ({"data": {"raidz2": ["a"]}, "special": {"stripe": ["b"]}}, "raidz2 of 6 and single disks"),
        ({"data": [{"mirror": ["a"], "width": 3}, {"raidz2": ["b"]}]}, ""),
        ({"data": {"mirror": ["a"], "width": 2}, "log": {"mirror": ["odd"]}}, ""),
    ],
)
def test_what_zpool_would_want_to_be_forced_to(document: dict[str, Any], why: str) -> None:
    found = layout.inconsistent(vdevs(document))
    assert why in found and bool(why) == bool(found)


def test_a_pool_keeps_its_vdevs_whatever_the_order_is_now() -> None:
    pool = Pool("tank", "ONLINE", vdevs={"data": (row("mirror-0", disk("a5"), disk("a2")),)})
    assert words({"data": {"mirror": ["a"], "width": 2}}, pool) == "mirror a1 a3 mirror a4 a6"


def test_a_spare_at_work_and_a_lost_disk_keep_their_place() -> None:
    lost = Vdev("1234567890123456789", "UNAVAIL", "was /dev/disk/by-id/a2-part1")
    pool = Pool(
        "tank",
        "DEGRADED",
        vdevs={
            "data": (row("mirror-0", row("spare-0", disk("a1"), disk("odd1")), lost),),
            "spare": (Vdev("/dev/disk/by-id/odd1-part1", "INUSE", "currently in use"),),
        },
    )
    document = {"data": {"mirror": ["two"]}, "spare": {"disks": ["hot"]}}
    devices = {"two": DEVICES["a"][:2], "hot": DEVICES["odd"][:1]}
    assert difference(tuple(layout.entries(document, devices)), pool, NOTHING) == Difference()
    assert pool.unhealthy == "it is DEGRADED"


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            (row("mirror-0", disk("a1"), disk("x1")),),
            "its data vdev mirror-0 (a1-part1, x1-part1) is not what the document asks for",
        ),
        (
            (row("mirror-0", disk("a1"), disk("a2"), disk("a3")),),
            "its data vdev mirror-0 (a1-part1, a2-part1, a3-part1) is not what the document asks for",
        ),
        ((disk("x1"),), "its data device x1-part1 is not in the document, and x1-part1 of it is not there"),
    ],
)
def test_other_vdevs_than_the_document(found: tuple[Vdev, ...], sentence: str) -> None:
    with pytest.raises(layout.Unfit) as error:
        vdevs({"data": {"mirror": ["a"], "width": 2}}, Pool("tank", "ONLINE", vdevs={"data": found}))
    assert str(error.value) == sentence
