# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Disks of a pool are replaced, mirrors made wider and narrower: runs that stop anywhere are finished by the next."""

from __future__ import annotations

from typing import Any

import simulated_zfs_members as members
from hypothesis import given
from hypothesis import strategies as st
from simulated_block import GIB, DiskModel
from simulated_host import SimulatedHost
from simulated_zfs import Pool, Zfs

from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Plan

KINDS = {"mirror": 2, "raidz1": 4, "raidz2": 4, "draid1": 4, "stripe": 1}


def disk(number: int) -> DiskModel:
    return DiskModel(f"D{number:02}", "sas", number, 8 * GIB, rotational=True, wwn=f"0x5000c500000000{number:02x}")


class Story:
    """One host and the document of its pool, which changes."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.kind = data.draw(st.sampled_from(sorted(KINDS)), label="kind")
        self.parts = data.draw(st.booleans(), label="on partitions")
        self.width = KINDS[self.kind]
        self.serials = [f"D{number:02}" for number in range(1, 5)]
        self.words: dict[str, Any] = {}
        system = DiskModel("system", "virtio", 30, 20 * GIB, system=True)
        self.host = SimulatedHost([system, *(disk(number) for number in range(1, 5))])

    @property
    def zfs(self) -> Zfs:
        return self.host.zfs

    @property
    def pool(self) -> Pool:
        return self.zfs.pools["tank"]

    @property
    def document(self) -> dict[str, Any]:
        group = {"match": {"serial": self.serials}, "count": len(self.serials), **self.words}
        data: dict[str, Any] = {self.kind: ["p.z" if self.parts else "p"]}
        if self.kind != "stripe":
            data["width"] = self.width
        table = {"partitions": {"p": [{"name": "z", "size": "4 GiB", "use": "zfs"}]}} if self.parts else {}
        return {"disks": {"p": group}, **table, "zfs": {"tank": {"data": data}}}

    def becomes(self) -> None:
        """A run that stops anywhere, one that goes on, and nothing left to do."""
        plan = self.planned()
        stop = self.data.draw(st.integers(0, len(plan.actions)), label="actions done")
        for action in plan.actions[:stop]:
            self.host.run(action)
        if stop < len(plan.actions):
            steps = plan.actions[stop].steps
            for step in steps[: self.data.draw(st.integers(0, len(steps)), label="steps done of the next")]:
                self.host.step(step, plan.actions[stop])
        for action in self.planned().actions:
            self.host.run(action)
        assert [action.id for action in self.planned().actions] == []

    def planned(self) -> Plan:
        plan = self.host.consented(self.document)
        assert not plan.refusals, [one.sentence() for one in plan.refusals]
        return plan

    def held(self) -> set[str]:
        """The serial numbers of the disks in the pool."""
        nodes = [self.host.find(name) for vdev in self.pool.vdevs for name in vdev.names]
        disks = {node.parents[0].disk if node.parents else node.disk for node in nodes if node}
        return {one.serial for one in disks if one}


@given(st.data())
def test_disks_are_replaced_and_mirrors_change_their_width(data: st.DataObject) -> None:
    story = Story(data)
    story.becomes()
    shape = [(vdev.kind, len(vdev.names)) for vdev in story.pool.vdevs]
    old = data.draw(st.integers(1, 4), label="old")
    story.host.plug([disk(9)])
    if story.kind != "stripe" and data.draw(st.booleans(), label="gone"):
        members.lose(story.pool, story.host.unplug(disk(old)))
        assert [one.target for one in story.host.plan(story.document).refusals] == ["disk group 'p'"]
    story.words = {"replace": {f"D{old:02}": "D09"}}
    story.becomes()
    if data.draw(st.booleans(), label="while it resilvers"):
        assert story.host.plan(story.document).notes
    members.finish(story.pool, story.zfs)
    story.becomes()
    assert [(vdev.kind, len(vdev.names)) for vdev in story.pool.vdevs] == shape
    assert story.held() == {*story.serials, "D09"} - {f"D{old:02}"}
    if story.kind != "mirror":
        return
    story.host.plug([disk(10), disk(11)])
    before = story.held()
    story.serials, story.width = [*story.serials, "D10", "D11"], 3
    story.becomes()
    assert [len(vdev.names) for vdev in story.pool.vdevs] == [3, 3]
    story.serials, story.width = story.serials[:4], 2
    story.words = {**story.words, "retire": ["D10", "D11"]}
    story.becomes()
    assert [len(vdev.names) for vdev in story.pool.vdevs] == [2, 2]
    assert story.held() == before
