# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""LVM of a simulated host: physical volumes, groups and volumes in extents, allocated as lvm 2.03 does by default."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from simulated_block import MIB, Content, Node, Part, ToolFailure, require
from simulated_lvm_day2 import DAY_2, health, repair, restore_missing
from simulated_lvm_report import fullreport
from simulated_lvm_values import PARITY, Group, Logical, Physical, in_bytes, words_of

from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Action

if TYPE_CHECKING:
    from simulated_host import SimulatedHost


class Lvm(Part):
    """The part of a host that LVM is."""

    def __init__(self, host: SimulatedHost) -> None:
        self.host = host
        self.physical: list[Physical] = []
        self.groups: dict[str, Group] = {}
        self.tools: Mapping[str, Callable[[Sequence[str], Action], str]] = {
            "pvcreate": self._pvcreate,
            "pvresize": self._pvresize,
            "vgcreate": self._vgcreate,
            "vgextend": self._vgextend,
            "vgchange": self._vgchange,
            "lvcreate": self._lvcreate,
            "lvextend": self._lvextend,
            "lvchange": self._lvchange,
            "lvconvert": self._lvconvert,
            **{tool: partial(act, self) for tool, act in DAY_2.items()},
        }

    # -- what others ask

    def answer(self, argv: tuple[str, ...]) -> tuple[int, str] | None:
        if argv[:2] == ("lvm", "fullreport"):
            return 0, fullreport(self)
        if argv[:4] == ("vgs", "--noheadings", "--options", "vg_extent_count"):
            return 0, f"  {sum(one.extents for one in self.groups[argv[4]].members)}\n"
        if argv[:4] == ("vgs", "--noheadings", "--options", "vg_missing_pv_count"):
            return 0, f"  {sum(one.missing or one.flagged for one in self.groups[argv[4]].members)}\n"
        if argv[:4] == ("pvs", "--noheadings", "--options", "pv_pe_alloc_count"):
            return 0, f"  {next(one.used for one in self.physical if one.node is self.host.find(argv[4]))}\n"
        if argv[0] == "lvs":
            group, volume = self.volume(argv[-1])
            options = argv[argv.index("--options") + 1]
            if options == "cache_mode":
                return 0, f"  {volume.mode}\n"
            if options == "lv_health_status":
                return 0, f"  {health(group, volume)}\n"
            if options == "lv_tags":
                return 0, f"  {volume.tag}\n"
            require(options == "lv_size,lv_metadata_size", f"lvs: unknown options {options}")
            return 0, f"  {volume.extents * group.extent},{volume.metadata * group.extent}\n"
        return None

    # -- physical volumes and groups

    def on(self, path: str, action: Action) -> Physical:
        node = self.host.device(path, action)
        found = next((one for one in self.physical if one.node is node), None)
        if found is None:
            raise ToolFailure(f"{action.id}: {path} is no physical volume")
        return found

    def _pvcreate(self, words: Sequence[str], action: Action) -> str:
        given, rest = words_of(words, "uuid dataalignment dataalignmentoffset", "norestorefile")
        node = self.host.device(rest[0], action)
        require(
            len(rest) == 1 and "norestorefile" in given and given["dataalignment"] == f"{MIB}b", f"pvcreate {words}"
        )
        require(not node.busy and not node.signatures(), f"pvcreate: {rest[0]} is in use or carries something")
        require(all(one.uuid != given["uuid"] for one in self.physical), f"pvcreate: uuid {given['uuid']} is taken")
        node.content = Content("LVM2_member", given["uuid"], "", "LVM2 001", offset="0x218")
        node.content.image = {512: b"LABELONE", 544: given["uuid"].replace("-", "").encode()}
        self.physical.append(Physical(node, given["uuid"]))
        return ""

    def _pvresize(self, words: Sequence[str], action: Action) -> str:
        (path,) = words
        one = self.on(path, action)
        self.may_write(one.group)
        if one.group:
            one.extents = (one.node.size - MIB) // self.groups[one.group].extent
        return ""

    def _vgcreate(self, words: Sequence[str], action: Action) -> str:
        given, (name, *paths) = words_of(words, "physicalextentsize addtag")
        require(name not in self.groups, f"vgcreate: {name} exists")
        self.groups[name] = Group(name, in_bytes(given["physicalextentsize"]), [], tags=given.get("addtag", ""))
        self._join(name, paths, action)
        return ""

    def _vgextend(self, words: Sequence[str], action: Action) -> str:
        given, (name, *paths) = words_of(words, "", "restoremissing")
        if given:
            return restore_missing(self, name, paths, action)
        self.may_write(name)
        self._join(name, paths, action)
        return ""

    def _vgchange(self, words: Sequence[str], action: Action) -> str:
        given, rest = words_of(words, "activate select", "quiet")
        groups = [one for one in self.groups.values() if given["select"] == f"vg_uuid={one.uuid}"]
        require(not rest and given["activate"] == "n" and len(groups) == 1, f"vgchange does not know {words}")
        self.deactivate(groups[0])
        return ""

    def deactivate(self, group: Group) -> None:
        for volume in group.volumes.values():
            if volume.node is not None:
                require(not volume.node.busy, f"vgchange: {volume.name} is in use")
                self.host.nodes.remove(volume.node)
            volume.active = False
        for one in group.members:
            one.node.users.discard("lv")

    def _activate(self, group: Group, volume: Logical) -> None:
        if volume.node is not None and self.host.find(volume.node.links[0]) is None:
            self.host.add(volume.node)
            self.host.fresh.update(volume.node.links)
        volume.active = True
        for one in group.members:
            one.node.users.add("lv")

    def opened(self, node: Node) -> None:
        """A device below is there again, with the physical volume that it carries."""
        for one in self.physical:
            if node.content is not None and one.uuid == node.content.uuid:
                one.node = node
        for group in self.groups.values():
            for volume in group.volumes.values():
                if volume.node is not None and self.host.find(volume.node.links[0]) is None:
                    volume.node.parents = tuple(one.node for one in group.members)

    def forget(self, node: Node) -> None:
        """The label of a physical volume is gone, and a group without any is gone as well."""
        self.physical = [one for one in self.physical if one.node is not node]
        for group in list(self.groups.values()):
            group.members = [one for one in group.members if one.node is not node]
            if not group.members:
                del self.groups[group.name]

    def _join(self, name: str, paths: Sequence[str], action: Action) -> None:
        group = self.groups[name]
        require(paths, "a group needs a physical volume")
        for path in paths:
            one = self.on(path, action)
            require(not one.group, f"{path} is in the group {one.group}")
            one.group, one.extents = name, (one.node.size - MIB) // group.extent
            group.members.append(one)
        sectors = {one.node.sector for one in group.members}
        require(len(sectors) == 1, f"Devices have inconsistent logical block sizes ({sectors})")

    def may_write(self, name: str) -> None:
        if name:
            require(
                not any(one.missing or one.flagged for one in self.groups[name].members),
                f"Cannot change VG {name} while PVs are missing.",
            )

    # -- allocation

    def allocate(self, group: Group, extents: int, among: Sequence[Physical]) -> list[tuple[Physical, int, int]]:
        """The physical volume with the most room first."""
        require(
            sum(one.free for one in among) >= extents, f"Insufficient free space: {extents} extents in {group.name}"
        )
        out = []
        for one in sorted(among, key=lambda one: (-one.free, one.node.kname)):
            part = min(extents, one.free)
            if part:
                out.append(one.take(part))
                extents -= part
        return out

    def _part(
        self, group: Group, name: str, extents: int, among: Sequence[Physical], role: str, parent: str
    ) -> Logical:
        part = Logical(name, "linear", extents, self.allocate(group, extents, among), True, role, parent)
        group.volumes[name] = part
        return part

    def volume(self, title: str) -> tuple[Group, Logical]:
        group_name, _slash, name = title.partition("/")
        group = self.groups.get(group_name)
        if group is None or name not in group.volumes:
            raise ToolFailure(f"LVM does not know {title}")
        return group, group.volumes[name]

    # -- volumes

    def _lvcreate(self, words: Sequence[str], action: Action) -> str:
        given, rest = words_of(
            words,
            "type extents name wipesignatures zero stripes stripesize mirrors poolmetadatasize poolmetadataspare "
            "chunksize discards metadataprofile virtualsize thinpool addtag",
            "yes",
        )
        group = self.groups.get(rest[0])
        require(group is not None, f"{action.id}: there is no volume group {rest[0]}")
        assert group is not None
        self.may_write(group.name)
        name, kind = given["name"], given["type"]
        require(name not in group.volumes, f"lvcreate: {name} exists in {group.name}")
        among = [self.on(path, action) for path in rest[1:]] or group.members
        if kind == "thin":
            pool = group.volumes.get(given["thinpool"])
            require(pool is not None and pool.type == "thin-pool", f"lvcreate: no thin pool {given['thinpool']}")
            size = -(-in_bytes(given["virtualsize"]) // group.extent)
            made = Logical(name, "thin", size, pool=given["thinpool"], stripes=0, zero="", discards=pool.discards)  # type: ignore[union-attr]
        elif kind == "thin-pool":
            self._pool(group, name, given, among)
            return ""
        else:
            require("yes" in given, "lvcreate would ask")
            made = self._thick(group, name, kind, given, among)
            made.tag = given.get("addtag", "")
        group.volumes[name] = made
        self._show(group, made)
        return ""

    def _thick(
        self, group: Group, name: str, kind: str, given: Mapping[str, str], among: Sequence[Physical]
    ) -> Logical:
        extents, stripes = int(given["extents"]), int(given.get("stripes", 1))
        extents = -(-extents // stripes) * stripes
        if kind == "linear":
            return Logical(name, kind, extents, self.allocate(group, extents, among))
        images = stripes * (int(given.get("mirrors", 0)) + 1) + PARITY.get(kind, 0)
        stripe_size = in_bytes(given["stripesize"]) if "stripesize" in given else 0 if kind == "raid1" else 65536
        made = Logical(name, kind, extents, stripes=images, stripe_size=stripe_size, images=images)
        each = extents // stripes
        raid = kind.startswith("raid")
        made.monitor = "monitored" if raid else ""
        best = sorted(among, key=lambda one: (-one.free, one.node.kname))[:images]
        require(len(best) == images, f"lvcreate: {kind} needs {images} physical volumes")
        require(all(one.free >= each + raid for one in best), f"Insufficient suitable allocatable extents for {name}")
        for index, one in enumerate(best):
            if raid:
                self._part(group, f"{name}_rmeta_{index}", 1, [one], "private,raid,metadata", name)
                self._part(group, f"{name}_rimage_{index}", each, [one], "private,raid,image", name)
            else:
                made.places += self.allocate(group, each, [one])
        return made

    def _pool(self, group: Group, name: str, given: Mapping[str, str], among: Sequence[Physical]) -> None:
        extents = int(given["extents"])
        metadata = -(-in_bytes(given["poolmetadatasize"]) // group.extent)
        profile = given.get("metadataprofile", "")
        require(not profile or f"/etc/lvm/profile/{profile}.profile" in self.host.files, f"lvm: no profile {profile}")
        self._spare(group, metadata, among)
        self._part(group, f"{name}_tdata", extents, among, "private,thin,pool,data", name)
        self._part(group, f"{name}_tmeta", metadata, among, "private,thin,pool,metadata", name)
        group.volumes[name] = Logical(
            name, "thin-pool", extents, role="private", chunk=in_bytes(given["chunksize"]), metadata=metadata,
            zero="zero" if given["zero"] == "y" else "", discards=given["discards"], profile=profile,
            monitor="monitored",
        )  # fmt: skip
        for one in group.members:
            one.node.users.add("lv")

    def _spare(self, group: Group, extents: int, among: Sequence[Physical]) -> None:
        spare = group.volumes.get("lvol0_pmspare")
        if spare is None:
            self._part(group, "lvol0_pmspare", extents, among, "private,pool,spare", "")
        elif spare.extents < extents:
            spare.places += self.allocate(group, extents - spare.extents, among)
            spare.extents = extents

    def _show(self, group: Group, made: Logical) -> None:
        """The node of a volume that people see."""
        below = tuple(one.node for one in group.members)
        plain = f"{group.name.replace('-', '--')}-{made.name.replace('-', '--')}"
        made.node = Node(
            "lvm",
            made.extents * group.extent,
            parents=below,
            links=(f"/dev/{group.name}/{made.name}", f"/dev/mapper/{plain}", f"/dev/disk/by-id/dm-name-{plain}"),
            sector=below[0].sector,
            rotational=below[0].rotational,
            dm_name=plain,
        )
        self.host.add(made.node)
        for node in below:
            node.users.add("lv")

    def _lvextend(self, words: Sequence[str], action: Action) -> str:
        given, (title, *paths) = words_of(words, "extents poolmetadatasize")
        group, volume = self.volume(title)
        self.may_write(group.name)
        among = [self.on(path, action) for path in paths] or group.members
        if "poolmetadatasize" in given:
            wanted = -(-in_bytes(given["poolmetadatasize"]) // group.extent)
            require(volume.type == "thin-pool" and wanted > volume.metadata, f"lvextend: {title} metadata {given}")
            self._longer(group, group.volumes[f"{volume.name}_tmeta"], wanted, among)
            volume.metadata = wanted
            self._spare(group, wanted, among)
            return ""
        wanted = int(given["extents"])
        require(wanted > volume.extents, f"lvextend: {title} has {volume.extents} and not fewer than {wanted} extents")
        self._grow(group, volume, wanted, among)
        return ""

    def _grow(self, group: Group, volume: Logical, wanted: int, among: Sequence[Physical]) -> None:
        if volume.type == "thin-pool":
            self._longer(group, group.volumes[f"{volume.name}_tdata"], wanted, among)
        elif volume.type == "cache":
            self._grow(group, group.volumes[volume.origin], wanted, among)
        elif volume.type == "linear":
            volume.places += self.allocate(group, wanted - volume.extents, among)
        elif volume.type != "thin":
            self._grow_images(group, volume, wanted, among)
        volume.extents = wanted
        if volume.node:
            volume.node.size = wanted * group.extent

    def _longer(self, group: Group, part: Logical, wanted: int, among: Sequence[Physical]) -> None:
        part.places += self.allocate(group, wanted - part.extents, among)
        part.extents = wanted

    def _grow_images(self, group: Group, volume: Logical, wanted: int, among: Sequence[Physical]) -> None:
        """Each image on its own physical volume where that has room, else on another one of its own."""
        data = volume.images - PARITY.get(volume.type, 0)
        if volume.type in ("raid1", "raid10"):
            data = 1 if volume.type == "raid1" else volume.images // 2
        require(wanted % data == 0, f"lvextend: {wanted} extents are no whole stripes of {data}")
        each = (wanted - volume.extents) // data
        parts = [group.volumes.get(f"{volume.name}_rimage_{index}", volume) for index in range(volume.images)]
        own = [part.places[0][0] if part is not volume else volume.places[index][0] for index, part in enumerate(parts)]
        taken: set[int] = set()
        for part, place in zip(parts, own, strict=True):
            candidates = [one for one in (place, *among) if one in among and one.free >= each and id(one) not in taken]
            require(candidates, f"Insufficient suitable allocatable extents for {volume.name}")
            taken.add(id(candidates[0]))
            part.places += self.allocate(group, each, candidates[:1])
            if part is not volume:
                part.extents += each

    def _lvchange(self, words: Sequence[str], action: Action) -> str:
        given, (title,) = words_of(
            words, "activate zero discards metadataprofile monitor cachemode", "detachprofile yes refresh"
        )
        group, volume = self.volume(title)
        if "activate" in given:
            require(given["activate"] == "y", f"lvchange {words}")
            self._activate(group, volume)
        if "refresh" in given:
            require(not any(map(group.is_broken, group.parts_of(volume))), f"lvchange: {title} is partial")
            volume.stale = False
        if "zero" in given:
            volume.zero = "zero" if given["zero"] == "y" else ""
        if "discards" in given:
            require("ignore" not in (volume.discards, given["discards"]), "lvchange: discards ignore while active")
            volume.discards = given["discards"]
        if "metadataprofile" in given or "detachprofile" in given:
            volume.profile = given.get("metadataprofile", "")
        if "monitor" in given:
            volume.monitor = "monitored"
        if "cachemode" in given:
            volume.mode = given["cachemode"]
        return ""

    def _lvconvert(self, words: Sequence[str], action: Action) -> str:
        given, (title, *paths) = words_of(words, "type cachevol cachemode", "yes repair")
        group, main = self.volume(title)
        if "repair" in given:
            require("yes" in given, "lvconvert would ask")
            return repair(self, group, main, [self.on(path, action) for path in paths])
        self.may_write(group.name)
        fast = group.volumes.get(given["cachevol"])
        require(given["type"] == "cache" and fast and fast.type == "linear", f"lvconvert {words}")
        assert fast is not None
        require(main.type != "cache", f"{title} has a cache")
        require(fast.node is not None and not fast.node.busy, f"{fast.name} is in use")
        self.host.nodes.remove(fast.node)  # type: ignore[arg-type]
        del group.volumes[fast.name]
        fast.node, fast.hidden, fast.role, fast.name = None, True, "private", f"{fast.name}_cvol"
        group.volumes[fast.name] = fast
        origin = Logical(f"{main.name}_corig", main.type, main.extents, main.places, True)
        origin.stripes, origin.stripe_size, origin.images = main.stripes, main.stripe_size, main.images
        origin.role = "private,cache,origin,cacheorigin"
        for part in group.volumes.values():
            if part.parent == main.name:
                part.parent = origin.name
        group.volumes[origin.name] = origin
        main.type, main.places, main.stripes, main.stripe_size = "cache", [], 1, 0
        main.pool, main.origin, main.mode, main.chunk = fast.name, origin.name, given["cachemode"], 65536
        main.metadata = -(-8 * MIB // group.extent)
        return ""
