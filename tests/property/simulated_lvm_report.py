# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``lvm fullreport`` of a simulated host, in the format of lvm 2.03.31."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from simulated_block import MIB
from simulated_lvm_day2 import health
from simulated_lvm_values import Logical

if TYPE_CHECKING:
    from simulated_lvm import Lvm
    from simulated_lvm_values import Group, Physical


def fullreport(lvm: Lvm) -> str:
    """One section for each group, and one for the physical volumes that have none."""
    there = {id(node) for node in lvm.host.nodes}
    closed = {one.group for one in lvm.physical if not one.missing and id(one.node) not in there}
    sections = [_section(group) for group in lvm.groups.values() if group.name not in closed]
    alone = [one for one in lvm.physical if not one.group and (one.missing or id(one.node) in there)]
    if alone:
        rows = [{"pv_name": one.path, "pvseg_start": "0", "pvseg_size": "0", "lv_name": ""} for one in alone]
        sections.append({"pv": [_physical(one, 0) for one in alone], "pvseg": rows})
    return json.dumps({"report": sections})


def _section(group: Group) -> dict[str, Any]:
    rows = []
    for one in group.members:
        held = [(start, size, name) for volume in group.volumes.values() for name in (_shown(volume),)
                for physical, start, size in _still(group, volume) if physical is one]  # fmt: skip
        held += [(start, size, "[pvmove0]") for _part, old, new in (group.moving.parts if group.moving else ())
                 for physical, start, size in (old, *new) if physical is one]  # fmt: skip
        held += [(one.begun, one.free, "")] if one.free else []
        rows += [
            {"pv_name": one.path, "pvseg_start": str(start), "pvseg_size": str(size), "lv_name": name}
            for start, size, name in sorted(held)
        ]
    vg = {
        "vg_name": group.name,
        "vg_uuid": group.uuid,
        "vg_extent_size": str(group.extent),
        "vg_extent_count": str(sum(one.extents for one in group.members)),
        "vg_free_count": str(sum(one.free for one in group.members)),
        "vg_exported": "",
        "vg_shared": "",
        "vg_clustered": "",
        "vg_systemid": "",
        "vg_missing_pv_count": str(sum(one.missing or one.flagged for one in group.members)),
        "vg_tags": group.tags,
    }
    volumes = sorted(group.volumes.values(), key=lambda one: one.name)
    if group.moving:
        moved = sum(old[2] for _part, old, _new in group.moving.parts)
        volumes.append(Logical("pvmove0", "mirror", moved, hidden=True, role="private,pvmove"))
    return {
        "vg": [vg],
        "pv": [_physical(one, group.extent) for one in group.members],
        "lv": [_logical(one, group) for one in volumes],
        "pvseg": rows,
        "seg": [_segment(one, group) for one in volumes],
    }


def _physical(one: Physical, extent: int) -> dict[str, str]:
    return {
        "pv_name": one.path,
        "pv_uuid": one.uuid,
        "pv_size": str(one.extents * extent or one.node.size),
        "dev_size": str(one.node.size),
        "pe_start": str(MIB),
        "pv_pe_count": str(one.extents),
        "pv_pe_alloc_count": str(one.used),
        "pv_missing": "missing" if one.missing or one.flagged else "",
        "pv_in_use": "used" if one.group else "",
        "pv_duplicate": "",
        "pv_allocatable": "allocatable" if one.group else "",
    }


def _shown(volume: Logical) -> str:
    return f"[{volume.name}]" if volume.hidden else volume.name


def _logical(volume: Logical, group: Group) -> dict[str, str]:
    return {
        "lv_name": _shown(volume),
        "lv_size": str(volume.extents * group.extent),
        "lv_role": volume.role,
        "lv_active": "active" if volume.active and volume.name != "lvol0_pmspare" else "",
        "lv_parent": volume.parent,
        "pool_lv": f"[{volume.pool}]" if volume.type == "cache" else volume.pool,
        "origin": f"[{volume.origin}]" if volume.origin else "",
        "lv_profile": volume.profile,
        "lv_metadata_size": str(volume.metadata * group.extent) if volume.metadata else "",
        "lv_health_status": health(group, volume),
        "data_percent": "12.50" if volume.type == "thin-pool" else "",
        "metadata_percent": "10.03" if volume.type == "thin-pool" else "",
        "move_pv": group.moving.source.path if group.moving and volume.name == "pvmove0" else "",
    }


def _still(group: Group, volume: Logical) -> list[tuple[Physical, int, int]]:
    """The places of a volume that a pvmove has not in its hands."""
    parts = group.moving.parts if group.moving else ()
    return [one for one in volume.places if not any(part is volume and old == one for part, old, _new in parts)]


def _segment(volume: Logical, group: Group) -> dict[str, str]:
    return {
        "lv_name": _shown(volume),
        "segtype": volume.type,
        "stripes": str(volume.stripes),
        "stripe_size": str(volume.stripe_size),
        "seg_size_pe": str(volume.extents),
        "chunk_size": str(volume.chunk),
        "cache_mode": volume.mode,
        "zero": volume.zero,
        "discards": volume.discards,
        "seg_monitor": volume.monitor,
        "seg_pe_ranges": "pvmove0:0-9" if len(_still(group, volume)) < len(volume.places) else "",
    }
