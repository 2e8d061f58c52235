# SPDX-License-Identifier: GPL-3.0-or-later
"""References to volumes: of volume groups and of pools."""

from __future__ import annotations

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host.layout import Layout

LAYOUT = Layout({"lvm": {"fast": {"volumes": {"data": {}}}}, "zfs": {"tank": {"volumes": {"vm1": {}}}}})


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("fast/data", ""),
        ("tank/vm1", ""),
        ("fast/dta", "'fast/dta' is no volume of volume group 'fast'"),
        ("tank/vm2", "'tank/vm2' is no volume of pool 'tank'"),
        ("slow/data", "'slow' is no volume group and no pool"),
    ],
)
def test_a_volume_is_of_a_group_or_of_a_pool(reference: str, message: str) -> None:
    problem = LAYOUT.unknown(reference, ("filesystems", "a", "device"))
    assert (problem.message if problem else "") == message
