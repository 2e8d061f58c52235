# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All of LVM in one process: ``lvm fullreport`` as values. Names of hidden volumes come without their brackets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...plan.errors import ObserveError
from ..first_look import FULLREPORT
from ..observation import Observation


@dataclass(frozen=True)
class PhysicalVolume:
    """``path`` is the node that LVM names; sizes in bytes; ``group`` is empty for one that belongs to none."""

    path: str
    uuid: str
    group: str
    size: int
    device_size: int
    start: int
    extents: int
    used: int
    missing: bool
    in_use: bool
    duplicate: bool
    allocatable: bool


@dataclass(frozen=True)
class LogicalVolume:
    """``type`` and what follows it are those of the first segment; sizes in bytes, ``extents`` of the whole volume.

    ``type`` has no variant (raid5_ls is raid5); ``on`` are the physical volumes that hold its own extents. ``health``
    is empty, or LVM's word for what is wrong; the percentages are of a thin pool that is active, else None.
    """

    group: str
    name: str
    hidden: bool
    size: int
    extents: int
    role: frozenset[str]
    active: bool
    parent: str
    pool: str
    origin: str
    profile: str
    metadata_size: int
    type: str
    stripes: int
    stripe_size: int
    chunk_size: int
    cache_mode: str
    zero: bool
    discards: str
    monitored: bool
    on: tuple[str, ...]
    health: str = ""
    data_percent: float | None = None
    metadata_percent: float | None = None


@dataclass(frozen=True)
class Held:
    """So many extents of a volume (or of a hidden part of one) on a physical volume."""

    path: str
    volume: str
    extents: int


@dataclass(frozen=True)
class VolumeGroup:
    """``extent_size`` in bytes; ``extents`` and ``free`` count extents.

    ``held`` is what lies where. An interrupted pvmove, of which ``moving`` has the source, is read as if it had ended.
    """

    name: str
    uuid: str
    extent_size: int
    extents: int
    free: int
    exported: bool
    shared: bool
    clustered: bool
    system_id: str
    missing: int
    physical_volumes: tuple[PhysicalVolume, ...]
    logical_volumes: tuple[LogicalVolume, ...]
    tags: frozenset[str] = frozenset()
    held: tuple[Held, ...] = ()
    moving: tuple[str, ...] = ()

    def volume(self, name: str) -> LogicalVolume | None:
        return next((one for one in self.logical_volumes if one.name == name), None)

    def below(self, name: str) -> Iterator[LogicalVolume]:
        """A volume and the hidden ones that it is made of: images, metadata, the origin of a cache."""
        for one in self.logical_volumes:
            if one.name == name:
                yield one
                if one.origin and one.type == "cache":
                    yield from self.below(one.origin)
            elif one.hidden and one.parent == name:
                yield from self.below(one.name)


@dataclass(frozen=True)
class Report:
    """Groups by name in the order of the report, and all physical volumes, also those of no group."""

    groups: tuple[VolumeGroup, ...]
    physical_volumes: tuple[PhysicalVolume, ...]


def read(observation: Observation) -> Report:
    """What LVM sees; empty where it is not installed, since nothing of it is active then.

    :raises ObserveError: the report failed or is not the JSON that was asked for.
    """
    # Not asked for here: a document without LVM costs no process; the kinds name the probe where there is some.
    answer = observation.answers.get(FULLREPORT.key)
    if answer is None or answer["rc"] == 127:
        return Report((), ())
    try:
        sections = json.loads(answer["stdout"])["report"]
        parsed = [_section(section) for section in sections]
    except (ValueError, KeyError, TypeError) as error:
        said = answer["stderr"].strip().splitlines()
        raise ObserveError(
            f"lvm fullreport did not print what was asked of it: {said[-1].strip() if said else 'no message'}",
            "run 'lvm fullreport' by hand and mend what it says; lvm2 2.03 or newer is needed",
        ) from error
    groups = tuple(group for group, _volumes in parsed if group is not None)
    return Report(groups, tuple(one for _group, volumes in parsed for one in volumes))


def _section(section: Mapping[str, Any]) -> tuple[VolumeGroup | None, tuple[PhysicalVolume, ...]]:
    rows = section.get("vg") or []
    name = rows[0]["vg_name"] if rows else ""
    physical = tuple(_physical(row, name) for row in section.get("pv") or [])
    if not rows:
        return None, physical
    row = rows[0]
    first: dict[str, Mapping[str, Any]] = {}
    extents: dict[str, int] = {}
    for one in section.get("seg") or []:
        first.setdefault(_bare(one["lv_name"]), one)
        extents[_bare(one["lv_name"])] = extents.get(_bare(one["lv_name"]), 0) + _int(one["seg_size_pe"])
    moves = {_bare(one["lv_name"]): one["move_pv"] for one in section.get("lv") or [] if one.get("move_pv")}
    held = _held(section, moves)
    places: dict[str, list[str]] = {}
    for place in held:
        found = places.setdefault(place.volume, [])
        if place.path not in found:
            found.append(place.path)
    logical = tuple(
        _logical(one, name, first.get(_bare(one["lv_name"]), {}), extents, places)
        for one in section.get("lv") or []
        if _bare(one["lv_name"]) not in moves
    )
    if moves:
        left = {one.path: sum(each.extents for each in held if each.path == one.path) for one in physical}
        physical = tuple(replace(one, used=left[one.path]) for one in physical)
    group = VolumeGroup(
        name=name,
        uuid=row["vg_uuid"],
        extent_size=_int(row["vg_extent_size"]),
        extents=_int(row["vg_extent_count"]),
        free=_int(row["vg_free_count"]),
        exported=bool(row["vg_exported"]),
        shared=bool(row["vg_shared"]),
        clustered=bool(row["vg_clustered"]),
        system_id=row["vg_systemid"],
        missing=_int(row["vg_missing_pv_count"]),
        physical_volumes=physical,
        logical_volumes=logical,
        tags=frozenset(filter(None, row.get("vg_tags", "").split(","))),
        held=held,
        moving=tuple(sorted(moves.values())),
    )
    return group, physical


def _held(section: Mapping[str, Any], moves: Mapping[str, str]) -> tuple[Held, ...]:
    """In the order of the physical volumes. What a pvmove has copied, or will, is counted where it goes."""
    out = []
    rows = sorted(section.get("pvseg") or [], key=lambda one: (one["pv_name"], _int(one["pvseg_start"])))
    for row in rows:
        name, path = _bare(row["lv_name"]), row["pv_name"]
        if not name or moves.get(name) == path:
            continue
        out.append(Held(path, name, _int(row["pvseg_size"])))
        if name in moves:
            # Who of them lies where is not said: each may lie on all of it.
            users = {_bare(one["lv_name"]) for one in section.get("seg") or [] if _lies_on(one, name)}
            out += [Held(path, user, 0) for user in sorted(users)]
    return tuple(out)


def _lies_on(segment: Mapping[str, Any], name: str) -> bool:
    return any(_bare(one.rpartition(":")[0]) == name for one in segment.get("seg_pe_ranges", "").split())


def _physical(row: Mapping[str, Any], group: str) -> PhysicalVolume:
    return PhysicalVolume(
        path=row["pv_name"],
        uuid=row["pv_uuid"],
        group=group,
        size=_int(row["pv_size"]),
        device_size=_int(row["dev_size"]),
        start=_int(row["pe_start"]),
        extents=_int(row["pv_pe_count"]),
        used=_int(row["pv_pe_alloc_count"]),
        missing=bool(row["pv_missing"]),
        in_use=bool(row["pv_in_use"]),
        duplicate=bool(row["pv_duplicate"]),
        allocatable=bool(row["pv_allocatable"]),
    )


def _logical(
    row: Mapping[str, Any],
    group: str,
    segment: Mapping[str, Any],
    extents: Mapping[str, int],
    places: Mapping[str, list[str]],
) -> LogicalVolume:
    name = _bare(row["lv_name"])
    return LogicalVolume(
        group=group,
        name=name,
        hidden=row["lv_name"].startswith("["),
        size=_int(row["lv_size"]),
        extents=extents.get(name, 0),
        role=frozenset(row["lv_role"].split(",")),
        active=row["lv_active"] == "active",
        parent=_bare(row["lv_parent"]),
        pool=_bare(row["pool_lv"]),
        origin=_bare(row["origin"]),
        profile=row["lv_profile"],
        metadata_size=_int(row["lv_metadata_size"]),
        type=str(segment.get("segtype", "")).partition("_")[0],
        stripes=_int(segment.get("stripes")),
        stripe_size=_int(segment.get("stripe_size")),
        chunk_size=_int(segment.get("chunk_size")),
        cache_mode=segment.get("cache_mode", ""),
        zero=segment.get("zero") == "zero",
        discards=segment.get("discards", ""),
        monitored=segment.get("seg_monitor") == "monitored",
        on=tuple(places.get(name, ())),
        health=row.get("lv_health_status", ""),
        data_percent=_percent(row.get("data_percent")),
        metadata_percent=_percent(row.get("metadata_percent")),
    )


def _bare(name: str) -> str:
    return name.strip("[]")


def _percent(text: str | None) -> float | None:
    return float(text) if text else None


def _int(text: object) -> int:
    """LVM leaves a column empty, or says -1, where a number makes no sense."""
    return max(0, int(str(text))) if text else 0
