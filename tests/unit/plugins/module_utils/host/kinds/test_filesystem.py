# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""File systems: several changes of one come one after the other."""

from __future__ import annotations

from typing import Any

import pytest
from side_by_side import side_by_side
from simulated_block import GIB, DiskModel
from simulated_host import SimulatedHost


def _document(label: str, size: str, mount: dict[str, Any]) -> dict[str, Any]:
    volume = {"size": size, "filesystem": {"type": "ext4", "label": label}, **mount}
    return {
        "disks": {"d": {"match": {"rotational": False}, "count": 1}},
        "lvm": {"vg": {"physical_volumes": ["d"], "volumes": {"data": volume}}},
    }


@pytest.mark.parametrize("mount", [{}, {"mount": "/srv/data"}])
def test_a_label_and_a_size_are_not_changed_at_once(mount: dict[str, Any]) -> None:
    """tune2fs would write the superblock back as it was before resize2fs."""
    host = SimulatedHost([DiskModel("D1", "sas", 1, 8 * GIB, wwn="0x5000c50000000001")])
    for action in host.plan(_document("old", "1 GiB", {})).actions:
        host.run(action)
    plan = host.plan(_document("new", "2 GiB", mount))
    names = [one.id for one in plan.actions]
    assert {"filesystem.label:vg/data", "filesystem.grow:vg/data"} <= set(names)
    assert [*side_by_side(plan)] == []
    if mount:
        assert names.index("mount.mount:/srv/data") > names.index("filesystem.label:vg/data")
