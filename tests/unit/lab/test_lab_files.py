# SPDX-License-Identifier: GPL-3.0-or-later
"""Sparse disks, their digests, locks and process identity."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from barestore.lab import process
from barestore.lab.errors import LabError
from barestore.lab.files import make_sparse, sparse_digest, write_atomically

TB = 10**12


def test_a_large_disk_takes_no_room_and_no_time(tmp_path: Path) -> None:
    disk = tmp_path / "disk.raw"
    make_sparse(disk, 12 * TB)
    started = time.monotonic()
    empty = sparse_digest(disk)
    with disk.open("r+b") as stream:
        stream.seek(7 * TB + 123)
        stream.write(b"x")
    written = sparse_digest(disk)
    assert time.monotonic() - started < 2
    assert empty != written
    assert disk.stat().st_blocks * 512 < 1 << 20


def test_the_digest_sees_contents_places_and_size_but_not_zeros(tmp_path: Path) -> None:
    def digest(size: int, *writes: tuple[int, bytes]) -> str:
        disk = tmp_path / "d"
        disk.unlink(missing_ok=True)
        make_sparse(disk, size)
        with disk.open("r+b") as stream:
            for place, data in writes:
                os.pwrite(stream.fileno(), data, place)
        return sparse_digest(disk)

    assert digest(1 << 24) == digest(1 << 24, (5 << 20, bytes(1 << 20)))
    different = [
        digest(1 << 24),
        digest(1 << 25),
        digest(1 << 24, (0, b"a")),
        digest(1 << 24, (1 << 20, b"a")),
    ]
    different.append(digest(1 << 24, (0, b"b")))
    assert len(set(different)) == len(different)
    # The same bytes by another way: whole blocks of data around them or holes.
    assert digest(1 << 24, (4 << 20, b"a")) == digest(1 << 24, (0, bytes(8 << 20)), (4 << 20, b"a"))
    twice = ((0, b"a"), (512 << 10, b"b"))  # two islands of data in one block
    assert digest(1 << 24, *twice) == digest(1 << 24, (0, bytes(1 << 20)), *twice)


def test_a_disk_grows_and_does_not_shrink(tmp_path: Path) -> None:
    disk = tmp_path / "d.raw"
    make_sparse(disk, 4096)
    make_sparse(disk, 8192)
    assert disk.stat().st_size == 8192
    with pytest.raises(LabError, match="does not shrink"):
        make_sparse(disk, 4096)


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / "a" / "f"
    write_atomically(file, "one")
    write_atomically(file, "two", 0o600)
    assert file.read_text() == "two"
    assert [path.name for path in file.parent.iterdir()] == ["f"]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_process_is_told_from_another_with_its_number(tmp_path: Path) -> None:
    mine = process.start(["sleep", "60"], tmp_path / "log", tied=False)
    assert mine.alive
    stranger = process.Process(mine.pid, mine.started + 1)
    assert not stranger.alive
    stranger.kill()
    assert mine.alive
    mine.kill()
    assert not mine.alive


def test_an_ended_child_is_not_alive(tmp_path: Path) -> None:
    done = process.start(["true"], tmp_path / "log", tied=True)
    assert done.wait(5)
