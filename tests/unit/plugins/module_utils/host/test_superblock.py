# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes from superblocks, against what the real mkfs tools make on files of awkward sizes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host.observation import Observation, ReadBlock, StatFs
from ansible_collections.barestore.storage.plugins.module_utils.host.superblock import Extent, extent, half_made

MIB = 1024**2


def made(path: Path, size: int, argv: list[str]) -> Observation:
    with path.open("wb") as handle:
        handle.truncate(size)
    subprocess.run([*argv, str(path)], check=True, capture_output=True)
    with path.open("rb") as handle:
        raw = handle.read(4096)
    answers = {
        ReadBlock(str(path), 1024, 1024).key: raw[1024:2048].hex(),
        ReadBlock(str(path), 0, 512).key: raw[:512].hex(),
    }
    return Observation(answers)


@pytest.mark.parametrize("mib", [64, 100, 127, 128, 129, 130, 131, 200, 256, 257, 260, 513, 1000, 1025, 2049])
def test_a_fresh_ext4_has_all_that_it_can_have(tmp_path: Path, mib: int) -> None:
    path = tmp_path / "ext4"
    seen = extent(made(path, mib * MIB, ["mkfs.ext4", "-q"]), "ext4", str(path), mib * MIB, "")
    assert seen is not None
    assert seen.size == seen.reachable


@pytest.mark.skipif(shutil.which("mkfs.xfs") is None, reason="mkfs.xfs is not installed")
@pytest.mark.parametrize("mib", [300, 301, 303, 317, 512, 1000, 1025, 2049, 4097])
def test_a_fresh_xfs_has_all_that_it_can_have(tmp_path: Path, mib: int) -> None:
    path = tmp_path / "xfs"
    seen = extent(made(path, mib * MIB, ["mkfs.xfs", "-q"]), "xfs", str(path), mib * MIB, "")
    assert seen is not None
    assert seen.size == seen.reachable


@pytest.mark.parametrize("kind, argv", [("ext4", ["mkfs.ext4", "-q"]), ("xfs", ["mkfs.xfs", "-q"])])
def test_a_grown_device_can_hold_more(tmp_path: Path, kind: str, argv: list[str]) -> None:
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed")
    path = tmp_path / kind
    seen = extent(made(path, 400 * MIB, argv), kind, str(path), 900 * MIB, "")
    assert seen == Extent(400 * MIB, 900 * MIB)


def test_a_mounted_xfs_is_as_large_as_statfs_says(tmp_path: Path) -> None:
    """The superblock on disk lags; statfs counts all blocks but the internal log."""
    block, dblocks, log, group = 4096, 102400, 16384, 25600
    raw = bytearray(512)
    raw[0:4] = b"XFSB"
    raw[4:8] = block.to_bytes(4, "big")
    raw[8:16] = dblocks.to_bytes(8, "big")
    raw[48:56] = (65536).to_bytes(8, "big")
    raw[84:88] = group.to_bytes(4, "big")
    raw[96:100] = log.to_bytes(4, "big")
    answers = {
        ReadBlock("/dev/x", 0, 512).key: raw.hex(),
        StatFs("/srv").key: {"block_size": block, "blocks": 204800 - log},
    }
    assert extent(Observation(answers), "xfs", "/dev/x", 204800 * block, "/srv") == Extent(
        204800 * block, 204800 * block
    )


def test_what_is_not_answered_yet_is_unknown() -> None:
    observation = Observation({})
    assert extent(observation, "ext4", "/dev/x", MIB, "") is None
    assert observation.missing


@pytest.mark.skipif(shutil.which("mkfs.xfs") is None, reason="mkfs.xfs is not installed")
def test_an_xfs_whose_mkfs_never_ended_is_half_made(tmp_path: Path) -> None:
    path = str(tmp_path / "xfs")
    seen = made(Path(path), 300 * MIB, ["mkfs.xfs", "-q"])
    assert not half_made(seen, "xfs", path)
    raw = bytearray.fromhex(seen.ask(ReadBlock(path, 0, 512)) or "")
    raw[126] = 1  # as it was until mkfs wrote its last block; the kernel mounts no such file system
    assert half_made(Observation({ReadBlock(path, 0, 512).key: raw.hex()}), "xfs", path)
    assert not half_made(Observation({ReadBlock(path, 0, 512).key: None}), "xfs", path)


@pytest.mark.skipif(shutil.which("mkfs.vfat") is None, reason="mkfs.vfat is not installed")
@pytest.mark.parametrize("mib", [64, 600])
def test_a_vfat_without_its_tables_is_half_made(tmp_path: Path, mib: int) -> None:
    path = tmp_path / "vfat"
    made(path, mib * MIB, ["mkfs.vfat"])
    whole = path.read_bytes()[: 8 * MIB]

    def judged(raw: bytes) -> bool:
        seen = Observation({})
        while True:
            found = half_made(seen, "vfat", str(path))
            if not seen.missing:
                return found
            answers = {one.key: raw[one.offset : one.offset + one.length].hex() for one in seen.missing.values()
                       if isinstance(one, ReadBlock)}  # fmt: skip
            seen = Observation({**seen.answers, **answers})

    assert not judged(whole)
    assert judged(whole[:512] + bytes(len(whole) - 512))
