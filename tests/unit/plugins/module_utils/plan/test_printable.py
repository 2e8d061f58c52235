# SPDX-License-Identifier: GPL-3.0-or-later
"""What others wrote stands in sentences so that no terminal obeys it."""

from __future__ import annotations

from simulated_block import GIB, DiskModel
from simulated_host import ModelObserver, SimulatedHost

from ansible_collections.barestore.storage.plugins.module_utils.host import blockdevices
from ansible_collections.barestore.storage.plugins.module_utils.host.disk_facts import disk_facts
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import CommandFailed
from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Plan


def test_what_a_tool_says() -> None:
    failed = CommandFailed(("mkfs.ext4",), 1, "labelled 'a\x1b[2J'\nB\u00fcro")
    assert failed.message.endswith("labelled 'a\\x1b[2J' B\u00fcro")


def test_what_a_disk_says() -> None:
    host = SimulatedHost([DiskModel("D1", "sas", 1, GIB, model="a\x1b[2J", wwn="0x5000c50000000001")])
    seen, _plan = ModelObserver(host).observe(blockdevices.PROBES, lambda _seen: Plan(()))
    assert [one["model"] for one in disk_facts(seen)] == ["a\\x1b[2J"]
