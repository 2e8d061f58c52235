# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""MD of a simulated host: mdadm 4.4 and what the kernel says in /proc/mdstat and sysfs.

What an array does in the background never ends here: a plan must be at rest while it goes on.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulated_block import MIB, Content, Node, Part, ToolFailure, require

from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Action

if TYPE_CHECKING:
    from simulated_host import SimulatedHost

_LEVELS = {"raid1": 1, "raid5": 5, "raid6": 6, "raid10": 10}
_CREATE = {
    "metadata", "homehost", "name", "uuid", "level", "raid-devices", "spare-devices", "chunk", "bitmap",
    "data-offset", "size",
}  # fmt: skip


@dataclass
class Array:
    """``members`` in the order of their places; ``count`` of them hold data, and ``laid`` did when all was written.

    Sizes in bytes. ``inside`` is what it holds while it does not run.
    """

    name: str
    uuid: str
    level: str
    count: int
    chunk: int
    offset: int
    used: int
    members: list[Node] = field(default_factory=list)
    node: Node | None = None
    work: str = ""
    laid: int = 0
    inside: Content | None = None
    faulty: list[Node] = field(default_factory=list)
    copied: tuple[Node, Node] | None = None  # the old member and its replacement

    @property
    def size(self) -> int:
        """What the kernel offers (raid1_size, raid5_size, raid10_size)."""
        if self.level == "raid10":
            return self.used // self.chunk * self.laid // 2 * self.chunk
        return self.used * {"raid1": 1, "raid5": self.laid - 1, "raid6": self.laid - 2}[self.level]


class Md(Part):
    """The part of a host that MD is."""

    def __init__(self, host: SimulatedHost) -> None:
        self.host = host
        self.arrays: list[Array] = []
        self.tools: Mapping[str, Callable[[Sequence[str], Action], str]] = {"mdadm": self._mdadm}

    def forget(self, node: Node) -> None:
        """A superblock is gone; members of a running array are in use, so that nobody takes theirs away."""
        for array in list(self.arrays):
            array.members = [one for one in array.members if one is not node]
            if not array.members:
                self.arrays.remove(array)

    def file(self, path: str) -> str | None:
        running = [one for one in self.arrays if one.node]
        if path == "/proc/mdstat":
            return (
                "Personalities : [raid1] [raid6] [raid5] [raid4] [raid10] \n"
                + "".join(map(_stat, running))
                + ("unused devices: <none>\n")
            )
        for array in running:
            assert array.node is not None
            found = re.fullmatch(rf"/sys/block/{array.node.kname}/md/(component_size|dev-(\S+)/offset)", path)
            if found and found[2] is None:
                return f"{array.used // 1024}\n"
            if found and any(one.kname == found[2] for one in array.members):
                return f"{array.offset // 512}\n"
        return None

    # -- mdadm

    def _mdadm(self, words: Sequence[str], action: Action) -> str:
        mode, *rest = words
        tools = {
            "--create": self._create,
            "--assemble": self._assemble,
            "--manage": self._manage,
            "--grow": self._grow,
            "--zero-superblock": self._zero,
        }
        require(mode in tools, f"mdadm does not know {mode}")
        tools[mode](rest, action)
        return ""

    def _create(self, words: Sequence[str], action: Action) -> None:
        given, (target, *paths) = _given(words)
        require(set(given) <= _CREATE, f"mdadm --create does not know {set(given) - _CREATE}")
        # mdadm asks where these are left open, and nobody answers.
        require({"metadata", "bitmap", "homehost"} <= set(given), f"mdadm would ask: {words}")
        level, count = given["level"], int(given["raid-devices"])
        require(target == f"/dev/md/{given['name']}" and given["metadata"] == "1.2", f"mdadm --create {words}")
        require(len(paths) == count + int(given.get("spare-devices", 0)), f"mdadm: {len(paths)} devices given")
        require(("chunk" in given) == (level != "raid1"), "mdadm: chunk size is forbidden for raid1, and told else")
        require(all(one.name != given["name"] for one in self.arrays), f"mdadm: {target} exists")
        array = Array(
            given["name"], given["uuid"], level, count, _kib(given.get("chunk", "0K")), _kib(given["data-offset"]),
            _kib(given["size"]),
        )  # fmt: skip
        require(array.offset >= MIB and not array.used % max(array.chunk, 1024), f"mdadm --create {words}")
        for path in paths:
            node = self._fresh(path, action)
            room = node.size - array.offset
            require(room >= array.used, f"mdadm: {path} is not large enough to join array")
            require((room - array.used) * 100 <= room, f"mdadm: largest drive ({path}) exceeds size by more than 1%")
            self._join(array, node)
        self.arrays.append(array)
        array.laid = count
        array.work = "resync" if level in ("raid1", "raid10", "raid6") else "recovery"
        self._start(array)

    def _fresh(self, path: str, action: Action) -> Node:
        node = self.host.device(path, action)
        require(not node.busy and not node.signatures(), f"mdadm: {path} is busy or carries something, and asks")
        return node

    def _join(self, array: Array, node: Node) -> None:
        uuid = array.uuid.replace(":", "")
        spelled = f"{uuid[:8]}-{uuid[8:12]}-{uuid[12:16]}-{uuid[16:20]}-{uuid[20:]}"
        raw = bytearray(256)
        struct.pack_into("<II", raw, 0, 0xA92B4EFC, 1)
        raw[16:32] = bytes.fromhex(uuid)
        struct.pack_into("<i", raw, 72, _LEVELS[array.level])
        struct.pack_into("<I", raw, 92, array.count)
        struct.pack_into("<Q", raw, 200, 1)
        node.content = Content("linux_raid_member", spelled, f"any:{array.name}", "1.2", {4096: bytes(raw)})
        node.content.offset = "0x1000"
        node.users.add("md")
        array.members.append(node)

    def _start(self, array: Array) -> None:
        number = 127 - sum(1 for one in self.arrays if one.node)
        links = (f"/dev/disk/by-id/md-uuid-{array.uuid}", f"/dev/md/{array.name}")
        sector = max(one.sector for one in array.members)
        node = Node(array.level, array.size, parents=tuple(array.members), links=links, sector=sector)
        node.kname = f"md{number}"
        array.node, node.content = node, array.inside
        for member in array.members:
            member.users.add("md")
        self.host.add(node)
        self.host.fresh.update(links)

    def _assemble(self, words: Sequence[str], action: Action) -> None:
        given, (target, *paths) = _given(words)
        array = next((one for one in self.arrays if one.uuid == given["uuid"]), None)
        if array is None or array.node:
            raise ToolFailure(f"mdadm: no array found for {words}")
        nodes = [self.host.device(path, action) for path in paths]
        require(all(one in array.members for one in nodes), f"mdadm: no superblock of {target} on one of {paths}")
        require(len(nodes) == len(array.members), f"mdadm: {target} assembled from {len(nodes)} drives - not enough")
        self._start(array)

    def stop(self, array: Array) -> None:
        """As a boot at which nothing assembles it."""
        require(array.node and not array.node.busy, f"mdadm: {array.name} is in use")
        assert array.node is not None
        self.host.nodes.remove(array.node)
        array.node, array.inside = None, array.node.content
        for member in array.members:
            member.users.discard("md")

    def _running(self, path: str, action: Action) -> tuple[Array, Node]:
        node = self.host.device(path, action)
        array = next((one for one in self.arrays if one.node is node), None)
        if array is None:
            raise ToolFailure(f"{action.id}: {path} is no array")
        return array, node

    def _manage(self, words: Sequence[str], action: Action) -> None:
        path, verb, device, *more = words
        array, node = self._running(path, action)
        if verb == "--replace":
            old, new = self.host.device(device, action), self.host.device(more[1], action)
            require(more[0] == "--with" and new in array.members, f"mdadm: {more} is no spare of {path}")
            require(old in array.members and old not in array.faulty, f"mdadm: {device} is not active")
            array.copied, array.work = (old, new), "recovery"
            return
        if verb == "--remove":
            old = self.host.device(device, action)
            require(old in array.faulty, f"mdadm: hot remove failed for {device}: Device or resource busy")
            array.faulty.remove(old)
            array.members.remove(old)
            old.users.discard("md")
            node.parents = tuple(array.members)
            return
        require(verb == "--add" and not more, f"mdadm --manage does not know {verb}")
        self._join(array, self._fresh(device, action))
        require(array.members[-1].size >= array.offset + array.used, f"mdadm: {device} not large enough to join array")
        node.parents = tuple(array.members)

    def finish(self, array: Array) -> None:
        """All that goes on in the background comes to its end."""
        array.work = ""
        if array.copied:
            old, new = array.copied
            at = array.members.index(old)
            array.members.remove(new)
            array.members.insert(at, new)
            array.faulty.append(old)
            array.copied = None

    def _grow(self, words: Sequence[str], action: Action) -> None:
        given, (path,) = _given(words)
        array, node = self._running(path, action)
        require(not array.work, f"mdadm: {path} is busy with {array.work}")
        if "raid-devices" in given:
            count = int(given["raid-devices"])
            require(array.level == "raid1" or action.irreversible, f"{action.id} is for ever and does not say so")
            require(array.count < count <= len(array.members), f"mdadm: need {count} devices for {path}")
            array.count, array.work = count, "recovery" if array.level == "raid1" else "reshape"
            return
        used = _kib(given["size"])
        require(array.used <= used, f"mdadm: {path} would shrink")
        require(all(one.size >= array.offset + used for one in array.members), f"mdadm: no space left for {path}")
        array.used, array.work = used, "resync"
        node.size = array.size

    def _zero(self, words: Sequence[str], action: Action) -> None:
        (path,) = words
        node = self.host.device(path, action)
        require(not node.busy, f"mdadm: Couldn't open {path} for write - not zeroing")
        node.content = None


def _given(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    options = [word for word in words if word.startswith("--")]
    given = dict(word[2:].split("=", 1) for word in options)
    return given, [word for word in words if not word.startswith("--")]


def _kib(text: str) -> int:
    require(text.endswith("K") and text[:-1].isdigit(), f"mdadm: not understood: {text}")
    return int(text[:-1]) * 1024


def _flag(array: Array, node: Node, places: list[Node], replacement: Node | None) -> str:
    if node in array.faulty:
        return "(F)"
    if node is replacement:
        return "(R)"
    return "(S)" if places.index(node) >= array.count else ""


def _stat(array: Array) -> str:
    """Lines of md_seq_show of the kernel."""
    assert array.node is not None
    replacement = array.copied[1] if array.copied else None
    places = [one for one in array.members if one not in array.faulty]
    members = " ".join(
        f"{node.kname}[{index}]{_flag(array, node, places, replacement)}"
        for index, node in reversed(list(enumerate(array.members)))
    )
    behind = 1 if array.work == "recovery" and array.count > 1 else 0
    shape = {
        "raid1": "",
        "raid5": f" level 5, {array.chunk // 1024}k chunk, algorithm 2",
        "raid6": f" level 6, {array.chunk // 1024}k chunk, algorithm 2",
        "raid10": f" {array.chunk // 1024}K chunks 2 near-copies",
    }[array.level]
    slots = "U" * (array.count - behind) + "_" * behind
    head = f"{array.node.kname} : active {array.level} {members}\n      {array.size // 1024} blocks super 1.2{shape}"
    work = (
        f"      [>....................]  {array.work} =  1.7% (18048/1046528) finish=0.9min speed=18048K/sec\n"
        if array.work
        else ""
    )
    return f"{head} [{array.count}/{array.count - behind}] [{slots}]\n{work}      \n"
