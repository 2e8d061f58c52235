# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host says of the devices that it gives away, from a recording of a virtual host."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from ansible_collections.barestore.storage.plugins.module_utils.host import planner
from ansible_collections.barestore.storage.plugins.module_utils.host.observation import Observation
from ansible_collections.barestore.storage.plugins.module_utils.host.state import Site

ROOT = Path(__file__).resolve().parents[5]


def test_each_given_device_is_told_with_the_identity_of_its_disk() -> None:
    document = yaml.safe_load((ROOT / "inventories/lab/group_vars/storage_servers.yml").read_text())["host_storage"]
    recording = json.loads((ROOT / "tests/unit/recordings/full/lab1.json").read_text())
    found = planner.local_volumes(document, Observation(recording["answers"]), Site("lab", "lab1"))
    assert sorted(each["serial"] for each in found) == ["HDD0003", "HDD0004", "HDD0005", "HDD0006"]
    assert {(each["storage_class"], each["mode"], each["bytes"]) for each in found} == {
        ("local-storage", "block", 8 * 1024**3)
    }
    for each in found:
        assert each["link"] == f"/var/lib/barestore/local-volumes/osd/{each['identity']}"
        assert each["wwn"]


def test_nothing_is_told_where_nothing_is_given() -> None:
    assert planner.local_volumes({"disks": {}}, Observation({}), Site("lab", "lab1")) == []
