# SPDX-License-Identifier: GPL-3.0-or-later
"""Our own detectors over bytes: each label alone is enough, and what is blank is not taken for anything."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host.signatures import detect
from ansible_collections.barestore.storage.plugins.module_utils.host.signatures.area import (
    BLUESTORE_LABELS,
    MIB,
    Area,
    places,
)
from tests.signature_images import CORPUS, GIB, ID, Image, bluestore

SIZES = (2 * GIB, 2 * GIB + 24 * 512, 4 * MIB * 1024 + 8 * 4096)


def area(size: int, image: Image) -> Area:
    """What would be read of a device with these bytes."""
    chunks = {}
    for offset, length in places(size):
        raw = bytearray(length)
        for start, text in image.items():
            low, high = max(start, offset), min(start + len(text), offset + length)
            if low < high:
                raw[low - offset : high - offset] = text[low - start : high - start]
        chunks[offset] = bytes(raw)
    return Area(size, chunks)


def found(one: Area) -> list[str]:
    return [each.type for each in (detect.known(one) or detect.unknown(one))]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", CORPUS)
def test_each_label_alone_is_found(name: str, size: int) -> None:
    kind, image = CORPUS[name]
    assert kind in found(area(size, image(size)))


@pytest.mark.parametrize("size", [0, 512, 4096, MIB, 2 * MIB, 2 * MIB + 512, 3 * MIB, *SIZES])
@pytest.mark.parametrize("byte", [0x00, 0xFF])
def test_what_is_blank_is_blank(size: int, byte: int) -> None:
    one = Area(size, {offset: bytes([byte]) * length for offset, length in places(size)})
    assert found(one) == []


@pytest.mark.parametrize("size", [0, 512, MIB, 2 * MIB, 2 * MIB + 512, 5 * MIB, *SIZES, 20 * 1000 * GIB])
def test_places_lie_on_the_device_one_after_the_other(size: int) -> None:
    end = 0
    for offset, length in places(size):
        assert offset >= end and length > 0
        end = offset + length
    assert end == size


def test_the_last_label_of_ceph_is_looked_for_on_a_disk_that_has_it() -> None:
    size = 4000 * GIB
    for offset in BLUESTORE_LABELS:
        (one,) = detect.known(area(size, bluestore(offset)))
        assert (one.type, one.offset, one.uuid) == ("ceph_bluestore", offset, str(ID))


@pytest.mark.parametrize("name", ["md-0.90", "md-1.0", "md-1.2", "luks1", "luks2"])
def test_the_identity_is_read(name: str) -> None:
    assert {one.uuid for one in detect.known(area(2 * GIB, CORPUS[name][1](2 * GIB)))} == {str(ID)}


def test_other_unknown_bytes_are_another_thing() -> None:
    first, second = (next(detect.unknown(area(GIB, {5000: text}))) for text in (b"one", b"two"))
    assert first.offset == second.offset == 5000
    assert first.uuid != second.uuid


LUKS = ["cryptsetup", "luksFormat", "-q", "--key-file", "-", "--pbkdf-force-iterations", "1000"]
# What the real tools make is found by name where it is ours to know, and as somebody's data where it is not.
TOOLS = {
    "mkfs.ext4": (["mkfs.ext4", "-q", "-F"], detect.UNKNOWN),
    "mkfs.xfs": (["mkfs.xfs", "-q"], detect.UNKNOWN),
    "mkfs.btrfs": (["mkfs.btrfs", "-q"], detect.UNKNOWN),
    "mkfs.vfat": (["mkfs.vfat"], detect.UNKNOWN),
    "mkswap": (["mkswap"], detect.UNKNOWN),
    "sfdisk gpt": (["sfdisk", "--quiet", "--label", "gpt"], "gpt"),
    "sfdisk dos": (["sfdisk", "--quiet", "--label", "dos"], "dos"),
    "luks1": ([*LUKS, "--type", "luks1"], "crypto_LUKS"),
    "luks2": ([*LUKS, "--type", "luks2", "--pbkdf", "pbkdf2"], "crypto_LUKS"),
}


@pytest.mark.parametrize("name", TOOLS)
def test_what_real_tools_make(tmp_path: Path, name: str) -> None:
    argv, kind = TOOLS[name]
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed")
    path = tmp_path / "image"
    with path.open("wb") as handle:
        handle.truncate(400 * MIB)
    subprocess.run([*argv, path], input=b",,\n", check=True, capture_output=True)
    with path.open("rb") as handle:
        chunks = {}
        for offset, length in places(400 * MIB):
            handle.seek(offset)
            chunks[offset] = handle.read(length)
    assert kind in found(Area(400 * MIB, chunks))
