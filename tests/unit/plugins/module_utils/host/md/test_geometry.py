# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes of arrays, and superblocks."""

from __future__ import annotations

import struct

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host.md import geometry, superblock

MIB, GIB, KIB = 1024**2, 1024**3, 1024


@pytest.mark.parametrize(
    ("size", "chunk", "offset"),
    [(400 * MIB, 0, 2 * MIB), (4 * GIB, 0, 5 * MIB), (4 * GIB, 64 * MIB, 257 * MIB), (16 * 10**12, 0, 129 * MIB)],
)
def test_the_data_begins_where_a_reshape_has_room(size: int, chunk: int, offset: int) -> None:
    assert geometry.data_offset((size + MIB, size), chunk) == offset


def test_a_component_is_whole_mebibytes_and_whole_chunks() -> None:
    assert geometry.component(400 * MIB + 5, 2 * MIB, 0) == 398 * MIB
    assert geometry.component(399 * MIB, 2 * MIB, 4 * MIB) == 396 * MIB
    assert geometry.component(1 * MIB, 2 * MIB, 0) == 0


@pytest.mark.parametrize(
    ("level", "devices", "size"),
    [("raid1", 3, 100), ("raid5", 3, 200), ("raid6", 5, 300), ("raid10", 4, 200), ("raid10", 3, 150)],
)
def test_an_array_offers_what_the_kernel_counts(level: str, devices: int, size: int) -> None:
    assert geometry.array_size(level, 100 * MIB, devices, 512 * KIB if level != "raid1" else 0) == size * MIB


def test_a_superblock_of_an_array_that_never_ran() -> None:
    raw = bytearray(256)
    struct.pack_into("<II", raw, 0, 0xA92B4EFC, 1)
    raw[16:32] = bytes.fromhex("0b3d2f6e111152228333444455556666")
    raw[32:40] = b"any:safe"
    struct.pack_into("<i", raw, 72, 5)
    struct.pack_into("<I", raw, 92, 3)
    found = superblock.parse(bytes(raw))
    assert found == superblock.Superblock("0b3d2f6e:11115222:83334444:55556666", "any:safe", 5, 3, 0)
    assert superblock.parse(b"\0" * 256) is None
    assert superblock.parse(b"\0") is None
