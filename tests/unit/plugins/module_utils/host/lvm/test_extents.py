# SPDX-License-Identifier: GPL-3.0-or-later
"""Extents as LVM counts them; the numbers beside a comment were read from a Debian 13 guest."""

from __future__ import annotations

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host.lvm import extents
from ansible_collections.barestore.storage.plugins.module_utils.host.lvm.extents import Geometry
from ansible_collections.barestore.storage.plugins.module_utils.host.sizes import MIB, parse_size

GIB = 1024 * MIB
TIB = 1024 * GIB
EXTENT = 4 * MIB


@pytest.mark.parametrize(
    ("device", "extent", "count"),
    [
        (4 * GIB, EXTENT, 1023),  # seen, also with sectors of 4096 bytes
        (10 * GIB, EXTENT, 2559),  # seen
        (MIB, EXTENT, 0),
        (5 * MIB, EXTENT, 1),
        (5 * MIB - 512, EXTENT, 0),
        (4 * GIB, MIB, 4095),
    ],
)
def test_extents_of_a_physical_volume(device: int, extent: int, count: int) -> None:
    assert extents.physical_volume(device, extent) == count


@pytest.mark.parametrize(
    ("size", "data", "count"),
    [
        ("301 MiB", 1, 76),  # seen: 304 MiB
        ("304 MiB", 1, 76),
        ("44 MiB", 2, 12),  # seen: "Rounding size 44.00 MiB (11 extents) up to stripe boundary size 48.00 MiB"
        ("1 B", 1, 1),
        ("70%", 1, 700),
        ("33.3%", 1, 333),
        ("3.35%", 2, 32),
        ("0.01%", 1, 1),
        ("0.01%", 3, 3),
        ("100%", 3, 999),
    ],
)
def test_wanted_extents(size: str, data: int, count: int) -> None:
    assert extents.wanted(parse_size(size), 1000, EXTENT, data) == count


@pytest.mark.parametrize(
    ("data", "chunk", "metadata"),
    [
        (GIB, 64 * 1024, 2 * MIB),
        (TIB, 64 * 1024, GIB),
        (TIB, 512 * 1024, 128 * MIB),
        (100 * TIB, 64 * 1024, 16192 * MIB),
    ],
)
def test_pool_metadata(data: int, chunk: int, metadata: int) -> None:
    assert extents.pool_metadata_bytes(data, chunk) == metadata


@pytest.mark.parametrize(
    ("geometry", "size", "cost"),
    [
        (Geometry(), 10, 10),
        (Geometry(2, 2), 12, 6),
        (Geometry(2, 1, True), 10, 11),  # seen: an image of 10 and metadata of 1
        (Geometry(3, 2, True), 12, 7),  # seen
        (Geometry(4, 2, True), 10, 6),  # seen
        (Geometry(2, 1, True), 0, 0),
    ],
)
def test_what_a_volume_takes_of_each_physical_volume(geometry: Geometry, size: int, cost: int) -> None:
    assert geometry.cost(size, EXTENT) == cost


def test_raid_metadata_of_large_images_and_small_extents() -> None:
    assert extents.raid_metadata(TIB // EXTENT, EXTENT) == 1
    assert extents.raid_metadata(8 * TIB // (128 * 1024), 128 * 1024) == 5
