# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes as containers: names, identities and what is said, without any of them running."""

from __future__ import annotations

from ipaddress import IPv4Interface
from pathlib import Path

import pytest

from barestore.lab.containers.commands import run
from barestore.lab.containers.disks import Disks, properties
from barestore.lab.containers.network import Network, gateway_of
from barestore.lab.containers.node import Node, recall
from barestore.lab.containers.tree import Tree
from barestore.lab.errors import LabError
from barestore.lab.machine import parse_machine

MACHINE = parse_machine(
    "ss1",
    {
        "kind": "container",
        "address": "10.77.0.12/24",
        "disks": [{"serial": "SS1-HDD1", "type": "hdd", "size": "8 GiB", "wwn": "0x5000c50000000001"}],
    },
)


def test_the_first_address_of_the_network_is_the_machines() -> None:
    assert gateway_of(IPv4Interface("10.77.0.200/25")) == IPv4Interface("10.77.0.129/25")


def test_two_sites_share_no_name_and_each_fits_the_kernel(tmp_path: Path) -> None:
    one, two = Network(tmp_path / "one"), Network(tmp_path / "two")
    names = [one.bridge, two.bridge, one._card("ss1"), two._card("ss1"), one._card("ss2")]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 15 for name in names)


def test_udev_of_a_node_takes_only_disks_of_the_nodes_own_folder(tmp_path: Path) -> None:
    disk = MACHINE.disks[0]
    mine, other = Disks(tmp_path / "ss1/disks"), Disks(tmp_path / "ss2/disks")
    assert mine.file(disk).name != other.file(disk).name
    assert f'"*/{mine.mark}-*.img"' in mine.rules()
    assert other.mark not in mine.rules()


def test_the_link_that_is_waited_for_is_the_one_that_udev_makes() -> None:
    disk = MACHINE.disks[0]
    known = dict(line.split("=", 1) for line in properties(disk).splitlines())
    assert disk.link == f"wwn-{known['ID_WWN_WITH_EXTENSION']}"
    assert known["ID_SERIAL_SHORT"] == "SS1-HDD1"


def test_a_node_is_found_again_as_it_was(tmp_path: Path) -> None:
    node = Node(tmp_path / "ss1", MACHINE, Tree(tmp_path / "tree"), born=True)
    assert recall(node.folder) is None
    node.folder.mkdir()
    node.save()
    assert recall(node.folder) == node


def test_a_tool_that_is_missing_or_fails_is_a_sentence() -> None:
    with pytest.raises(
        LabError, match="no-such-tool is not installed on this machine; run tests/setup/cluster-host.sh"
    ):
        run(["no-such-tool"])
    with pytest.raises(LabError, match="ended with code 2: ls: cannot access"):
        run(["env", "LC_ALL=C", "ls", "/absent"])
    assert run(["ls", "/absent"], check=False) == ""
