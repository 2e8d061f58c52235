# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ZFS of a simulated host: pools and datasets as OpenZFS 2.3 makes, mounts and reports them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import simulated_zfs_members as members
from simulated_block import MIB, Content, Folder, Node, Part, Partition, Table, ToolFailure, require
from simulated_zfs_reports import dataset_rows, pool_rows, status, value_of

from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Action

if TYPE_CHECKING:
    from simulated_host import SimulatedHost

ROLES = ("data", "special", "dedup", "log", "cache", "spare")
DATA_TYPE, RESERVED_TYPE = "6a898cc3-1dd2-11b2-99a6-080020736631", "6a945a3b-1dd2-11b2-99a6-080020736631"
_UNMOUNTED = ("none", "legacy")


@dataclass
class Vdev:
    """``names`` are the devices as status shows them: of a whole disk its first partition."""

    role: str
    kind: str
    names: list[str]
    sizes: list[int]


@dataclass
class Dataset:
    name: str
    properties: dict[str, str]
    volsize: int = 0
    mounted: str = ""
    node: Node | None = None


@dataclass
class Pool:
    name: str
    guid: str
    vdevs: list[Vdev]
    properties: dict[str, str]
    datasets: dict[str, Dataset] = field(default_factory=dict)
    filling: dict[str, str] = field(default_factory=dict)  # a new device, and the old one in whose place it comes
    lost: set[str] = field(default_factory=set)


class Zfs(Part):
    """The part of a host that ZFS is."""

    def __init__(self, host: SimulatedHost) -> None:
        self.host = host
        self.pools: dict[str, Pool] = {}
        self.volumes = 0
        self.whole: set[str] = set()
        self.tools: Mapping[str, Callable[[Sequence[str], Action], str]] = {
            "zpool": self._zpool,
            "zfs": self._zfs,
            "zgenhostid": self._zgenhostid,
        }

    # -- what others ask

    def answer(self, argv: tuple[str, ...]) -> tuple[int, str] | None:
        if argv == ("zpool", "status", "-P"):
            return 0, "\n".join(status(pool) for pool in self.pools.values()) or "no pools available\n"
        if argv == ("zpool", "get", "-Hp", "all"):
            return 0, "".join(pool_rows(pool) for pool in self.pools.values())
        if argv[:6] == ("zfs", "get", "-H", "-p", "-t", "filesystem,volume"):
            require(argv[6:8] == ("-o", "name,property,value,source"), f"unknown question {argv}")
            return 0, "".join(dataset_rows(pool, argv[8].split(",")) for pool in self.pools.values())
        if argv[:6] == ("zpool", "get", "-Hp", "-o", "name,value", "ashift"):
            return 1, ""  # as ZFS before 2.2, whose vdevs have no properties
        if argv[:3] == ("zpool", "add", "-n"):
            return 0, f"would update '{argv[-1]}' to the following configuration:\n"
        if argv[:2] == ("zpool", "import"):
            return 1, "no pools available to import"
        return None

    def mountinfo(self) -> Iterator[str]:
        for number, one in enumerate(self._mounted()):
            device = f"{200 + number} 25 0:{60 + number}"
            yield f"{device} / {one.mounted} rw shared:{90 + number} - zfs {one.name} rw,xattr\n"

    def mountpoints(self) -> Iterator[str]:
        return (one.mounted for one in self._mounted())

    def _mounted(self) -> list[Dataset]:
        return [one for pool in self.pools.values() for one in pool.datasets.values() if one.mounted]

    def file(self, path: str) -> str | None:
        parts = path.split("/")
        if parts[1:5] == ["proc", "spl", "kstat", "zfs"] and parts[6:] == ["state"] and parts[5] in self.pools:
            return "ONLINE\n"
        return "2.3.9-0+deb13u1\n" if path == "/sys/module/zfs/version" else None

    # -- pools

    def _zgenhostid(self, words: Sequence[str], action: Action) -> str:
        require(len(words) == 1 and int(words[0], 16) and "/etc/hostid" not in self.host.files, f"zgenhostid {words}")
        self.host.files["/etc/hostid"] = words[0]
        return ""

    def _zpool(self, words: Sequence[str], action: Action) -> str:
        verb, *rest = words
        if verb == "create":
            self._create_pool(rest, action)
        elif verb == "add":
            options, (name, *vdevs) = _options(rest)
            self._attach(self.pools[name], self._vdevs(vdevs, action))
        elif verb == "set":
            key, _equals, value = rest[0].partition("=")
            require(key not in ("ashift",), f"zpool set {rest}")
            self.pools[rest[1]].properties[key] = value
        elif verb in members.VERBS:
            options, (name, *words) = _options(rest)
            members.VERBS[verb](self, self.pools[name], words, action)
        else:
            raise ToolFailure(f"{action.id}: zpool does not know {verb} here")
        return ""

    def _create_pool(self, words: Sequence[str], action: Action) -> None:
        options, (name, *vdevs) = _options(words)
        require(name not in self.pools, f"zpool create: pool {name} exists")
        require("/etc/hostid" in self.host.files, f"{action.id}: a pool without a hostid")
        guid = str(int(hashlib.sha256(name.encode()).hexdigest()[:16], 16))
        pool = Pool(name, guid, [], dict(options.get("-o", {})))
        found = self._vdevs(vdevs, action)
        require(any(vdev.role == "data" for vdev in found), "zpool create: no data vdev")
        self._attach(pool, found)
        self.pools[name] = pool
        root = Dataset(name, {})
        pool.datasets[name] = root
        for key, value in options.get("-O", {}).items():
            root.properties[key] = value_of(key, value)
        self._mount(pool, root, action)

    def _vdevs(self, words: Sequence[str], action: Action) -> list[Vdev]:
        out: list[Vdev] = []
        role, fresh = "data", True
        for word in words:
            if word in ROLES:
                role, fresh = word, True
            elif word.startswith(("mirror", "raidz", "draid")):
                out.append(Vdev(role, word, [], []))
                fresh = False
            elif fresh:
                out.append(Vdev(role, "stripe", [word], []))
            else:
                out[-1].names.append(word)
        for vdev in out:
            vdev.sizes = [self.host.device(name, action).size for name in vdev.names]
            _check(vdev)
        kinds = {(vdev.kind.split(":")[0], len(vdev.names)) for vdev in out if vdev.role == "data"}
        require(len(kinds) < 2, f"mismatched replication level: {kinds}")
        for vdev in out:
            vdev.names = [self.label(name, action) for name in vdev.names]
        return out

    def label(self, name: str, action: Action) -> str:
        """zpool makes two partitions on a whole disk, and nothing on a partition."""
        node = self.host.device(name, action)
        require(not node.busy and not node.signatures(), f"zpool: {name} is in use or carries something")
        node.users.add("zfs")
        if node.kind != "disk":
            return name
        sectors = node.size // node.sector
        size = (sectors - 34 + 1 - 16384 - 2048) // 2048 * 2048
        mark = hashlib.sha256(name.encode()).hexdigest()
        data = Partition(1, 2048, size, DATA_TYPE, _uuid(mark[:32]), f"zfs-{mark[:16]}")
        last = Partition(9, 2048 + size, 16384, RESERVED_TYPE, _uuid(mark[32:]), "")
        node.table = Table(_uuid(mark[16:48]), [data, last])
        self.host.read_table(node)
        self.whole.add(f"{name}-part1")
        return f"{name}-part1"

    def _attach(self, pool: Pool, vdevs: Sequence[Vdev]) -> None:
        shapes = {(one.kind, len(one.names)) for one in [*pool.vdevs, *vdevs] if one.role == "data"}
        require(len(shapes) == 1, f"mismatched replication level: {shapes}")
        for vdev in vdevs:
            pool.vdevs.append(vdev)
            for name in vdev.names:
                self.take(pool, name, vdev.role not in ("cache", "spare"))

    def take(self, pool: Pool, name: str, named: bool = True) -> None:
        """ZFS writes its label to a device and holds it."""
        node = self.host.find(name)
        if node is None:
            raise ToolFailure(f"zpool: {name} is gone")
        node.users.add("zfs")
        node.content = Content(
            "zfs_member", pool.guid if named else "", pool.name if named else "", "5000", offset="0x3f000"
        )

    # -- datasets

    def _zfs(self, words: Sequence[str], action: Action) -> str:
        verb, *rest = words
        name = rest[-1]
        pool = self.pools.get(name.split("/")[0])
        if pool is None:
            raise ToolFailure(f"{action.id}: cannot open '{name}'")
        if verb == "create":
            self._create(pool, rest, action)
            return ""
        one = pool.datasets.get(name)
        if one is None:
            raise ToolFailure(f"{action.id}: dataset '{name}' does not exist")
        if verb == "set":
            for pair in rest[:-1]:
                key, _equals, value = pair.partition("=")
                self._set(pool, one, key, value)
            self._remount(pool, one, action)
        elif verb == "inherit":
            require(rest[0] in one.properties, f"zfs inherit {rest}: it is not set")
            del one.properties[rest[0]]
            self._remount(pool, one, action)
        elif verb == "mount":
            require(not one.mounted, f"cannot mount '{name}': filesystem already mounted")
            self._mount(pool, one, action)
            require(one.mounted, f"cannot mount '{name}'")
        else:
            raise ToolFailure(f"{action.id}: zfs does not know {verb} here")
        return ""

    def _create(self, pool: Pool, words: Sequence[str], action: Action) -> None:
        options, rest = _options(words, alone=("-s",), with_value=("-V",))
        (name,) = rest
        require(name not in pool.datasets, f"cannot create '{name}': dataset already exists")
        require(name.rpartition("/")[0] in pool.datasets, f"cannot create '{name}': parent does not exist")
        for key, value in options.get("-o", {}).items():
            _no_zero(key, value)
        one = Dataset(name, {key: value_of(key, value) for key, value in options.get("-o", {}).items()})
        pool.datasets[name] = one
        if "-V" not in options:
            self._mount(pool, one, action)
            return
        one.volsize = int(options["-V"][""])
        block = int(one.properties.get("volblocksize", 16384))
        require(one.volsize % block == 0, f"volume size must be a multiple of volume block size ({block})")
        if "-s" not in options and "refreservation" not in one.properties:
            one.properties["refreservation"] = str(one.volsize * 1037 // 1000)
        self.volumes += 1
        one.node = Node("disk", one.volsize, links=(f"/dev/zvol/{name}",), kname=f"zd{16 * self.volumes}")
        self.host.add(one.node)
        self.host.fresh.update(one.node.links)

    def _set(self, pool: Pool, one: Dataset, key: str, value: str) -> None:
        require(key not in ("volblocksize", "encryption", "casesensitivity"), f"zfs set {key}: it is for ever")
        _no_zero(key, value)
        if key == "volsize":
            block = int(one.properties.get("volblocksize", 16384))
            require(int(value) >= one.volsize and int(value) % block == 0, f"zfs set volsize={value}")
            thick = one.properties.get("refreservation", "0") != "0"
            one.volsize = int(value)
            if thick:
                one.properties["refreservation"] = str(one.volsize * 1037 // 1000)
            if one.node:
                one.node.size = one.volsize
        elif key == "refreservation" and value == "auto":
            one.properties[key] = str(one.volsize * 1037 // 1000)
        else:
            one.properties[key] = value_of(key, value)

    def mountpoint(self, pool: Pool, one: Dataset) -> str:
        """The property: its own, or the parent's and the last part of the name."""
        own = one.properties.get("mountpoint")
        if own:
            return own
        if one.name == pool.name:
            return f"/{pool.name}"
        above = self.mountpoint(pool, pool.datasets[one.name.rpartition("/")[0]])
        return above if above in _UNMOUNTED else f"{above.rstrip('/')}/{one.name.rpartition('/')[2]}"

    def _mount(self, pool: Pool, one: Dataset, action: Action) -> None:
        path = self.mountpoint(pool, one)
        if one.volsize or path in _UNMOUNTED or one.properties.get("canmount", "on") != "on":
            return
        require(path not in self.host.mounts and path not in self.mountpoints(), f"{action.id}: {path} is mounted")
        self.host.mkdir(path)
        found = self.host.stat(path)
        require(found and found["empty"], f"{action.id}: {path} is not empty, and the mount hides what is there")
        one.mounted = path
        self.host.folders.setdefault(self.host.home(path), Folder())

    def _remount(self, pool: Pool, changed: Dataset, action: Action) -> None:
        """What is mounted moves with its mountpoint; what comes from none or legacy is mounted."""
        for one in pool.datasets.values():
            below = one.name == changed.name or one.name.startswith(f"{changed.name}/")
            if below and not one.volsize and one.mounted != self.mountpoint(pool, one):
                one.mounted = ""
                self._mount(pool, one, action)


def _check(vdev: Vdev) -> None:
    kind = vdev.kind.split(":")[0]
    least = {"mirror": 2, "raidz1": 2, "raidz2": 3, "raidz3": 4, "draid1": 2, "draid2": 3, "draid3": 4}.get(kind, 1)
    require(len(vdev.names) >= least, f"{vdev.kind} requires at least {least} devices")
    require(len(set(vdev.names)) == len(vdev.names), f"{vdev.names}: a device is named twice")
    require(min(vdev.sizes) >= 64 * MIB, f"{vdev.names}: one or more devices is less than the minimum size (64M)")
    require(max(vdev.sizes) - min(vdev.sizes) <= 16 * MIB, f"{vdev.kind} contains devices of different sizes")
    if kind.startswith("draid"):
        parts = {word[-1]: int(word[:-1]) for word in vdev.kind.split(":")[1:]}
        require(parts["c"] == len(vdev.names), f"{vdev.kind}: {len(vdev.names)} devices are given")
        require(parts["d"] + int(kind[-1]) + parts.get("s", 0) <= parts["c"], f"{vdev.kind} has too few children")


def _options(
    words: Sequence[str], alone: Sequence[str] = (), with_value: Sequence[str] = ()
) -> tuple[dict[str, dict[str, str]], list[str]]:
    """``-o key=value`` and ``-O key=value`` by option, other options, and what is left."""
    out: dict[str, dict[str, str]] = {}
    left = list(words)
    while left and left[0].startswith("-"):
        word = left.pop(0)
        if word in ("-o", "-O"):
            key, equals, value = left.pop(0).partition("=")
            require(equals and key not in out.get(word, {}), f"{word} {key} is no property, or given twice")
            out.setdefault(word, {})[key] = value
        elif word in with_value:
            out[word] = {"": left.pop(0)}
        else:
            require(word in alone, f"unknown option {word}")
            out[word] = {}
    return out, left


def _no_zero(key: str, value: str) -> None:
    require(not (key in ("quota", "refquota") and value == "0"), "use 'none' to disable quota/refquota")


def _uuid(text: str) -> str:
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"
