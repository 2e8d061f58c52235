# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes that nobody knows are somebody's, unless an unfinished run of ours was writing to that disk."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host.blank import UNFINISHED, unless_blank
from ansible_collections.barestore.storage.plugins.module_utils.host.observation import Observation, Signatures
from ansible_collections.barestore.storage.plugins.module_utils.host.state import Device

DISK = Device("a", "/dev/disk/by-id/wwn-1", "disk:wwn-1", 1 << 30, 512, ("wwn-1",), "wwn-1", True, "disk S1")
UNKNOWN = {"type": "unknown data", "offset": "0x1000", "label": "", "uuid": "aa"}
EXT4 = {"type": "ext4", "offset": "0x438", "label": "", "uuid": ""}


@pytest.mark.parametrize(
    ("found", "unfinished", "refused"),
    [
        ([], None, False),
        ([UNKNOWN], None, True),
        ([UNKNOWN], "wwn-2\n", True),
        ([UNKNOWN], "wwn-1\nwwn-2\n", False),
        ([EXT4], "wwn-1\n", True),
        ([EXT4, UNKNOWN], "wwn-1\n", True),
    ],
)
def test_what_is_refused(found: list[Any], unfinished: str | None, refused: bool) -> None:
    answer = {"found": found, "error": "", "held": False, "bytes": ""}
    seen = Observation({Signatures(DISK.path).key: answer, UNFINISHED.key: unfinished})
    refusals = list(unless_blank(seen, DISK, "ext4"))
    assert bool(refusals) == refused
    assert all(one.disks == ("wwn-1",) for one in refusals)


@pytest.mark.parametrize(("found", "told"), [([EXT4], True), ([EXT4, UNKNOWN], False), ([UNKNOWN], False)])
def test_what_the_document_means_is_not_to_be_cleared_first(found: list[Any], told: bool) -> None:
    """Where udev told nothing of the very file system that is wanted, clearing it would be the loss."""
    answer = {"found": found, "error": "", "held": False, "bytes": ""}
    seen = Observation({Signatures(DISK.path).key: answer, UNFINISHED.key: None})
    (refusal,) = unless_blank(seen, DISK, "ext4", unseen="ext4")
    assert (f"run 'udevadm trigger {DISK.path}' and run again" in refusal.hint) == told
