# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ZFS filesystems and volumes: created parents first, their properties set in one command, mounted, unlocked, grown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...plan.model import Action, Command, Expect, Refusal
from ..blockdevices import ZVOLS, BlockDevices
from ..observation import Observation, Probe, ReadLinks, Run
from ..sizes import human
from ..state import Device, Offer, Site, State
from ..zfs import datasets
from ..zfs.datasets import Dataset
from ..zfs.properties import INHERIT, NEW_DATA_ONLY, NOT_INHERITED, ONCE, VERSION, PropertyError, same, set_mounts
from . import zfs_pool

KIND = "zfs_dataset"

_ALWAYS = ("type", "mountpoint", "canmount", "mounted", "encryptionroot", "keystatus")
_VOLUME = ("volsize", "volblocksize", "refreservation")
_UNKNOWN = re.compile(r"invalid property '([^']+)'")


@dataclass(frozen=True)
class Found:
    """A dataset that is there: its properties as ``zfs get -p`` prints them, and where each comes from."""

    name: str
    values: Mapping[str, str]
    sources: Mapping[str, str]


def probes(document: Mapping[str, Any]) -> tuple[Probe, ...]:
    """One question for all datasets, whatever their number, and the links of the volumes' folders."""
    if not document.get("zfs"):
        return ()
    folders = {
        f"{ZVOLS}/{pool}/{name}".rpartition("/")[0]
        for pool, entry in document["zfs"].items()
        for name in entry.get("volumes", {})
    }
    return (_question(document), VERSION, *map(ReadLinks, sorted(folders)))


def observe(observation: Observation, block: BlockDevices) -> tuple[Found, ...]:
    answer = next((one for key, one in observation.answers.items() if key.startswith("run:zfs get ")), None)
    values: dict[str, dict[str, str]] = {}
    sources: dict[str, dict[str, str]] = {}
    for line in answer["stdout"].splitlines() if answer else ():
        name, key, value, source = line.split("\t")
        values.setdefault(name, {})[key] = value
        sources.setdefault(name, {})[key] = source
    return tuple(Found(name, values[name], sources[name]) for name in values)


def declare(
    document: Mapping[str, Any], have: State, want: State, site: Site, observation: Observation
) -> Iterator[object]:
    if not document.get("zfs"):
        return
    answer = observation.ask(_question(document))
    unknown = _UNKNOWN.search(answer["stderr"]) if answer and answer["rc"] != 0 else None
    if unknown:
        yield Refusal("zfs", f"ZFS of this host knows no property '{unknown[1]}'", "correct its name, or remove it")
        return
    found = {one.name: one for one in have.of(KIND)}
    pools = {pool.name: pool for pool in want.of(zfs_pool.KIND)}
    for name, pool in document["zfs"].items():
        hidden = zfs_pool.lies_on_disks(pools[name], have, observation)
        disks = tuple(sorted({disk for entry in pools[name].entries for one in entry.devices for disk in one.disks}))
        try:
            for dataset in datasets.wanted(name, pool):
                yield dataset
                if dataset.is_volume:
                    yield _offer(dataset, found.get(dataset.name), disks)
                if hidden and dataset.is_volume and dataset.name in datasets.referenced(document):
                    yield Refusal(
                        f"pool {name}",
                        f"it is not imported, and what its volume {dataset.name} carries is seen only then",
                        f"run 'zpool import -d /dev/disk/by-id {name}' first",
                    )
        except PropertyError as error:
            yield Refusal(f"pool {name}", str(error), "correct the document")


def plan(have: State, want: State, site: Site, observation: Observation) -> Iterator[Action | Refusal]:
    found = {one.name: one for one in have.of(KIND)}
    mounted = dict(have.of("mount"))
    pools = {pool.name: pool for pool in want.of(zfs_pool.KIND)}
    imported = {name for name in pools if zfs_pool.is_imported(name, have)}
    hidden = {name for name, pool in pools.items() if zfs_pool.lies_on_disks(pool, have, observation)}
    mounts: dict[str, str] = {}
    changes: dict[str, dict[str, str]] = {}
    for dataset in want.of(KIND):
        there = found.get(dataset.name)
        mounts[dataset.name] = mountpoint = _mountpoint(dataset, there, mounts)
        if dataset.pool in hidden:
            yield from datasets.hindrances(dataset, "", mounted, observation)
        elif there is None and (dataset.parent or dataset.pool in imported):  # a new pool makes its root itself
            yield from _create(dataset, mountpoint, mounted, observation)
        elif there is not None and (there.values["type"] == "volume") != dataset.is_volume:
            yield Refusal(dataset.target, f"it is a {there.values['type']}", "choose another name")
        elif there is not None:
            version = observation.ask(VERSION)
            changes[dataset.name] = change = _differences(dataset, there, changes, version)
            yield from _change(dataset, there, change, mountpoint, mounted, want, observation)


def _question(document: Mapping[str, Any]) -> Run:
    names = set(_ALWAYS)
    for pool in document["zfs"].values():
        names |= datasets.property_names(pool)
        if pool.get("volumes"):
            names.update(_VOLUME)
    columns = ("-H", "-p", "-t", "filesystem,volume", "-o", "name,property,value,source")
    return Run(("zfs", "get", *columns, ",".join(sorted(names))))


def _mountpoint(dataset: Dataset, there: Found | None, mounts: Mapping[str, str]) -> str:
    """The mountpoint property once the document is met: its own, or the parent's and the last part of its name."""
    own = dataset.properties.get("mountpoint", "")
    if there and not own and there.sources.get("mountpoint") in ("local", "received"):
        own = there.values["mountpoint"]
    if own and own != INHERIT:
        return own
    if not dataset.parent:
        return f"/{dataset.name}"
    above = mounts[dataset.parent]
    return above if above in datasets.UNMOUNTED else f"{above.rstrip('/')}/{dataset.name.rpartition('/')[2]}"


def _create(
    dataset: Dataset, inherited: str, mounted: Mapping[str, str], observation: Observation
) -> Iterator[Action | Refusal]:
    mountpoint = dataset.mountpoint_when_new(inherited)
    yield from datasets.hindrances(dataset, mountpoint, mounted, observation)
    options = tuple(word for key, value in dataset.options() for word in ("-o", f"{key}={value}"))
    size = ("-s",) * bool(dataset.sparse) + ("-V", str(dataset.volsize())) if dataset.is_volume else ()
    expects: tuple[Expect, ...] = ()
    if dataset.is_volume:
        expects = (Expect("size", _path(dataset), str(dataset.volsize())),)
    elif mountpoint:
        expects = (Expect("mounted", mountpoint),)
    after: dict[str, Any] = dict(dataset.options())
    if dataset.is_volume:
        after.update({"size": human(dataset.volsize()), "sparse": bool(dataset.sparse)})
    yield Action(
        KIND,
        "create",
        dataset.name,
        steps=(Command(("zfs", "create", *size, *options, dataset.name)),),
        after=after,
        needs=frozenset((f"zpool:{dataset.pool}", f"zfs:{dataset.parent}")) | datasets.mounts_above(mountpoint),
        provides=datasets.provides(dataset, mountpoint),
        expects=expects,
        settles=dataset.is_volume,
    )


def _change(
    dataset: Dataset,
    there: Found,
    change: dict[str, str],
    inherited: str,
    mounted: Mapping[str, str],
    want: State,
    observation: Observation,
) -> Iterator[Action | Refusal]:
    mountpoint = dataset.mountpoint_when_new(inherited)
    if "canmount" not in dataset.properties and there.values["canmount"] != "on":
        mountpoint = ""
    for key in sorted(ONCE & frozenset(change)):
        yield Refusal(dataset.target, f"its {key} is {there.values[key]} for ever", f"write {key}: {there.values[key]}")
    if dataset.is_volume:
        yield from _volume_change(dataset, there, change)
    key = there.values["encryptionroot"] if there.values["keystatus"] == "unavailable" else ""
    moves = bool(mountpoint) and mountpoint != there.values["mountpoint"]
    version = observation.ask(VERSION)
    by_set = moves and not key and (_is_mounted(there) or _comes_from_unmounted(there) or set_mounts(version))
    mounts = bool(mountpoint) and not _is_mounted(there) and not by_set
    if moves or mounts:
        yield from datasets.hindrances(dataset, mountpoint, mounted, observation)
    if key == dataset.name and dataset.key_file:
        yield from datasets.hindrances(dataset, "", mounted, observation)
        yield _unlock(dataset)
    elif key and mounts and not any(one.name == key and one.key_file for one in want.of(KIND)):
        yield Refusal(
            dataset.target, f"the key of {key} is not loaded", f"run 'zfs load-key {key}', or give it a key file"
        )
    if change:
        yield _set(dataset, there, change, mountpoint if by_set else "")
    if mounts:
        yield _mount(dataset, mountpoint, key)


def _differences(
    dataset: Dataset, there: Found, changes: Mapping[str, Mapping[str, str]], version: str | None
) -> dict[str, str]:
    """The properties to set; ``changes`` are those of the datasets above, made before."""
    out = {}
    for key, value in dataset.properties.items():
        if value == INHERIT:
            differs = there.sources.get(key) in ("local", "received")
        else:
            coming = _inherited(dataset.name, key, there, changes)
            differs = not same(key, value, there.values.get(key, "") if coming is None else coming, version)
        if differs:
            out[key] = value
    return out


def _inherited(name: str, key: str, there: Found, changes: Mapping[str, Mapping[str, str]]) -> str | None:
    """What will come from above once this plan is done; None where nothing that it inherits is changed."""
    source = there.sources.get(key, "")
    if key in NOT_INHERITED or source in ("local", "received"):
        return None
    above = name
    while "/" in above and source != f"inherited from {above}":
        above = above.rpartition("/")[0]
        value = changes.get(above, {}).get(key)
        if value is not None:
            moved = key == "mountpoint" and value.startswith("/")
            return value.rstrip("/") + name[len(above) :] if moved else value
    return None


def _is_mounted(there: Found) -> bool:
    return there.values["mounted"] == "yes"


def _comes_from_unmounted(there: Found) -> bool:
    return there.values["mountpoint"] in datasets.UNMOUNTED


def _volume_change(dataset: Dataset, there: Found, change: dict[str, str]) -> Iterator[Refusal]:
    size, block = int(there.values["volsize"]), int(there.values["volblocksize"])
    volsize = dataset.volsize(block)
    if volsize < size:
        yield Refusal(
            dataset.target,
            f"it has {human(size)} and the document says {human(dataset.size)}; shrinking comes with a later release",
            "write its size as it is",
        )
    elif volsize > size:
        change["volsize"] = str(volsize)
    thin = there.values["refreservation"] in ("0", "none")
    if dataset.sparse is not None and dataset.sparse != thin and "refreservation" not in dataset.properties:
        change["refreservation"] = "none" if dataset.sparse else "auto"


def _set(dataset: Dataset, there: Found, change: Mapping[str, str], mountpoint: str) -> Action:
    pairs = tuple(f"{key}={value}" for key, value in sorted(change.items()) if value != INHERIT)
    steps = [Command(("zfs", "set", *pairs, dataset.name))] if pairs else []
    steps += [Command(("zfs", "inherit", key, dataset.name)) for key in sorted(change) if change[key] == INHERIT]
    late = sorted(NEW_DATA_ONLY & frozenset(change))
    expects = (Expect("mounted", mountpoint),) if mountpoint else ()
    if "volsize" in change:
        expects = (Expect("size", _path(dataset), change["volsize"]),)
    return Action(
        KIND,
        "set",
        dataset.name,
        steps=tuple(steps),
        before={key: there.values.get(key, "") for key in sorted(change)},
        after={**{key: change[key] for key in sorted(change)}, **({"for new data only": late} if late else {})},
        needs=frozenset((f"zpool:{dataset.pool}", f"zfs:{dataset.parent}")) | datasets.mounts_above(mountpoint),
        provides=datasets.provides(dataset, mountpoint),
        expects=expects,
        settles="volsize" in change,
    )


def _unlock(dataset: Dataset) -> Action:
    return Action(
        KIND,
        "unlock",
        dataset.name,
        steps=(Command(("zfs", "load-key", dataset.name)),),
        before={"key": "unavailable"},
        after={"key": "available"},
        # A new mountpoint is set while it is locked: zfs set would mount what is not.
        needs=frozenset((f"zfs:{dataset.name}",)),
        provides=frozenset((f"zfskey:{dataset.name}",)),
    )


def _mount(dataset: Dataset, mountpoint: str, key: str) -> Action:
    return Action(
        KIND,
        "mount",
        dataset.name,
        steps=(Command(("zfs", "mount", dataset.name)),),
        before={"mounted": False},
        after={"mounted": mountpoint},
        needs=frozenset((f"zfs:{dataset.name}", *((f"zfskey:{key}",) if key else ())))
        | datasets.mounts_above(mountpoint),
        provides=frozenset((f"mount:{mountpoint}",)),
        expects=(Expect("mounted", mountpoint),),
    )


def _path(dataset: Dataset) -> str:
    return f"{ZVOLS}/{dataset.name}"


def _offer(dataset: Dataset, there: Found | None, disks: tuple[str, ...]) -> Offer:
    block = int(there.values["volblocksize"]) if there and there.values.get("volblocksize", "-") != "-" else 0
    device = Device(
        ref=dataset.name,
        path=_path(dataset),
        resource=f"zvol:{dataset.name}",
        size=dataset.volsize(block) if block else dataset.volsize(),
        sector=512,
        disks=disks,
        seed=dataset.name,
        there=there is not None,
        title=f"volume {dataset.name}",
    )
    return Offer(dataset.name, (device,))
