# SPDX-License-Identifier: GPL-3.0-or-later
"""A random volume group, laid out, placed as LVM would, and laid out again: nothing is left to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.barestore.storage.plugins.module_utils.host.lvm.extents import raid_metadata, up
from ansible_collections.barestore.storage.plugins.module_utils.host.lvm.layout import Member, Volume, lay_out
from ansible_collections.barestore.storage.plugins.module_utils.host.lvm.report import (
    LogicalVolume,
    VolumeGroup,
)
from ansible_collections.barestore.storage.plugins.module_utils.host.lvm.request import (
    CACHE,
    POOL,
    THIN,
    Unfit,
    requests,
)
from ansible_collections.barestore.storage.plugins.module_utils.host.state import Device

MIB = 1 << 20
EXTENT = 4 * MIB

_SIZES = st.one_of(
    st.integers(1, 900).map(lambda n: f"{n} MiB"),
    st.integers(1, 30).map(lambda n: f"{n}%"),
)
_TYPES = st.sampled_from(["linear", "striped", "raid1", "raid5", "raid6", "raid10"])
_VOLUME = st.fixed_dictionaries(
    {"size": _SIZES, "type": _TYPES, "size_policy": st.sampled_from(["at_least", "create_only", "exact"])}
)
_POOL = st.fixed_dictionaries(
    {"size": _SIZES},
    optional={"metadata_size": st.just("12 MiB"), "chunk_size": st.just("128 KiB")},
)


@st.composite
def _entries(draw: st.DrawFn) -> dict[str, Any]:
    """The entry of a group; at most one thing asks for the rest."""
    volumes = draw(st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), _VOLUME, max_size=4))
    pools = draw(st.dictionaries(st.sampled_from(["p", "q"]), _POOL, max_size=2))
    everything = [*volumes.values(), *pools.values()]
    if everything and draw(st.booleans()):
        draw(st.sampled_from(everything))["size"] = "rest"
    if pools and draw(st.booleans()):
        volumes["thin"] = {"size": "5001 MiB", "thin_pool": next(iter(pools))}
    if "a" in volumes and draw(st.booleans()):
        volumes["a"]["cache"] = {"size": "17 MiB", "physical_volumes": ["r0"]}
    return {"volumes": volumes, "thin_pools": pools}


def _device(number: int) -> Device:
    return Device(
        f"r{number}", f"/dev/r{number}", f"disk:r{number}", 0, 512, (f"r{number}",), f"r{number}", True, f"r{number}"
    )


def _logical(name: str, extents: int, on: list[str], **values: Any) -> LogicalVolume:
    known: dict[str, Any] = {
        "hidden": False, "role": frozenset(("public",)), "parent": "", "pool": "", "origin": "", "metadata_size": 0,
        "type": "linear", "stripes": 1, "stripe_size": 0, "chunk_size": 0, "cache_mode": "",
    }  # fmt: skip
    known.update(values)
    return LogicalVolume(
        group="vg", name=name, size=extents * EXTENT, extents=extents, active=True, profile="", zero=False,
        discards="", monitored=False, on=tuple(on), **known,
    )  # fmt: skip


class _Host:
    """LVM in a few lines: where it puts what it is told to make."""

    def __init__(self, sizes: list[int]) -> None:
        self.members = [Member(_device(number), size, size, f"/dev/r{number}") for number, size in enumerate(sizes)]
        self.volumes: list[LogicalVolume] = []

    def take(self, extents: int, allowed: list[str]) -> list[str]:
        """The physical volume with the most room first; KeyError when there is none, as LVM would fail."""
        used = []
        while extents:
            index = max(
                (i for i, one in enumerate(self.members) if not allowed or one.path in allowed),
                key=lambda i: self.members[i].free,
            )
            part = min(extents, self.members[index].free)
            assert part > 0, "LVM would find no room"
            self.members[index] = replace(self.members[index], free=self.members[index].free - part)
            used.append(self.members[index].path)
            extents -= part
        return used

    def make(self, volume: Volume) -> None:
        on = [one.path for one in volume.on]
        geometry = volume.request.geometry
        if volume.type == THIN:
            self.volumes.append(
                _logical(volume.name, volume.extents, [], type="thin", pool=volume.request.entry["thin_pool"])
            )
        elif volume.type == POOL:
            self._pool(volume)
        elif geometry.raid:
            image = up(volume.extents, geometry.data)
            for path in on:
                self.take(image + raid_metadata(image, EXTENT), [path])
                self.volumes.append(
                    _logical(
                        f"{volume.name}_rimage_{path[-1]}",
                        image,
                        [path],
                        hidden=True,
                        parent=volume.name,
                        role=frozenset(("image",)),
                    )
                )
            self.volumes.append(_logical(volume.name, volume.extents, [], type=volume.type, stripes=geometry.images))
        elif volume.type == "striped":
            for path in on:
                self.take(volume.extents // geometry.images, [path])
            self.volumes.append(_logical(volume.name, volume.extents, on, type="striped", stripes=geometry.images))
        else:
            self.volumes.append(_logical(volume.name, volume.extents, self.take(volume.extents, on)))

    def _pool(self, pool: Volume) -> None:
        spare = next((one for one in self.volumes if "pmspare" in one.name), None)
        if spare is None or spare.extents < pool.metadata:
            self.take(pool.metadata - (spare.extents if spare else 0), [])
            self.volumes = [one for one in self.volumes if one is not spare]
            self.volumes.append(_logical("lvol0_pmspare", pool.metadata, [], hidden=True))
        on = self.take(pool.extents, [])
        self.take(pool.metadata, [])
        self.volumes.append(
            _logical(
                pool.name,
                pool.extents,
                on,
                type="thin-pool",
                chunk_size=pool.request.chunk,
                metadata_size=pool.metadata * EXTENT,
            )
        )

    def group(self) -> VolumeGroup:
        whole, free = sum(one.extents for one in self.members), sum(one.free for one in self.members)
        return VolumeGroup("vg", "", EXTENT, whole, free, False, False, False, "", 0, (), tuple(self.volumes))


def _lay_out(entry: dict[str, Any], host: _Host, group: VolumeGroup | None) -> tuple[Volume, ...]:
    devices = {one.device.ref: (one.device,) for one in host.members}
    return lay_out(list(requests("vg", entry, group, devices)), host.members, EXTENT, group)


@settings(max_examples=400, deadline=None)
@given(_entries(), st.lists(st.integers(20, 600), min_size=1, max_size=6), st.integers(0, 40))
def test_the_second_run_finds_what_the_first_made(entry: dict[str, Any], sizes: list[int], foreign: int) -> None:
    host = _Host(sizes)
    if 0 < foreign < sum(sizes):
        host.volumes.append(_logical("0d9a3f5e", foreign, host.take(foreign, [])))
    try:
        planned = _lay_out(entry, host, host.group() if foreign else None)
    except Unfit:
        return
    # Pinned ones first, as the actions' needs say.
    for volume in sorted(planned, key=lambda one: not one.pinned):
        host.make(volume)
    again = _lay_out(entry, host, host.group())
    assert [(one.name, one.extents, one.metadata) for one in again] == [
        (one.name, one.extents, one.metadata) for one in planned
    ]
    assert not [one.name for one in again if one.grows or (one.type != CACHE and one.have is None)]
