# SPDX-License-Identifier: GPL-3.0-or-later
"""The driver of nodes: a new overlay over the shared root, or the one that the node had before."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

from barestore.lab.building import Say
from barestore.lab.containers import node as nodes
from barestore.lab.containers import tree
from barestore.lab.containers.node import Node
from barestore.lab.errors import LabError
from barestore.lab.host import Host
from barestore.lab.machine import Machine

TOOLS = ("podman", "runc", "losetup", "partx", "ip", "ssh", "ssh-keygen", "mmdebstrap")


@dataclass(frozen=True)
class Nodes:
    """Hosts with ``kind: container``."""

    together: bool = True

    def recall(self, folder: Path) -> Node | None:
        """The node that was saved in a folder, if any."""
        return nodes.recall(folder)

    def prepare(self, say: Say) -> None:
        """The shared root, and this machine's tools."""
        if os.geteuid() != 0:
            raise LabError("hosts of kind container need root, for mounts and loop devices; run this with sudo")
        path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
        missing = [tool for tool in TOOLS if not shutil.which(tool, path=path)]
        if missing:
            raise LabError(
                f"hosts of kind container need {', '.join(missing)}, not found on this machine; "
                "run tests/setup/cluster-host.sh of the barestore repository, which installs it"
            )
        tree.ensure(say)

    def bring_up(self, folder: Path, machine: Machine, known: Host | None, say: Say) -> Node:
        """A running node."""
        if known is not None and not isinstance(known, Node):
            raise LabError(
                f"host {machine.name} was a {known.machine.kind}; remove it first: down {machine.name} --wipe"
            )
        started = time.monotonic()
        node = replace(known, machine=machine) if known is not None else Node(folder, machine, tree.ensure(say))
        try:
            node.boot()
        except BaseException:
            node.power_cut()  # neither an error nor Ctrl-C leaves a node running that nobody can use
            raise
        seconds = time.monotonic() - started
        say(f"{node.name}: up after {seconds:.1f} s, {len(machine.disks)} disks, address {node.address.ip}")
        return node
