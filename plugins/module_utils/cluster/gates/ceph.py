# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Gates of Ceph: health, quorum, flags, OSDs, placement groups, room."""

from __future__ import annotations

from collections.abc import Iterator

from ...plan.model import Refusal
from .situation import Situation, closed, is_clean, some, unclean

HARMLESS = frozenset(
    (
        "AUTH_INSECURE_GLOBAL_ID_RECLAIM",
        "AUTH_INSECURE_GLOBAL_ID_RECLAIM_ALLOWED",
        # Rook lets monitors take and make old keys too, for clients with an old kernel: each of its clusters says so.
        "AUTH_INSECURE_KEYS_ALLOWED",
        "AUTH_INSECURE_KEYS_CREATABLE",
        "MON_DISK_LOW",
        "MON_MSGR2_NOT_ENABLED",
        "POOL_APP_NOT_ENABLED",
        "POOL_NO_REDUNDANCY",  # told by its own gate, with the pools
        "RECENT_MGR_MODULE_CRASH",
        "TOO_FEW_PGS",
        "POOL_TOO_FEW_PGS",
    )
)
"""Warnings that say nothing of whether data is whole or may move."""

OF_MOVING = frozenset(("OBJECT_MISPLACED", "PG_AVAILABILITY", "PG_DEGRADED", "SLOW_OPS", "BLUESTORE_SLOW_OP_ALERT"))
"""What Ceph says while data moves because of us; how far it is is asked of the placement groups."""

OF_OSDS = frozenset(
    ("OSD_DOWN", "OSD_HOST_DOWN", "OSD_RACK_DOWN", "OSDMAP_FLAGS", "OSD_FLAGS", "OSD_NEARFULL", "POOL_NEARFULL")
)
"""Asked of the OSDs and flags themselves, with their names."""

OF_ROOM = frozenset(("OSD_NEARFULL", "POOL_NEARFULL"))


def health(now: Situation) -> Iterator[Refusal]:
    """Nothing is wrong that nobody accepted."""
    allowed = HARMLESS | OF_OSDS | now.accepted | (OF_MOVING if now.moving else frozenset())
    found = [one for one in now.cluster.checks if one.code not in allowed and not one.muted]
    if found:
        yield closed(
            "health",
            f"{now.cluster.name} is in {now.cluster.health}: " + some([f"{one.code} ({one.message})" for one in found]),
            "mend it, mute it in Ceph, or accept the code in accept_health if it does not matter",
        )


def quorum(now: Situation) -> Iterator[Refusal]:
    """Every monitor is in quorum, and a manager answers."""
    one = now.cluster
    if one.quorum < one.mons:
        yield closed("quorum", f"{one.quorum} of {one.mons} monitors are in quorum", "bring the others back")
    if not one.mgr:
        yield closed("quorum", "no manager is active, so that figures are old", "bring a manager back")


def flags(now: Situation) -> Iterator[Refusal]:
    """Nobody has stopped the cluster from moving data."""
    stopping = now.cluster.flags & {
        "noout", "noin", "noup", "nodown", "norebalance", "nobackfill", "norecover", "pause", "pauserd", "pausewr",
        "full",
    }  # fmt: skip
    if stopping:
        yield closed(
            "flags",
            f"somebody set {some(sorted(stopping))} on {now.cluster.name}",
            "unset them with 'ceph osd unset' once their reason is gone",
        )


def osds(now: Situation) -> Iterator[Refusal]:
    """Every OSD that stays is up, in, and has a place in CRUSH."""
    staying = [one for one in now.cluster.osds.values() if one.id not in now.leaving]
    down = [_where(one.name, one.place) for one in staying if not one.up]
    if down:
        yield closed("osds", f"{len(down)} OSDs are down: {some(down)}", "bring them back, or replace their disks")
    out = [_where(one.name, one.place) for one in staying if one.up and not one.is_in]
    if out:
        yield closed(
            "osds", f"{len(out)} OSDs are out: {some(out)}", "somebody else removes them: let that end, or mark them in"
        )
    empty = [_where(one.name, one.place) for one in staying if one.up and one.is_in and one.place and not one.weight]
    if empty:
        yield closed(
            "osds",
            f"{len(empty)} OSDs have CRUSH weight 0: {some(empty)}",
            "somebody else empties them: let that end, or give them their weight",
        )
    astray = [f"osd.{number}" for number in sorted(now.cluster.strays - now.leaving)]
    if astray:
        yield closed(
            "osds", f"CRUSH has no place for {some(astray)}", "look at 'ceph osd tree'; finish or undo what left them"
        )


def placement(now: Situation) -> Iterator[Refusal]:
    """All copies are whole and where they belong, before anything is begun."""
    count = unclean(now.cluster)
    if count and not now.moving:
        states = [
            f"{number} {name}" for name, number in sorted(now.cluster.progress.states.items()) if not is_clean(name)
        ]
        yield closed(
            "placement",
            f"{count} of {now.cluster.progress.total} placement groups are not active+clean: {some(states)}",
            "wait until they are, and run again",
        )


def scrub(now: Situation) -> Iterator[Refusal]:
    """No copy differs from the others."""
    bad = [state for state in now.cluster.progress.states if "inconsistent" in state or "failed_repair" in state]
    if bad:
        yield closed("scrub", f"placement groups are {some(sorted(bad))}", "repair them with 'ceph pg repair' first")


def splitting(now: Situation) -> Iterator[Refusal]:
    """No pool is on its way to another number of placement groups, which would move data at the same time."""
    going = [
        f"{one.name} ({one.pg_num} to {one.pg_num_target}, autoscaler {one.autoscale})"
        for one in now.cluster.pools
        if one.pg_num != one.pg_num_target
    ]
    if going and not now.moving:
        yield closed(
            "splitting", f"pools change their number of placement groups: {some(going)}", "wait until they are there"
        )


def room(now: Situation) -> Iterator[Refusal]:
    """Nothing is near full, where data is about to move closer together."""
    near = [f"{one.code} ({one.message})" for one in now.cluster.checks if one.code in OF_ROOM]
    if near:
        yield closed("room", f"{some(near)}", "add OSDs or delete data before any is taken away")


def _where(name: str, place: object) -> str:
    parts = place if isinstance(place, dict) else {}
    inside = parts.get("rack") or parts.get("host")
    return f"{name} in {inside}" if inside else name
