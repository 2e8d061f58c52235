# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Disks in other slots, controllers in another order, a chassis swap: what was chosen stays, and nothing is done."""

from __future__ import annotations

from dataclasses import replace

from documents import Case, cases
from hypothesis import given
from hypothesis import strategies as st
from simulated_block import Node
from simulated_host import SITE, SimulatedHost

from ansible_collections.barestore.storage.plugins.module_utils.host.state import Site


def _move(host: SimulatedHost, data: st.DataObject) -> None:
    """Every disk in a slot of another one of its bus, and with the kernel name of yet another."""
    disks = [node for node in host.nodes if node.kind == "disk"]
    for bus in sorted({node.disk.bus for node in disks if node.disk}):
        same = [node for node in disks if node.disk and node.disk.bus == bus]
        ports = data.draw(st.permutations([node.disk.port for node in same if node.disk]), label="ports")
        names = data.draw(st.permutations([node.kname for node in same]), label="kernel names")
        for node, port, name in zip(same, ports, names, strict=True):
            _place(host, node, port, name)


def _place(host: SimulatedHost, node: Node, port: int, name: str) -> None:
    assert node.disk is not None
    node.disk = replace(node.disk, port=port)
    node.links = (*(one for one in node.links if "/by-path/" not in one), f"/dev/disk/by-path/{node.disk.slot}")
    node.kname = name
    for part in [one for one in host.nodes if one.kind == "part" and one.parents == (node,)]:
        assert part.partition is not None
        part.disk = node.disk
        part.kname = f"{name}{'p' if name[-1].isdigit() else ''}{part.partition.number}"
        part.links = tuple(f"{link}-part{part.partition.number}" for link in node.links)


@given(cases(), st.data())
def test_moved_disks_stay_what_they_were(case: Case, data: st.DataObject) -> None:
    host = SimulatedHost(case.disks)
    plan = host.plan(case.document)
    assert not plan.refusals
    for action in plan.actions:
        host.run(action)
    _move(host, data)
    again = host.plan(case.document)
    if again.refusals:
        # Chosen by its slot, and now in another one: a person must say what is meant.
        assert all("no longer matches" in one.message for one in again.refusals), again.refusals
    else:
        assert [one.id for one in again.actions] == []


@given(cases())
def test_disks_of_another_host_are_not_taken(case: Case) -> None:
    """All disks go to a host of another name, with the same document: groups are named, nothing is written."""
    host = SimulatedHost(case.disks)
    for action in host.plan(case.document).actions:
        host.run(action)
    if "lvm" not in case.document:
        return
    del host.files["/var/lib/barestore/state.json"]
    for node in host.swaps:
        node.users.discard("swap")
    host.swaps.clear()
    plan = host.plan(case.document, Site(SITE.name, "other"))
    assert plan.actions == ()
    assert any("barestore made it for another host, site1/host1" in one.message for one in plan.refusals)
