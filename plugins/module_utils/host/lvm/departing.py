# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The actions that empty physical volumes and take them out of a group, and that make good what is gone.

    restore -> drop those gone -> extend -> repair -> pvmove, one after the other -> vgreduce -> pvremove

A move that was interrupted goes on first, whoever began it. All come before what makes or grows volumes.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...plan.model import Action, Command, Expect
from ..sizes import human
from .leaving import Change, Departure, Repair

_INTERVAL = "10"  # seconds between two lines of progress


def actions(name: str, change: Change, extent_bytes: int, extents: int, disks: tuple[str, ...]) -> Iterator[Action]:
    """``extents`` are those that the group has in the end; ``disks`` all that it lies on then."""
    group = f"vg:{name}"
    missing = Expect("prints", name, "0", argv=_vgs("vg_missing_pv_count", name))
    if change.restored:
        yield Action(
            "volume_group",
            "restore",
            name,
            steps=(Command(("vgextend", "--restoremissing", name, *(one.path for one in change.restored))),),
            before={"missing": [one.title for one in change.restored]},
            after={"missing": []},
            provides=frozenset((group, f"{group}/whole")),
            disks=disks,
        )
    for title in (f"{name}/{one}" for one in change.refreshed):
        yield Action(
            "logical_volume",
            "refresh",
            title,
            steps=(Command(("lvchange", "--refresh", title)),),
            before={"health": "refresh needed"},
            after={"health": ""},
            needs=frozenset((f"{group}/whole",)),
            provides=frozenset((group, f"{group}/sound")),
            disks=disks,
            expects=(_sound(title),),
        )
    if change.gone:
        # Images of RAID are put aside, so that the group can be extended: no other volume is touched, by --mirrorsonly.
        how = ("--mirrorsonly", "--force") if change.images_gone else ()
        yield Action(
            "volume_group",
            "drop",
            name,
            steps=(Command(("vgreduce", "--removemissing", *how, name)),),
            before={"missing": change.gone},
            after={"missing": 0},
            needs=frozenset((f"{group}/whole",)),
            provides=frozenset((group, f"{group}/complete")),
            disks=disks,
            expects=(missing,),
        )
    for repair in change.repairs:
        yield _repair(name, repair, disks)
    if change.group is not None and change.group.moving:
        yield Action(
            "volume_group",
            "resume",
            name,
            steps=(Command(("pvmove", "--interval", _INTERVAL)),),
            before={"moving": list(change.group.moving)},
            after={"moving": []},
            needs=frozenset((f"{group}/whole",)),
            provides=frozenset((group, f"{group}/resumed")),
            disks=tuple(sorted({*disks, *(one for each in change.departures for one in each.device.disks)})),
            copies=True,
        )
    yield from _departures(name, change, extent_bytes, extents, disks)


def _departures(name: str, change: Change, extent_bytes: int, extents: int, disks: tuple[str, ...]) -> Iterator[Action]:
    group, paths = f"vg:{name}", [one.device.path for one in change.departures]
    for index, departure in enumerate(one for one in change.departures if one.moves):
        yield _evacuate(name, departure, index, extent_bytes, disks)
    if not paths:
        return
    yield Action(
        "volume_group",
        "reduce",
        name,
        steps=(Command(("vgreduce", name, *paths)),),
        before={"members": len(change.members) + len(paths)},
        after={"members": len(change.members), "left": [one.device.title for one in change.departures]},
        needs=frozenset(f"{group}/{one}" for one in ("resumed", "room", "moved")),
        provides=frozenset((group, f"{group}/left")),
        disks=tuple(sorted({*disks, *(one for each in change.departures for one in each.device.disks)})),
        expects=(Expect("prints", name, str(extents), argv=_vgs("vg_extent_count", name)),),
    )


def _evacuate(name: str, departure: Departure, index: int, extent_bytes: int, disks: tuple[str, ...]) -> Action:
    """The last move takes what is left, so that the others name their volume."""
    group, device = f"vg:{name}", departure.device
    steps = tuple(
        Command(
            (
                "pvmove", "--interval", _INTERVAL, *(("--name", move.volume) if move.volume else ()),
                device.path, *(one.path for one in move.on),
            )
        )
        for move in departure.moves
    )  # fmt: skip
    used = sum(one.extents for one in departure.moves)
    before = ("resumed", "room", "sound", "complete", f"moved/{index - 1}")
    return Action(
        "physical_volume",
        "evacuate",
        f"{device.ref}@{device.disks[0]}",
        steps=steps,
        before={"used": human(used * extent_bytes)},
        after={
            "used": "0 B",
            "to": {one.volume or "all else": [each.title for each in one.on] for one in departure.moves},
        },
        needs=frozenset(f"{group}/{one}" for one in before),
        provides=frozenset((group, f"{group}/moved", f"{group}/moved/{index}")),
        disks=tuple(sorted({*disks, *device.disks})),
        copies=True,
        expects=(
            Expect(
                "prints", device.path, "0", argv=("pvs", "--noheadings", "--options", "pv_pe_alloc_count", device.path)
            ),
        ),
    )


def _repair(name: str, repair: Repair, disks: tuple[str, ...]) -> Action:
    """Yes answers that the images are made anew, from the others."""
    title = f"{name}/{repair.volume}"
    return Action(
        "logical_volume",
        "repair",
        title,
        steps=(Command(("lvconvert", "--yes", "--repair", title, *(one.path for one in repair.on))),),
        before={"gone": len(repair.on)},
        after={"on": [one.title for one in repair.on]},
        needs=frozenset((f"vg:{name}/complete", f"vg:{name}/room")),
        provides=frozenset((f"vg:{name}", f"vg:{name}/sound")),
        disks=disks,
        expects=(_sound(title),),
        settles=True,
    )


def _sound(title: str) -> Expect:
    argv = ("lvs", "--noheadings", "--options", "lv_health_status", title)
    return Expect("prints", title, "", argv=argv)


def _vgs(column: str, name: str) -> tuple[str, ...]:
    return ("vgs", "--noheadings", "--options", column, name)
