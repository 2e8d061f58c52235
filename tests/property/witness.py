# SPDX-License-Identifier: GPL-3.0-or-later
"""Where each byte of what a simulated host holds lies on its disks: whoever keeps it must find it there again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulated_block import MIB, Content, Node
from simulated_host import SimulatedHost
from simulated_lvm_values import PARITY, Group, Logical
from simulated_zfs import Dataset, Pool

# A disk or a pool, and an offset there.
Address = tuple[str, int]


@dataclass(frozen=True)
class Held:
    """What holds data: the model's own value, never made anew; its device; and where some of its bytes lie."""

    value: Content | Dataset
    node: Node | None
    places: dict[int, frozenset[Address]]
    size: int = 0


def held(host: SimulatedHost) -> dict[str, Held]:
    """All that holds data, by names that stay: file systems, swap, labels and headers; datasets and volumes."""
    out: dict[str, Held] = {}
    for node in host.nodes:
        if node.content is not None and not (node.disk and node.disk.system):
            places = {at: _place(host, node, at) for at in _offsets(node)}
            out[f"{node.content.type} {node.content.uuid} on {_title(node)}"] = Held(node.content, node, places)
    for pool in host.zfs.pools.values():
        for one in pool.datasets.values():
            out[f"dataset {one.name}"] = Held(one, None, {0: _members(host, pool)}, one.volsize)
    return out


def lost(before: dict[str, Held], host: SimulatedHost) -> list[str]:
    """What is gone, was made anew, became smaller, or lies elsewhere now; more copies are no loss."""
    out, after = [], held(host)
    for name, one in before.items():
        now = after.get(name)
        if now is None or now.value is not one.value:
            out.append(f"{name} {'is gone' if now is None else 'was made anew'}")
        elif now.size < one.size:
            out.append(f"{name} is smaller")
        else:
            places = now.places if now.node is None else {at: _place(host, now.node, at) for at in one.places}
            out += [f"{name}: byte {at} is not where it was" for at, where in one.places.items()
                    if not where <= places[at]]  # fmt: skip
    return out


def _members(host: SimulatedHost, pool: Pool) -> frozenset[Address]:
    """Where the members of a pool begin."""
    nodes = [host.find(name) for vdev in pool.vdevs for name in vdev.names]
    return frozenset(one for node in nodes if node is not None for one in _place(host, node, 0))


def _title(node: Node) -> str:
    return node.dm_name or (node.disk.serial if node.disk else node.kname)


def _offsets(node: Node) -> tuple[int, ...]:
    """The first byte, the last one, and some between: the same ones while it holds the same."""
    shape = node.content.geometry if node.content else {}
    size = min(node.size, shape["blocks"] * shape.get("block", 4096)) if "blocks" in shape else MIB
    return tuple(sorted({0, size // 3, size // 2, max(0, size - 1)}))


def _place(host: SimulatedHost, node: Node, at: int) -> frozenset[Address]:
    if node.kind == "disk":
        assert node.disk is not None
        return frozenset(((node.disk.serial, at),))
    if node.partition is not None:
        return _place(host, node.parents[0], node.partition.start * node.sector + at)
    if node.kind == "crypt":
        below = node.parents[0]
        assert below.content is not None
        return _place(host, below, int(below.content.geometry["offset"]) + at)
    for array in host.md.arrays:
        if array.node is node:
            return _in_array(host, array, at)
    for group in host.lvm.groups.values():
        for volume in group.volumes.values():
            if volume.node is node:
                return _in_volume(host, group, volume, at)
    volumes = [one for pool in host.zfs.pools.values() for one in pool.datasets.values() if one.node is node]
    return frozenset(((volumes[0].name, at),))


def _in_array(host: SimulatedHost, array: Any, at: int) -> frozenset[Address]:
    """Any way to spread chunks will do that stays the same for the same number of members."""
    if array.level == "raid1":
        return frozenset(one for member in array.members for one in _place(host, member, array.offset + at))
    data = array.laid // 2 if array.level == "raid10" else array.laid - {"raid5": 1, "raid6": 2}[array.level]
    chunk, inside = divmod(at, array.chunk)
    row, column = divmod(chunk, max(1, data))
    return _place(host, array.members[column], array.offset + row * array.chunk + inside)


def _in_volume(host: SimulatedHost, group: Group, volume: Logical, at: int) -> frozenset[Address]:
    if volume.type == "thin":
        pool = group.volumes[f"{volume.pool}_tdata"]
        return _on_extents(host, group, pool.places, 0) | {(f"{group.name}/{volume.name}", at)}
    if volume.type == "cache":
        return _in_volume(host, group, group.volumes[volume.origin], at)
    if volume.type == "linear":
        return _on_extents(host, group, volume.places, at)
    images = [
        part.places for index in range(volume.images) for part in (group.volumes.get(f"{volume.name}_rimage_{index}"),)
        if part is not None
    ]  # fmt: skip
    images = images or [volume.places[index :: volume.images] for index in range(volume.images)]
    if volume.type == "raid1":
        return frozenset(one for places in images for one in _on_extents(host, group, places, at))
    data = volume.images // 2 if volume.type == "raid10" else volume.images - PARITY.get(volume.type, 0)
    chunk, inside = divmod(at, volume.stripe_size)
    row, column = divmod(chunk, data)
    return _on_extents(host, group, images[column], row * volume.stripe_size + inside)


def _on_extents(host: SimulatedHost, group: Group, places: Any, at: int) -> frozenset[Address]:
    extent, inside = divmod(at, group.extent)
    for physical, start, count in places:
        if extent < count:
            return _place(host, physical.node, MIB + (start + extent) * group.extent + inside)
        extent -= count
    raise AssertionError(f"byte {at} lies behind the end of a volume of {group.name}")
