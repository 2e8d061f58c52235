# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects with contents that follow from their names: written and compared in the toolbox, and found on a disk."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

from tests.cluster.operator.kube import Kube

SIZE = 256 * 1024
_CHUNK = 1 << 22

# What the toolbox runs and what the tests compute must be the same.
_CONTENT = """
import hashlib
def content(name, size):
    parts = (hashlib.sha256(f"{name} {number}".encode()).digest() for number in range(size // 32))
    return b"".join(parts)
"""
_PROGRAM = """
import rados
with rados.Rados(conffile="/etc/ceph/ceph.conf") as ceph, ceph.open_ioctx(told["pool"]) as pool:
    for name in told["write"]:
        pool.write_full(name, content(name, told["size"]))
    wrong = [name for name in told["read"] if pool.read(name, told["size"] + 1) != content(name, told["size"])]
    print("different:", wrong) if wrong else print("equal")
"""

# Runs in a pod of its own until it is stopped; a name is noted when its object is on all its OSDs.
WRITER = f"""
import os, rados, time
{_CONTENT}
notes = open("/acknowledged/" + os.environ["NAME"], "a+")
notes.seek(0)
number = len(notes.read().split())
with rados.Rados(conffile="/etc/ceph/ceph.conf") as ceph, ceph.open_ioctx(os.environ["POOL"]) as pool:
    while True:
        name = os.environ["NAME"] + "-" + str(number)
        pool.write_full(name, content(name, {SIZE}))
        notes.write(name + chr(10))
        notes.flush()
        os.fsync(notes.fileno())
        number += 1
        time.sleep(0.5)
"""


def objects(prefix: str, count: int) -> list[str]:
    """Names."""
    return [f"{prefix}-{number}" for number in range(count)]


def content(name: str, size: int = SIZE) -> bytes:
    """What is in the object with this name."""
    return b"".join(hashlib.sha256(f"{name} {number}".encode()).digest() for number in range(size // 32))


def write_and_check(k: Kube, pool: str, write: Sequence[str] = (), read: Sequence[str] = ()) -> None:
    """Write objects, and read objects that must be what was written."""
    told = json.dumps({"pool": pool, "size": SIZE, "write": list(write), "read": list(read)})
    assert k.toolbox("python3", "-", stdin=f"told = {told}\n{_CONTENT}{_PROGRAM}").strip() == "equal"


def place_of(file: Path, wanted: bytes) -> int:
    """Where a sparse file has the first block of these bytes; blocks begin at multiples of 4 KiB."""
    with file.open("rb") as stream:
        end, data = file.stat().st_size, 0
        while data < end:
            try:
                data = os.lseek(stream.fileno(), data, os.SEEK_DATA)
            except OSError:  # only a hole is left
                break
            hole = os.lseek(stream.fileno(), data, os.SEEK_HOLE)
            while data < hole:
                chunk = os.pread(stream.fileno(), min(_CHUNK, hole - data), data)
                for start in range(0, len(chunk), 4096):
                    if chunk.startswith(wanted[:4096], start):
                        return data + start
                data += len(chunk)
    raise AssertionError(f"{file} has these bytes nowhere")
