# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The commands that any plan starts from, apart from the kinds that ask them: they start before those are imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .observation import Run

# There while udev has events to work off: what `udevadm settle` waits for.
UDEV_IS_BUSY = "/run/udev/queue"
SETTLE = ("udevadm", "settle", "--timeout=30")
# Without NAME, lsblk prints no tree. MOUNTPOINTS needs util-linux 2.37; a partition's number and start are not in all
# of these versions and come from sysfs.
LSBLK = Run(
    (
        "lsblk",
        "--json",
        "--bytes",
        "--output",
        "NAME,KNAME,PATH,MAJ:MIN,TYPE,SIZE,LOG-SEC,PHY-SEC,ROTA,RO,TRAN,SERIAL,WWN,MODEL,VENDOR,HCTL,"
        "PTTYPE,PTUUID,PARTUUID,PARTTYPE,PARTLABEL,FSTYPE,FSVER,LABEL,UUID,MOUNTPOINTS",
    )
)
# --foreign and --shared show groups of other hosts, so that they can be refused by name. --nohints reads every disk:
# a hint that was kept while a disk gave errors leaves that disk out when it answers again.
FULLREPORT = Run(
    (
        "lvm", "fullreport", "--nohints", "--all", "--foreign", "--shared",
        "--reportformat", "json", "--units", "b", "--nosuffix",
        "--configreport", "vg", "--options",
        "vg_name,vg_uuid,vg_extent_size,vg_extent_count,vg_free_count,vg_exported,vg_shared,vg_clustered,vg_systemid,"
        "vg_missing_pv_count,vg_tags",
        "--configreport", "pv", "--options",
        "pv_name,pv_uuid,pv_size,dev_size,pe_start,pv_pe_count,pv_pe_alloc_count,pv_missing,pv_in_use,pv_duplicate,"
        "pv_allocatable",
        "--configreport", "lv", "--options",
        "lv_name,lv_size,lv_role,lv_active,lv_parent,pool_lv,origin,lv_profile,lv_metadata_size,lv_health_status,"
        "data_percent,metadata_percent,move_pv",
        "--configreport", "seg", "--options",
        "lv_name,segtype,stripes,stripe_size,seg_size_pe,chunk_size,cache_mode,zero,discards,seg_monitor,"
        "seg_pe_ranges",
        "--configreport", "pvseg", "--options",
        "pv_name,pvseg_start,pvseg_size,lv_name",
    )
)  # fmt: skip
POOL_STATUS = Run(("zpool", "status", "-P"))
POOL_PROPERTIES = Run(("zpool", "get", "-Hp", "all"))


def first_look(document: Mapping[str, Any]) -> tuple[Run, ...]:
    """Questions that a plan for this document asks in any case, the slowest first; the kinds may ask more."""
    pools = (POOL_STATUS, POOL_PROPERTIES) if document.get("zfs") else ()
    return (*pools, *((FULLREPORT,) if document.get("lvm") else ()), LSBLK)
