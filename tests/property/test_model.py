# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The model against recordings of the real tools on Debian 13."""

from __future__ import annotations

import pytest
import simulated_filesystems
from simulated_block import MIB, Node, ToolFailure

UUID = "21111111-1111-5111-8111-111111111111"

# mkfs.ext4 of e2fsprogs 1.47.2: MiB of the device, then blocks, block size, inodes per group, reserved GDT blocks.
EXT4 = [
    (4, 4096, 1024, 1024, 31),
    (64, 65536, 1024, 2048, 256),
    (100, 102400, 1024, 1968, 256),
    (129, 132096, 1024, 1944, 256),
    (303, 310272, 1024, 2040, 256),
    (512, 131072, 4096, 8192, 63),
    (513, 131072, 4096, 8208, 63),
    (641, 163840, 4096, 8208, 79),
    (700, 179200, 4096, 7472, 87),
    (1025, 262144, 4096, 8208, 127),
    (1026, 262656, 4096, 7296, 128),
    (3000, 768000, 4096, 8000, 374),
    (4100, 1049600, 4096, 7952, 512),
    (16513, 4227072, 4096, 8208, 1024),
    (1000000, 256000000, 4096, 8192, 1024),
]
# mkfs.xfs of xfsprogs 6.13: MiB, then blocks, blocks of an allocation group, blocks of the log.
XFS = [
    (300, 76800, 19200, 16384),
    (513, 131328, 32832, 16384),
    (1035, 264960, 66240, 16384),
    (16513, 4227328, 1056832, 16384),
    (1000000, 256000000, 64000000, 125000),
]


@pytest.mark.parametrize(("size", "blocks", "block", "inodes", "reserved"), EXT4)
def test_ext4_is_laid_out_as_by_mkfs(size: int, blocks: int, block: int, inodes: int, reserved: int) -> None:
    node = Node("disk", size * MIB)
    simulated_filesystems.make("mkfs.ext4", ["-q", "-U", UUID], node)
    assert node.content is not None
    shape = node.content.geometry
    assert (shape["blocks"], shape["block"], shape["inodes_per_group"], shape["reserved"]) == (
        blocks,
        block,
        inodes,
        reserved,
    )


@pytest.mark.parametrize(("size", "blocks", "group", "log"), XFS)
def test_xfs_is_laid_out_as_by_mkfs(size: int, blocks: int, group: int, log: int) -> None:
    node = Node("disk", size * MIB)
    simulated_filesystems.make("mkfs.xfs", ["-q", "-m", f"uuid={UUID}"], node)
    assert node.content is not None
    assert node.content.geometry == {"blocks": blocks, "group": group, "log": log}


def test_mkfs_on_what_is_not_blank_fails() -> None:
    node = Node("disk", 600 * MIB)
    simulated_filesystems.make("mkfs.xfs", ["-m", f"uuid={UUID}"], node)
    with pytest.raises(ToolFailure, match="carries"):
        simulated_filesystems.make("mkfs.ext4", ["-U", UUID], node)
