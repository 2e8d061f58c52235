# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a simulated host answers to the planner's questions, in the formats of the real tools (Debian 13)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from simulated_block import Node, ToolFailure, above
from simulated_filesystems import statfs

from ansible_collections.barestore.storage.plugins.module_utils.host import blockdevices
from ansible_collections.barestore.storage.plugins.module_utils.host.observation import (
    IN_USE,
    Probe,
    ReadBlock,
    ReadFile,
    ReadLinks,
    ReadLuks,
    ReadPartitions,
    Run,
    Signatures,
    StatFs,
    StatPath,
)
from ansible_collections.barestore.storage.plugins.module_utils.plan.digest import sha256

if TYPE_CHECKING:
    from simulated_host import SimulatedHost

_FIRST_MOUNTS = (
    "24 25 0:6 / /dev rw,relatime shared:2 - devtmpfs d rw,size=747592k,nr_inodes=186898,mode=755,inode64\n"
    "26 25 0:22 / /proc rw,nosuid,nodev,noexec,relatime shared:5 - proc proc rw\n"
)


def answer(host: SimulatedHost, probe: Probe) -> Any:
    """The answer of the observer to one question."""
    if isinstance(probe, Run):
        return run(host, probe.argv)
    if isinstance(probe, ReadFile):
        return file(host, probe.path)
    if isinstance(probe, ReadBlock):
        node = host.find(probe.path)
        return node.read(probe.offset, probe.length).hex() if node else None
    if isinstance(probe, ReadLuks):
        return host.luks.public(probe.path)
    if isinstance(probe, Signatures):
        return _signatures(host, probe.path)
    if isinstance(probe, StatFs):
        mounted = host.mounts.get(probe.path)
        return statfs(mounted.content) if mounted and mounted.content else None
    if isinstance(probe, StatPath):
        return None if probe.path in host.unreadable else host.stat(probe.path)
    if isinstance(probe, ReadLinks):
        return _links(host, probe.path)
    if isinstance(probe, ReadPartitions):
        return {
            node.kname: [node.partition.number, node.partition.start * node.sector // 512]
            for node in host.nodes
            if node.partition
        }
    raise ToolFailure(f"the model has no answer to {probe!r}")


def run(host: SimulatedHost, argv: tuple[str, ...]) -> dict[str, Any]:
    if argv == blockdevices.LSBLK.argv:
        return _said(lsblk(host))
    if argv[:2] == ("resize2fs", "-P"):
        return _said("Estimated minimum size of the filesystem: 5000\n")
    if argv[0] == "getent":
        return (
            _said("") if argv[2] in (*host.accounts, *host.accounts.values()) else {"rc": 2, "stdout": "", "stderr": ""}
        )
    for part in host.parts:
        found = part.answer(argv)
        if found is not None:
            rc, text = found
            return {"rc": rc, "stdout": text if rc == 0 else "", "stderr": "" if rc == 0 else text}
    raise ToolFailure(f"the model has no answer to {' '.join(argv)}")


def _said(text: str) -> dict[str, Any]:
    return {"rc": 0, "stdout": text, "stderr": ""}


def lsblk(host: SimulatedHost) -> str:
    """The tree; a device with several parents is printed below each of them."""
    tops = [node for node in host.nodes if not node.parents and node.shown]
    ordered = sorted(tops, key=lambda node: tuple(int(one) for one in node.number.split(":")))
    return json.dumps({"blockdevices": [_row(host, node) for node in ordered]}, indent=3)


def _row(host: SimulatedHost, node: Node) -> dict[str, Any]:
    disk = node.disk if node.kind == "disk" else None
    table, part = node.table, node.partition
    content = node.content
    where = sorted(path for path, one in host.mounts.items() if one is node)
    if node in host.swaps:
        where = ["[SWAP]"]
    owner = node.parents[0] if part else node
    row: dict[str, Any] = {
        "name": node.dm_name or node.kname,
        "kname": node.kname,
        "path": node.path,
        "maj:min": node.number,
        "type": node.kind,
        "size": node.size,
        "log-sec": node.sector,
        "phy-sec": max(node.sector, 512),
        "rota": node.rotational,
        "ro": False,
        "tran": None if not disk or disk.bus == "scsi" else disk.bus,
        "serial": disk.serial if disk else None,
        "wwn": (owner.disk.wwn or None) if owner.disk else None,
        "model": disk.model if disk else None,
        "vendor": f"{disk.vendor:<8}" if disk and disk.vendor else None,
        "hctl": f"0:0:{disk.port}:0" if disk and disk.bus in ("sas", "sata", "scsi") else None,
        "pttype": "gpt" if owner.table else None,
        "ptuuid": owner.table.uuid if owner.table else None,
        "partuuid": part.uuid if part else None,
        "parttype": part.type if part else None,
        "partlabel": part.name if part else None,
        "fstype": content.type if content else None,
        "fsver": content.version if content else None,
        "label": (content.label or None) if content else None,
        "uuid": (content.uuid or None) if content else None,
        "mountpoints": where,
    }
    below = [*(table.nodes if table else ()), *(one for one in above(node, host.nodes) if one.kind != "part")]
    shown = [_row(host, one) for one in below if one.shown]
    return {**row, "children": shown} if shown else row


def file(host: SimulatedHost, path: str) -> str | None:
    if path == "/proc/self/mountinfo":
        rows = [
            f"{40 + index} 25 {node.number} / {where} rw,relatime shared:{30 + index} - "
            f"{node.content.type if node.content else 'ext4'} {node.path} rw\n"
            for index, (where, node) in enumerate(host.mounts.items())
        ]
        more = [line for part in host.parts for line in part.mountinfo()]
        return _FIRST_MOUNTS + "".join(rows) + "".join(more)
    if path == "/proc/swaps":
        lines = [f"{node.path:<39} partition\t{node.size // 1024 - 4}\t\t0\t\t-2\n" for node in host.swaps]
        return "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n" + "".join(lines)
    for part in host.parts:
        text = part.file(path)
        if text is not None:
            return text
    return host.files.get(path)


def _signatures(host: SimulatedHost, path: str) -> dict[str, Any]:
    node = host.find(path)
    if node is None:
        return {"found": [], "error": "it cannot be opened: No such file or directory", "held": False, "bytes": ""}
    error = IN_USE if node.busy or (node.partition and node.parents[0].users) else ""
    return {"found": node.signatures(), "error": error, "held": bool(error), "bytes": contents(node)}


def contents(node: Node) -> str:
    """The digest of what lies where labels lie."""
    table = node.table
    parts = [[one.number, one.start, one.size, one.uuid] for one in table.parts] if table else []
    return sha256([node.signatures(), table.uuid if table else "", parts])


def _links(host: SimulatedHost, folder: str) -> dict[str, str]:
    out = {}
    for node in host.nodes:
        for link in host.links_of(node):
            above_it, _slash, name = link.rpartition("/")
            if above_it == folder:
                out[name] = node.kname
    return out
