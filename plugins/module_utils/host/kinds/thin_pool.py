# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""LVM thin pools: made and grown with their metadata; zeroing, discards and growing by themselves as the document says.

What lies in a pool is counted nowhere: TopoLVM's volumes come and go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...plan.model import Action, Command, Expect, Refusal, Step, WriteFile
from ..blockdevices import BlockDevices
from ..first_look import FULLREPORT
from ..lvm import report
from ..lvm.extents import up
from ..lvm.layout import Volume
from ..lvm.report import LogicalVolume
from ..lvm.request import POOL
from ..observation import Observation, Probe, ReadFile
from ..sizes import human
from ..state import Site, State
from . import volume_group
from .logical_volume import activate, order

KIND = "thin_pool"

_PROFILES = "/etc/lvm/profile"


def probes(document: Mapping[str, Any]) -> tuple[Probe, ...]:
    return (FULLREPORT,) if document.get("lvm") else ()


def observe(observation: Observation, block: BlockDevices) -> tuple[LogicalVolume, ...]:
    groups = observation.once(report.read).groups
    return tuple(one for group in groups for one in group.logical_volumes if one.type == "thin-pool")


def declare(
    document: Mapping[str, Any], have: State, want: State, site: Site, observation: Observation
) -> Iterator[object]:
    yield from (one for group in want.of(volume_group.KIND) for one in group.volumes if one.type == POOL)


def plan(have: State, want: State, site: Site, observation: Observation) -> Iterator[Action | Refusal]:
    groups = {one.name: one for one in want.of(volume_group.KIND)}
    for pool in want.of(KIND):
        group, found = groups[pool.group], pool.have
        if found is None:
            yield _create(group, pool)
            continue
        if not found.active:
            yield activate(group, pool)
        if pool.grows or pool.metadata > up(found.metadata_size, pool.extent_bytes):
            yield _grow(group, pool, found)
        yield from _settings(group, pool, found, observation)


def _create(group: volume_group.Wanted, pool: Volume) -> Action:
    needs, provides = order(pool)
    entry = pool.request.entry
    profile = _profile(pool)
    argv = (
        "lvcreate", "--type", "thin-pool", "--extents", str(pool.extents),
        "--poolmetadatasize", f"{pool.metadata * pool.extent_bytes}b", "--poolmetadataspare", "y",
        "--chunksize", f"{pool.request.chunk}b", "--zero", _yes(entry.get("zero", False)),
        "--discards", entry.get("discards", "passdown"),
        *(("--metadataprofile", _profile_name(pool)) if profile else ()),
        "--name", pool.name, pool.group,
    )  # fmt: skip
    # lvcreate starts dmeventd and gives up on it, with no error, when a busy host takes long; asking again waits.
    watch = (Command(("lvchange", "--monitor", "y", pool.request.title)),) if profile else ()
    return Action(
        KIND,
        "create",
        pool.request.title,
        steps=(*profile, Command(argv), *watch),
        after={**_sizes(pool), **_wanted(pool)},
        needs=needs,
        provides=provides,
        disks=group.disks,
        expects=(_extents(pool),),
    )


def _grow(group: volume_group.Wanted, pool: Volume, found: LogicalVolume) -> Action:
    """Metadata first: data without room for its metadata is the worst that a pool can have."""
    needs, provides = order(pool)
    steps: list[Step] = []
    if pool.metadata > up(found.metadata_size, pool.extent_bytes):
        steps.append(
            Command(("lvextend", "--poolmetadatasize", f"{pool.metadata * pool.extent_bytes}b", pool.request.title))
        )
    if pool.grows:
        steps.append(Command(("lvextend", "--extents", str(pool.extents), pool.request.title)))
    return Action(
        KIND,
        "grow",
        pool.request.title,
        steps=tuple(steps),
        before={"size": human(found.size), "metadata": human(found.metadata_size)},
        after=_sizes(pool),
        needs=needs | {f"lv:{pool.request.title}/active"},
        provides=provides,
        disks=group.disks,
        expects=(_extents(pool),),
    )


def _settings(
    group: volume_group.Wanted, pool: Volume, found: LogicalVolume, observation: Observation
) -> Iterator[Action | Refusal]:
    """Zeroing, discards, profile and monitoring of a pool that exists."""
    entry, title = pool.request.entry, pool.request.title
    zero, discards = entry.get("zero", False), entry.get("discards", "passdown")
    before: dict[str, Any] = {}
    steps: list[Step] = []
    if found.zero != zero:
        before["zero"] = found.zero
        steps.append(Command(("lvchange", "--zero", _yes(zero), title)))
    if found.discards != discards:
        if "ignore" in (found.discards, discards):
            yield Refusal(
                f"thin pool {title}",
                f"its discards are {found.discards} and LVM changes that to {discards} only while the pool is inactive",
                f"deactivate it and run 'lvchange --discards {discards} {title}', or restore the value",
            )
            return
        before["discards"] = found.discards
        steps.append(Command(("lvchange", "--discards", discards, title)))
    profile = _profile(pool)
    for file in profile:
        if observation.ask(ReadFile(file.path)) != file.content:
            before["autoextend"] = None
            steps.append(file)
    if profile and found.profile != _profile_name(pool):
        before["autoextend"] = None
        steps.append(Command(("lvchange", "--metadataprofile", _profile_name(pool), title)))
    if not profile and found.profile == _profile_name(pool):
        before["autoextend"] = found.profile
        steps.append(Command(("lvchange", "--detachprofile", title)))
    if profile and found.active and not found.monitored:
        before["monitored"] = False
        steps.append(Command(("lvchange", "--monitor", "y", title)))
    if steps:
        yield Action(
            KIND,
            "change",
            title,
            steps=tuple(steps),
            before=before,
            after=_wanted(pool),
            needs=frozenset((f"vg:{pool.group}", f"lv:{title}", f"lv:{title}/active")),
            disks=group.disks,
        )


def _profile_name(pool: Volume) -> str:
    return f"barestore-{pool.group}-{pool.name}"


def _profile(pool: Volume) -> tuple[WriteFile, ...]:
    """The profile that lets dmeventd grow the pool; nothing where the document does not ask for it."""
    wanted = pool.request.entry.get("autoextend")
    if not wanted:
        return ()
    content = (
        "# Written by barestore.\nactivation {\n"
        f"\tthin_pool_autoextend_threshold={wanted['threshold']}\n\tthin_pool_autoextend_percent={wanted['percent']}\n}}\n"
    )
    return (WriteFile(f"{_PROFILES}/{_profile_name(pool)}.profile", content),)


def _sizes(pool: Volume) -> dict[str, Any]:
    return {"size": human(pool.size), "extents": pool.extents, "metadata": human(pool.metadata * pool.extent_bytes)}


def _wanted(pool: Volume) -> dict[str, Any]:
    entry = pool.request.entry
    return {
        "chunk": human(pool.request.chunk),
        "zero": entry.get("zero", False),
        "discards": entry.get("discards", "passdown"),
        "autoextend": entry.get("autoextend"),
    }


def _extents(pool: Volume) -> Expect:
    """A pool has no device that could be looked at, so that LVM is asked."""
    value = f"{pool.size},{pool.metadata * pool.extent_bytes}"
    argv = (
        "lvs", "--noheadings", "--units", "b", "--nosuffix", "--separator", ",",
        "--options", "lv_size,lv_metadata_size", pool.request.title,
    )  # fmt: skip
    return Expect("prints", pool.request.title, value, argv=argv)


def _yes(value: bool) -> str:
    return "y" if value else "n"
