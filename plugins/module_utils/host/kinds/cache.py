# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""LVM caches: a fast volume (a "cachevol") made on given disks and put before a slow one; and its mode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...plan.model import Action, Command, Expect, Refusal
from ..blockdevices import BlockDevices
from ..first_look import FULLREPORT
from ..lvm import report
from ..lvm.layout import Volume
from ..lvm.report import LogicalVolume
from ..lvm.request import CACHE
from ..observation import Observation, Probe, Run
from ..sizes import human
from ..state import Site, State
from . import volume_group
from .logical_volume import order, path

KIND = "cache"

# Attaching overwrites the fast volume: its name alone does not say that an earlier run made it for that.
_TAG = "barestore.cache"


def probes(document: Mapping[str, Any]) -> tuple[Probe, ...]:
    return (FULLREPORT,) if document.get("lvm") else ()


def observe(observation: Observation, block: BlockDevices) -> tuple[LogicalVolume, ...]:
    """The volumes that have a cache."""
    groups = observation.once(report.read).groups
    return tuple(one for group in groups for one in group.logical_volumes if one.type == CACHE and not one.hidden)


def declare(
    document: Mapping[str, Any], have: State, want: State, site: Site, observation: Observation
) -> Iterator[object]:
    for group in want.of(volume_group.KIND):
        for fast in group.volumes:
            if fast.type != CACHE:
                continue
            if fast.grows:
                now = fast.request.have_extents * fast.extent_bytes
                yield Refusal(
                    f"cache of {_main(fast)}",
                    f"it has {human(now)} and the document wants {human(fast.size)}",
                    "restore the size; growing a cache comes with a later release",
                )
            yield fast


def plan(have: State, want: State, site: Site, observation: Observation) -> Iterator[Action | Refusal]:
    groups = {one.name: one for one in want.of(volume_group.KIND)}
    cached = {f"{one.group}/{one.name}": one for one in have.of(KIND)}
    for fast in want.of(KIND):
        group, mode = groups[fast.group], fast.request.entry.get("mode", "writethrough")
        main = cached.get(_main(fast))
        if main is None:
            if fast.have is None:
                yield _create(group, fast)
            elif not _is_ours(fast, observation):
                yield Refusal(
                    fast.request.title,
                    "it exists, and its tags do not say that it was made to be a cache, which would overwrite it",
                    "rename it, or remove it if what it carries may be lost",
                )
                continue
            yield _attach(group, fast, mode)
        elif main.cache_mode != mode:
            yield _change(group, fast, main, mode)


def _is_ours(fast: Volume, observation: Observation) -> bool:
    """Of a half-made cache of a killed run, by its tag: a process that only this rare case costs."""
    answer = observation.ask(Run(("lvs", "--noheadings", "--options", "lv_tags", fast.request.title)))
    return answer is None or _TAG in answer["stdout"].strip().split(",")


def _main(fast: Volume) -> str:
    return fast.request.title[: -len("_cache")]


def _create(group: volume_group.Wanted, fast: Volume) -> Action:
    """By itself, since it is made before the slow volume can take its place on the fast disks."""
    needs, provides = order(fast)
    argv = (
        "lvcreate", "--yes", "--wipesignatures", "y", "--zero", "y", "--type", "linear",
        "--extents", str(fast.extents), "--addtag", _TAG, "--name", fast.name,
        fast.group, *(one.path for one in fast.on),
    )  # fmt: skip
    return Action(
        KIND,
        "create",
        _main(fast),
        steps=(Command(argv),),
        after={"size": human(fast.size), "on": [one.title for one in fast.on]},
        needs=needs,
        provides=provides,
        disks=group.disks,
        expects=(Expect("size", path(fast), str(fast.size)),),
    )


def _attach(group: volume_group.Wanted, fast: Volume, mode: str) -> Action:
    """Yes answers that the fast volume, made by this plan for nothing else, is overwritten."""
    argv = ("lvconvert", "--yes", "--type", "cache", "--cachevol", fast.name, "--cachemode", mode, _main(fast))
    return Action(
        KIND,
        "attach",
        _main(fast),
        steps=(Command(argv),),
        before={"cache": None},
        after={"cache": human(fast.size), "mode": mode},
        needs=frozenset((f"vg:{fast.group}", f"lv:{_main(fast)}", f"lv:{fast.request.title}")),
        # What is put on the slow volume comes after its cache.
        provides=frozenset((f"lv:{_main(fast)}",)),
        disks=group.disks,
        expects=(_reads(fast, mode),),
        settles=True,
    )


def _change(group: volume_group.Wanted, fast: Volume, main: LogicalVolume, mode: str) -> Action:
    # LVM asks whether writeback is meant, since a lost cache then loses data: the document says that it is.
    return Action(
        KIND,
        "change",
        _main(fast),
        steps=(Command(("lvchange", "--yes", "--cachemode", mode, _main(fast))),),
        before={"mode": main.cache_mode},
        after={"mode": mode},
        needs=frozenset((f"vg:{fast.group}", f"lv:{_main(fast)}", f"lv:{_main(fast)}/active")),
        disks=group.disks,
        expects=(_reads(fast, mode),),
    )


def _reads(fast: Volume, mode: str) -> Expect:
    return Expect("prints", _main(fast), mode, argv=("lvs", "--noheadings", "--options", "cache_mode", _main(fast)))
