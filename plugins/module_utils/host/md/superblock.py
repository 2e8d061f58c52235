# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Superblocks 1.2 of MD: offsets of struct mdp_superblock_1 (kernel, include/uapi/linux/raid/md_p.h)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ...plan.printable import printable
from ..observation import Observation, ReadBlock

AT = 4096  # version 1.2: one page into the device
UUID_AT = AT + 16
_LENGTH = 256
_MAGIC = 0xA92B4EFC


@dataclass(frozen=True)
class Superblock:
    """``events`` is 0 until the array has run for the first time."""

    uuid: str
    name: str
    level: int
    devices: int
    events: int


def read(observation: Observation, path: str) -> Superblock | None:
    """Of a member of an array that does not run: while one runs, the page cache may hold an older one."""
    raw = observation.ask(ReadBlock(path, AT, _LENGTH))
    return parse(bytes.fromhex(raw)) if raw else None


def parse(raw: bytes) -> Superblock | None:
    if len(raw) < _LENGTH or struct.unpack_from("<II", raw) != (_MAGIC, 1):
        return None
    return Superblock(
        spelled(raw[16:32].hex()),
        printable(raw[32:64].split(b"\0")[0].decode(errors="replace")),
        struct.unpack_from("<i", raw, 72)[0],
        struct.unpack_from("<I", raw, 92)[0],
        struct.unpack_from("<Q", raw, 200)[0],
    )


def spelled(uuid: str) -> str:
    """A UUID in mdadm's spelling: four groups of eight digits."""
    text = uuid.replace("-", "").replace(":", "").lower()
    return ":".join(text[start : start + 8] for start in range(0, 32, 8))
