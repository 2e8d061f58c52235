# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The disks that a plan speaks of, as people know them: actions name OSDs, claims and volumes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..plan.model import Plan
from .state import Cluster


def touched(cluster: Cluster, plan: Plan) -> list[dict[str, Any]]:
    """One entry a claim or volume of an action: ``id, osd, device_set, claim, volume, serial, size, host, rack``.

    ``size`` is in bytes, and 0 where nobody knows it; what is not known of the others is empty. Of OSDs that come
    there is none: the scheduler chooses their volumes.
    """
    osds = {one.claim: f"osd.{one.osd}" for one in cluster.deployments}
    claims: dict[str, str] = {}
    volumes: dict[str, str] = {}
    of_osd = {osd: claim for claim, osd in osds.items()}
    for action in plan.actions:
        if action.kind == "claim":
            claims.setdefault(action.target, osds.get(action.target, ""))
        elif action.kind == "osd":
            told = action.before or {}
            for osd in action.target.split("+"):
                facts = told.get(osd)
                claims[facts["claim"] if facts else of_osd.get(osd, "")] = osd
        elif action.kind == "volume":
            carries = str((action.before or {}).get("carries", "")).split()
            volumes.setdefault(action.target, f"osd.{carries[1]}" if len(carries) == 3 else "")
    rows = [_row(cluster, claim, osd, "") for claim, osd in sorted(claims.items()) if claim]
    shown = {one["volume"] for one in rows}
    return [*rows, *(_row(cluster, "", osd, name) for name, osd in sorted(volumes.items()) if name not in shown)]


def _row(cluster: Cluster, claim: str, osd: str, volume: str) -> dict[str, Any]:
    found = cluster.claims.get(claim)
    there = cluster.volumes.get(found.volume if found else volume)
    place = next(_places(cluster, osd, claim), {})
    host = (there.node if there else "") or place.get("host", "")
    node = cluster.nodes.get(host)
    return {
        "id": there.name if there else claim or volume,
        "osd": osd,
        "device_set": found.device_set if found else "",
        "claim": claim,
        "volume": there.name if there else volume,
        "serial": there.serial if there else "",
        "size": there.size if there else 0,
        "host": host,
        "rack": (node.rack if node else "") or place.get("rack", ""),
    }


def _places(cluster: Cluster, osd: str, claim: str) -> Iterator[dict[str, str]]:
    """Where CRUSH has the OSD of a claim; an OSD of the same number on another claim is another one."""
    found = cluster.osd_of(claim) if claim else None
    if found is not None and found.name == osd:
        yield dict(found.place)
