# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks whose labels only a kernel module writes (ZFS, md, device-mapper): what lies in some places, as text.

A recording is a JSON file: ``made`` is the command, ``size`` the bytes of the disk, ``blocks`` zlib and
base64 by offset.
"""

from __future__ import annotations

import base64
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent / "recordings"
_BLOCK = 4096


def extract(disk: Path, kept: tuple[tuple[int, int], ...]) -> dict[str, str]:
    """What lies at the ``kept`` (offset, length) of a sparse file, without what is zero."""
    out: dict[str, str] = {}
    with disk.open("rb") as handle:
        for low, length in kept:
            for offset, raw in _runs(handle.fileno(), low, low + length):
                out[str(offset)] = base64.b64encode(zlib.compress(raw, 9)).decode()
    return out


def _runs(handle: int, low: int, high: int) -> Iterator[tuple[int, bytes]]:
    """Neighbouring blocks with something in them, joined."""
    start, run = low, b""
    for at in range(low, high, _BLOCK):
        raw = os.pread(handle, min(_BLOCK, high - at), at)
        if any(raw):
            start = start if run else at
            run += raw
        elif run:
            yield start, run
            run = b""
    if run:
        yield start, run


def save(name: str, made: str, size: int, blocks: Mapping[str, str]) -> None:
    text = json.dumps({"made": made, "size": size, "blocks": dict(blocks)}, indent=1)
    (FOLDER / f"{name}.json").write_text(text + "\n")


def load(name: str) -> dict[str, Any]:
    return dict(json.loads((FOLDER / f"{name}.json").read_text()))


def replay(name: str, path: Path, start: int = 0, size: int = 0) -> None:
    """Make ``path`` the recorded disk, or the partition of it that begins at ``start``."""
    one = load(name)
    size = size or one["size"] - start
    with path.open("wb") as handle:
        handle.truncate(size)
        for offset, text in one["blocks"].items():
            at, raw = int(offset) - start, zlib.decompress(base64.b64decode(text))
            raw, at = (raw[-at:], 0) if at < 0 else (raw, at)
            if raw and at < size:
                os.pwrite(handle.fileno(), raw[: size - at], at)
