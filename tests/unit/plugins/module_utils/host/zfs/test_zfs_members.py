# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole disk on which zpool was killed while it wrote its table: ours only after a run that did not end."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host import blockdevices
from ansible_collections.barestore.storage.plugins.module_utils.host.blank import UNFINISHED
from ansible_collections.barestore.storage.plugins.module_utils.host.observation import (
    Observation,
    ReadBlock,
    Signatures,
)
from ansible_collections.barestore.storage.plugins.module_utils.host.state import Device
from ansible_collections.barestore.storage.plugins.module_utils.host.zfs import members

DISK = "/dev/disk/by-id/wwn-0x5000"
ZFS, RESERVED = "6a898cc3-1dd2-11b2-99a6-080020736631", "6a945a3b-1dd2-11b2-99a6-080020736631"
LINUX = "0fc63daf-8483-4772-8e79-3d69d8477de4"


def device(resource: str = "disk:wwn-0x5000") -> Device:
    return Device(
        ref="pool",
        path=DISK,
        resource=resource,
        size=1 << 30,
        sector=512,
        disks=("wwn-0x5000",),
        seed="R9",
        there=True,
        title="disk R9",
        serial="R9",
    )


def entry(kind: str, start: int, name: str) -> bytes:
    head = uuid.UUID(kind).bytes_le + uuid.uuid4().bytes + start.to_bytes(8, "little") + bytes(16)
    return (head + name.encode("utf-16-le")).ljust(128, b"\0")


def table(name: str = "zfs-0123456789abcdef", kind: str = ZFS) -> str:
    return b"".join((entry(kind, 2048, name), bytes(7 * 128), entry(RESERVED, 2080768, ""))).hex()


def refusals(
    entries: str, unfinished: str = "wwn-0x5000\n", labels: str = "00" * (1 << 19), more: str = "", **words: str
) -> list[str]:
    found = [{"type": one, "offset": "0x200", "label": "", "uuid": ""} for one in ("gpt", *more.split())]
    answers: dict[str, Any] = {
        Signatures(DISK).key: {"found": found, "error": "", "held": False, "bytes": ""},
        UNFINISHED.key: unfinished,
        ReadBlock(DISK, 1024, 1152).key: entries,
        ReadBlock(DISK, 1 << 20, 1 << 19).key: labels,
    }
    seen = Observation(answers)
    block = blockdevices.BlockDevices({}, {})
    said = [one.sentence() for one in members.unless_free([device(**words)], "pool rep", block, seen)]
    assert not seen.missing
    return said


def test_a_table_that_zpool_began_is_its_own() -> None:
    assert refusals(table()) == []


@pytest.mark.parametrize(
    "other",
    [
        {"unfinished": ""},
        {"unfinished": "wwn-0x6000\n"},
        {"entries": table(name="data")},
        {"entries": table(kind=LINUX)},
        {"entries": ""},
        {"labels": "00" * 1000 + "01"},
        {"more": "xfs"},
        {"resource": "partition:wwn-0x5000/slog"},
    ],
)
def test_any_other_table_is_somebodys(other: dict[str, str]) -> None:
    (said,) = refusals(**{"entries": table(), **other})
    assert "it carries gpt at 0x200" in said
