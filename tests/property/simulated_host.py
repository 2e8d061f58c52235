# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A deterministic model of a host: it answers the planner's questions and carries out the steps of actions, strictly.

It is written from the behaviour of the tools and not from the kinds: an unknown command or option, a device that is
not there, a name of the kernel in a command, or making something on what is in use is a ToolFailure.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import simulated_filesystems as filesystems
import simulated_probes
from simulated_block import Content, DiskModel, Folder, Node, Part, ToolFailure, require, sfdisk, tell_kernel
from simulated_luks import Luks
from simulated_lvm import Lvm
from simulated_md import Md
from simulated_tools import TOOLS
from simulated_zfs import Zfs

from ansible_collections.barestore.storage.plugins.module_utils.host import planner
from ansible_collections.barestore.storage.plugins.module_utils.host.observation import Probe
from ansible_collections.barestore.storage.plugins.module_utils.host.observer import Observer
from ansible_collections.barestore.storage.plugins.module_utils.host.state import Site
from ansible_collections.barestore.storage.plugins.module_utils.plan.model import (
    Action,
    Command,
    EditLine,
    Expect,
    Link,
    Plan,
    Step,
    Zero,
)
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner

SITE = Site("site1", "host1")
_CONSENT = re.compile(r'- \{action: "(.+)", digest: "(sha256:[0-9a-f]{64})"\}$')


@dataclass
class SimulatedHost:
    """Disks with kernel names in the order of ``names``: a permutation of the positions of ``disks``."""

    disks: Sequence[DiskModel]
    names: Sequence[int] = ()
    accounts: Mapping[str, str] = field(default_factory=lambda: {"root": "0", "daemon": "1", "mail": "8"})
    nodes: list[Node] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    mounts: dict[str, Node] = field(default_factory=dict)
    swaps: list[Node] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    modes: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    folders: dict[tuple[str, str], Folder] = field(default_factory=dict)
    fresh: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)
    _minors: int = 0
    _named: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.files["/etc/fstab"] = "# made by the installer\nUUID=0-root / ext4 noatime 0 1\n"
        for path in ("/", "/srv", "/mnt", "/var", "/var/lib", "/run/systemd/system"):
            self.folders["", path] = Folder()
        self.md, self.luks = Md(self), Luks(self)
        self.lvm, self.zfs = Lvm(self), Zfs(self)
        self.parts += [self.lvm, self.zfs, self.md, self.luks]
        order = list(self.names) or list(range(len(self.disks)))
        for place in order:
            self._attach(self.disks[place])

    def plug(self, disks: Iterable[DiskModel]) -> None:
        """More disks come in."""
        for model in disks:
            self._attach(model)

    def unplug(self, model: DiskModel) -> list[str]:
        """A disk is pulled out; the names by which it and its partitions were known."""
        disk = next(node for node in self.nodes if node.disk == model)
        gone = [node for node in self.nodes if node is disk or disk in node.parents]
        self.nodes = [node for node in self.nodes if node not in gone]
        return [link for node in gone for link in node.links]

    def _attach(self, model: DiskModel) -> None:
        prefix = {"nvme": "nvme", "virtio": "vd"}.get(model.bus, "sd")
        index = self._named[prefix] = self._named.get(prefix, -1) + 1  # a name that a disk left does not come back
        node = Node(
            "disk",
            model.size,
            disk=model,
            sector=model.sector,
            rotational=model.rotational,
            links=(*(f"/dev/disk/by-id/{one}" for one in model.links), f"/dev/disk/by-path/{model.slot}"),
            kname=f"nvme{index}n1" if prefix == "nvme" else prefix + chr(ord("a") + index),
            number=f"{8 if prefix == 'sd' else 259}:{16 * sum(self._named.values(), len(self._named))}",
        )
        if model.system:
            node.content = Content("ext4", "00000000-0000-4000-8000-000000000000", "root", "1.0")
            node.users.add("mount")
            self.mounts["/"] = node
        self.nodes.append(node)

    # -- names

    def links_of(self, node: Node) -> list[str]:
        """All stable names of a device, as udev would have made them by now."""
        out = list(node.links)
        if node.content and node.content.type in ("ext4", "xfs", "vfat", "swap"):
            out.append(f"/dev/disk/by-uuid/{node.content.uuid}")
        if node.partition:
            out.append(f"/dev/disk/by-partuuid/{node.partition.uuid}")
        return out

    def find(self, path: str) -> Node | None:
        path = self.links.get(path, path)
        return next((node for node in self.nodes if path in self.links_of(node) or path == node.path), None)

    def device(self, path: str, action: Action) -> Node:
        """A device that a command names: by a link that is stable and there by now."""
        node = self.find(path)
        require(node is not None, f"{action.id}: there is no {path}")
        assert node is not None
        require(path in self.links_of(node), f"{action.id}: {path} is a name of the kernel")
        require(path not in self.fresh or path in action.waits, f"{action.id} does not wait for {path}")
        return node

    def add(self, node: Node) -> None:
        """A device that a tool has made; the kernel gives it a name."""
        self._minors += 1
        if node.partition:
            below = node.parents[0]
            separator = "p" if below.kname[-1].isdigit() else ""
            node.kname = f"{below.kname}{separator}{node.partition.number}"
        elif not node.kname:
            node.kname = f"dm-{self._minors}"
        node.number = f"253:{self._minors}"
        self.nodes.append(node)

    def uuid(self, text: str, action: Action) -> Node:
        """The device that UUID=... of fstab means, through udev's link."""
        require(text.startswith("UUID="), f"{action.id}: {text} is no UUID=")
        return self.device(f"/dev/disk/by-uuid/{text[5:]}", action)

    # -- planning and applying

    def plan(self, document: Mapping[str, Any], site: Site = SITE) -> Plan:
        """What barestore plans for this host; by then udev has settled."""
        self.fresh.clear()
        _seen, plan = ModelObserver(self).observe(
            planner.probes(document), lambda seen: planner.plan(document, seen, site)
        )
        return plan

    def consented(self, document: Mapping[str, Any]) -> Plan:
        """The plan of somebody who pastes the lines that refusals ask for."""
        plan = self.plan(document)
        lines = [_CONSENT.search(one.hint) for one in plan.refusals]
        if not lines or not all(lines):
            return plan
        pasted = [{"action": line[1], "digest": line[2]} for line in lines if line]
        return self.plan(document, Site(SITE.name, SITE.host, {"irreversible": pasted}))

    def run(self, action: Action) -> None:
        """Carry out the steps of one action, then what it expects must hold."""
        for path in action.waits:
            require(self.find(path) is not None, f"{action.id} waits for {path}, which never comes")
        for step in action.steps:
            self.step(step, action)
        self.fresh.difference_update(action.waits)
        for expect in action.expects:
            short = self.shortfall(expect)
            require(not short, f"after {action.id}: {short}")

    def step(self, step: Step, action: Action) -> None:
        """One step of an action."""
        if isinstance(step, Command):
            said = self.command(step.argv, step.stdin, action)
            require(not (step.silent and said.strip()), f"{action.id}: {' '.join(step.argv)} said {said}")
        elif isinstance(step, Link):
            require(step.path not in self.files, f"{step.path} is a file")
            self.links[step.path] = step.target
        elif isinstance(step, EditLine):
            lines = self.files.get(step.path, "").splitlines()
            if step.before is not None:
                require(lines.count(step.before) == 1, f"{action.id}: {step.path} lacks {step.before!r}")
                lines[lines.index(step.before)] = step.after or ""
            elif step.after not in lines:
                lines.append(step.after or "")
            self.files[step.path] = "".join(f"{line}\n" for line in lines if line)
        elif isinstance(step, Zero):
            self.zero(step, action)
        else:
            self.files[step.path] = step.content

    def zero(self, step: Zero, action: Action, parts: int | None = None) -> None:
        """All that lies where labels lie, in the first ``parts`` of the step when it is cut off there."""
        disk = self.device(step.path, action)
        require(not disk.busy, f"{action.id}: {disk.path} is in use")
        inner = {node.partition.start * disk.sector: node for node in (disk.table.nodes if disk.table else ())
                 if node.partition}  # fmt: skip
        nodes = [disk if part.start == 0 else inner[part.start] for part in step.parts]
        for node, part in zip(nodes, step.parts, strict=True):
            require(node.size == part.size, f"{action.id}: {node.path} has not {part.size} bytes")
            require(simulated_probes.contents(node) == part.bytes, f"{action.id}: {node.path} was changed meanwhile")
        for node in nodes[:parts]:
            for below in node.table.nodes if node.table else ():
                self.nodes.remove(below)
            for one in self.parts:
                one.forget(node)
            node.content, node.table = None, None

    def command(self, argv: Sequence[str], stdin: str, action: Action) -> str:
        """What a process would print."""
        tool, words = argv[0], list(argv[1:])
        if tool == "sfdisk":
            disk = self.device(words[-1], action)
            sfdisk(disk, words[:-1], stdin)
            # With a partition in use, sfdisk leaves the kernel with what it knew.
            return "" if disk.busy else self.read_table(disk)
        require(not stdin, f"{tool} reads no standard input here")
        if tool in ("mkfs.ext4", "mkfs.xfs", "mkfs.vfat", "mkswap"):
            node = self.device(words[-1], action)
            before = set(self.links_of(node))
            if tool == "mkswap":
                filesystems.mkswap(words[:-1], node)
            else:
                filesystems.make(tool, words[:-1], node)
            self.fresh.update(set(self.links_of(node)) - before)
            return ""
        if tool == "wipefs":
            if words[:-1] == ["--all"]:
                node = self.device(words[-1], action)
                require(not node.busy and not node.signatures(), f"wipefs: {node.path} is in use, or was not zeroed")
                return ""
            known = ["--no-act", "--noheadings", "--output", "DEVICE,OFFSET,TYPE,UUID,LABEL"]
            require(words[:4] == known and words[4:], f"wipefs does not know {words}")
            return "\n".join(str(one) for path in words[4:] for one in self.device(path, action).signatures())
        for part in self.parts:
            if tool in part.tools:
                return part.tools[tool](words, action)
        require(tool in TOOLS, f"the model does not know the tool {tool}")
        return TOOLS[tool](self, words, action) or ""

    def shortfall(self, expect: Expect) -> str:
        """As the observer's: empty when what was promised holds."""
        node = self.find(expect.target)
        if expect.check == "exists":
            there = node or self.stat(expect.target) or simulated_probes.file(self, expect.target)
            return "" if there else f"{expect.target} is not there"
        if expect.check == "mounted":
            at = [*self.mounts, *(one for part in self.parts for one in part.mountpoints())]
            return "" if expect.target in at else f"nothing is mounted on {expect.target}"
        if expect.check == "content":
            said = (simulated_probes.file(self, expect.target) or "").strip()
            return "" if said == expect.value else f"{expect.target} says {said}"
        if expect.check == "prints":
            answer = simulated_probes.run(self, expect.argv)
            said = answer["stdout"].strip()
            return "" if answer["rc"] == 0 and said == expect.value else f"{expect.argv} says {answer}"
        if node is None:
            return f"{expect.target} is not there"
        if expect.check == "swap":
            return "" if node in self.swaps else f"{expect.target} is not used as swap"
        if expect.check == "zeroed":
            return f"{expect.target} carries {node.signatures()}" if node.signatures() else ""
        if expect.check == "bytes":
            found = node.read(expect.offset, len(expect.value) // 2).hex()
            return "" if found == expect.value.lower() else f"{expect.target} has {found} and not {expect.value}"
        good = node.size == int(expect.value) if expect.check == "size" else node.size >= int(expect.value)
        require(expect.check in ("size", "size_at_least"), f"unknown check {expect.check}")
        return "" if good else f"{expect.target} has {node.size} bytes and not {expect.value}"

    # -- folders and mounts

    def home(self, path: str) -> tuple[str, str]:
        """The file system that a path lies on (its mount point's device), and the path."""
        tops = {**{at: node.kname for at, node in self.mounts.items() if at != "/"}}
        tops.update({at: f"zfs {at}" for part in self.parts for at in part.mountpoints()})
        inside = [at for at in tops if path == at or path.startswith(at + "/")]
        return (tops[max(inside, key=len)] if inside else "", path)

    def stat(self, path: str) -> dict[str, Any] | None:
        """As the observer's StatPath."""
        if path in self.links or path in self.files:
            link = self.links.get(path, "")
            mode = "0777" if link else self.modes.get(path, "0644")
            return self._described("link" if link else "file", Folder(mode=mode), link)
        key = self.home(path)
        folder = self.folders.get(key)
        if folder is None:
            return None
        below = any(fs == key[0] and other.startswith(path.rstrip("/") + "/") for fs, other in self.folders)
        return {**self._described("directory", folder, ""), "empty": not below and key[1] not in self.mounts}

    def _described(self, kind: str, folder: Folder, link: str) -> dict[str, Any]:
        names = {number: name for name, number in self.accounts.items()}
        return {
            "type": kind,
            "owner": names.get(folder.owner, folder.owner),
            "uid": folder.owner,
            "group": names.get(folder.group, folder.group),
            "gid": folder.group,
            "mode": folder.mode,
            "link": link,
            "empty": False,
        }

    def mkdir(self, path: str) -> None:
        """With all folders above it."""
        while self.home(path) not in self.folders:
            self.folders[self.home(path)] = Folder()
            path = os.path.dirname(path)

    def read_table(self, disk: Node) -> str:
        for node in tell_kernel(disk):
            self.add(node)
            self.fresh.update(node.links)
        return ""


class ModelObserver(Observer):
    """The observer's rounds over the model's answers."""

    def __init__(self, host: SimulatedHost) -> None:
        super().__init__(Runner(), "host1")
        self._model = host

    def answers(self, probes: Iterable[Probe]) -> dict[str, Any]:
        return {probe.key: simulated_probes.answer(self._model, probe) for probe in probes}


__all__ = ["SITE", "ModelObserver", "Part", "SimulatedHost", "ToolFailure"]
