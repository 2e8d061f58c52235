# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ZFS pools: created in one command, imported without force, added to, grown; properties set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...plan.model import Action, Command, Expect, Note, Refusal
from ..blockdevices import BlockDevices
from ..first_look import POOL_PROPERTIES, POOL_STATUS
from ..identity import planned_uuid
from ..observation import Observation, Probe, Run, Signatures, StatPath
from ..state import Device, Site, State
from ..zfs import changes, datasets, health, imports, layout, members, status
from ..zfs.difference import difference
from ..zfs.layout import Entry, Wanted
from ..zfs.properties import PropertyError, canonical, pool_same

KIND = "zfs_pool"

_HOSTID = "/etc/hostid"
_UNUSABLE = ("FAULTED", "OFFLINE", "REMOVED", "SUSPENDED", "UNAVAIL")
_FEATURES = "features are not enabled"  # in the status of a pool, as long as nothing worse is to say
# Names that zpool keeps for itself (zpool_name_valid of libzfs_pool.c).
_RESERVED = ("mirror", "raidz", "draid", "spare")


@dataclass(frozen=True)
class Pool:
    """A pool of the document: canonical pool properties, and those of its root dataset for the creation."""

    name: str
    entries: tuple[Entry, ...]
    properties: Mapping[str, str]
    root: datasets.Dataset
    load_keys: bool
    upgrade: bool = False

    @property
    def target(self) -> str:
        return f"pool {self.name}"


@dataclass(frozen=True)
class Found:
    """An imported pool and its properties as ``zpool get -p`` prints them."""

    pool: status.Pool
    properties: Mapping[str, str]


def probes(document: Mapping[str, Any]) -> tuple[Probe, ...]:
    return (POOL_STATUS, POOL_PROPERTIES) if document.get("zfs") else ()


def observe(observation: Observation, block: BlockDevices) -> tuple[Found, ...]:
    """The imported pools; none where there is no ZFS, which ``declare`` tells apart."""
    if POOL_STATUS.key not in observation.answers:
        return ()
    found: dict[str, dict[str, str]] = {}
    for line in ((observation.ask(POOL_PROPERTIES) or {}).get("stdout", "")).splitlines():
        words = line.split("\t")
        if len(words) == 4:
            found.setdefault(words[0], {})[words[1]] = words[2]
    pools = status.parse(observation.ask(POOL_STATUS)["stdout"])
    return tuple(Found(pool, found.get(pool.name, {})) for pool in pools)


def declare(
    document: Mapping[str, Any], have: State, want: State, site: Site, observation: Observation
) -> Iterator[object]:
    if not document.get("zfs"):
        return
    answer = observation.ask(POOL_STATUS)
    if answer and answer["rc"] != 0:
        yield _no_zfs(answer)
        return
    for name, pool in document["zfs"].items():
        if name.startswith(_RESERVED) or name == "log":
            yield Refusal(f"pool {name}", "ZFS keeps names that begin like this for itself", "choose another name")
            continue
        try:
            yield Pool(
                name,
                tuple(layout.entries(pool, want.devices)),
                {key: canonical(key, value) for key, value in pool.get("properties", {}).items()},
                datasets.root(name, pool),
                any("keylocation" in entry for entry in datasets.documents(pool)),
                bool(pool.get("upgrade")),
            )
        except (layout.Unfit, PropertyError) as error:
            yield Refusal(f"pool {name}", str(error), "correct the document")


def plan(have: State, want: State, site: Site, observation: Observation) -> Iterator[Action | Refusal | Note]:
    found = {one.pool.name: one for one in have.of(KIND)}
    fresh = False
    for wanted in want.of(KIND):
        there = found.get(wanted.name)
        if there is not None:
            yield from _change(wanted, there, have, observation)
            continue
        fresh = True
        lying = imports.find(wanted.name, wanted.entries, have.block, observation)
        if isinstance(lying, Refusal):
            yield lying
        elif lying is not None:
            yield _import(wanted)
        else:
            yield from _create(wanted, have, observation)
    if fresh and observation.ask(StatPath(_HOSTID)) is None:
        yield _hostid(site)


def is_imported(name: str, have: State) -> bool:
    """Whether the pool is there, so that its datasets are known."""
    return any(one.pool.name == name for one in have.of(KIND))


def lies_on_disks(wanted: Pool, have: State, observation: Observation) -> bool:
    """Whether the pool must be imported first, so that nobody knows yet what is in it."""
    if is_imported(wanted.name, have):
        return False
    return imports.find(wanted.name, wanted.entries, have.block, observation) is not None


def _no_zfs(answer: Mapping[str, Any]) -> Refusal:
    if answer["rc"] == 127:
        return Refusal(
            "zfs", "pools are wanted and the tool zpool is not installed", "install the package zfsutils-linux"
        )
    said = " ".join(answer["stderr"].split()) or "it said nothing"
    return Refusal(
        "zfs", f"zpool cannot read the pools of this host: {said}", "load the kernel module zfs and run again"
    )


def _hostid(site: Site) -> Action:
    """Without /etc/hostid a pool does not know its host, and nothing keeps another host from importing it."""
    number = planned_uuid(site, "hostid", site.host, "")[:8]
    return Action(
        KIND,
        "hostid",
        _HOSTID,
        steps=(Command(("zgenhostid", number if int(number, 16) else "00000001")),),
        after={"hostid": number},
        provides=frozenset(("hostid",)),
        expects=(Expect("exists", _HOSTID),),
    )


def _import(wanted: Pool) -> Action:
    """What else the document asks of it is known once it is imported: the next run plans that."""
    keys = ("-l",) if wanted.load_keys else ()
    return Action(
        KIND,
        "import",
        wanted.name,
        steps=(Command(("zpool", "import", "-d", "/dev/disk/by-id", *keys, wanted.name)),),
        before={"imported": False},
        after={"imported": True},
        needs=frozenset(("hostid",)),
        provides=frozenset((f"zpool:{wanted.name}",)),
        disks=_disks(device for entry in wanted.entries for device in entry.devices),
        expects=(Expect("exists", _state_file(wanted.name)),),
        settles=True,
    )


def _create(wanted: Pool, have: State, observation: Observation) -> Iterator[Action | Refusal]:
    try:
        vdevs = difference(wanted.entries, None, have.block).new
    except layout.Unfit as error:
        yield Refusal(wanted.target, str(error), "correct the document")
        return
    wrong = layout.inconsistent(vdevs)
    if wrong:
        yield Refusal(wanted.target, wrong, "make the vdevs alike; barestore never forces zpool")
        return
    devices = [device for vdev in vdevs for device in vdev.devices]
    yield from members.unless_free(devices, f"pool {wanted.name}", have.block, observation)
    root = wanted.root
    mountpoint = root.mountpoint_when_new(f"/{wanted.name}")
    yield from datasets.hindrances(root, mountpoint, dict(have.of("mount")), observation)
    options = [word for key, value in sorted(wanted.properties.items()) for word in ("-o", f"{key}={value}")]
    options += [word for key, value in root.options() for word in ("-O", f"{key}={value}")]
    yield Action(
        KIND,
        "create",
        wanted.name,
        steps=(*members.checks(devices), Command(("zpool", "create", *options, wanted.name, *layout.argv(vdevs)))),
        after={**_layout(vdevs), "properties": dict(wanted.properties), "filesystem_properties": dict(root.options())},
        needs=frozenset((*_needs(devices), "hostid")) | datasets.mounts_above(mountpoint),
        provides=frozenset((f"zpool:{wanted.name}",)) | datasets.provides(root, mountpoint),
        disks=_disks(devices),
        expects=(Expect("content", _state_file(wanted.name), "ONLINE"),),
        waits=tuple(device.path for device in devices),
        holds=members.whole(devices),
        settles=True,
    )


def _change(wanted: Pool, there: Found, have: State, observation: Observation) -> Iterator[Action | Refusal | Note]:
    changed = changes.Changed(there.pool, there.properties, have.block, observation)
    yield from health.notes(changed, wanted.entries)
    if there.pool.state in _UNUSABLE:
        yield Refusal(wanted.target, f"it is {there.pool.state}", "mend it first, see zpool status")
        return
    if there.properties.get("altroot", "-") != "-":
        yield Refusal(
            wanted.target, f"it is imported below {there.properties['altroot']}", "export it and import it normally"
        )
        return
    try:
        found = difference(wanted.entries, there.pool, have.block)
    except layout.Unfit as error:
        yield Refusal(
            wanted.target, str(error), "write it as it is; another disk takes a place by replace in its disk group"
        )
        return
    # A disk that replaces itself and has its label still, or again, is only taken in.
    found.replaced = [
        one
        for one in found.replaced
        if not (layout.is_in(one.device, (one.leaf,), have.block) and health.is_labelled(one.device, changed))
    ]
    yield from health.mended(changed, wanted.entries)
    if found.new:
        yield from _add(wanted, found.new, changed)
    yield from changes.changes(changed, found)
    if wanted.upgrade and _FEATURES in there.pool.status:
        yield _upgrade(wanted)
    yield from _properties(wanted, there)
    if wanted.properties.get("autoexpand") == "on":
        yield from members.grown(wanted.name, wanted.entries, there.pool, there.properties, have.block)


def _unaddable(wanted: Pool, vdevs: Sequence[Wanted], there: changes.Changed) -> Refusal | None:
    """An addition that could be a mistake for ever; and while anything is not online, a device may seem new."""
    what = "; ".join(f"{one.role} {one}" for one in vdevs)
    if there.pool.busy:
        return Refusal(
            wanted.target, f"{there.pool.busy}, so nothing is added to it ({what})", "run again when it is done"
        )
    if there.pool.unhealthy:
        return Refusal(
            wanted.target,
            f"{there.pool.unhealthy}, so nothing is added to it ({what})",
            "mend it first, see zpool status",
        )
    shapes = {(one.kind, len(one.slots)) for one in there.pool.of("data")}
    for vdev in vdevs:
        if vdev.role == "data" and vdev.shape not in shapes:
            have = " and ".join(sorted(f"{kind} of {width}" for kind, width in shapes))
            return Refusal(
                wanted.target,
                f"it consists of {have}, and a {vdev.kind} of {len(vdev.devices)} would be added for ever",
                "add a vdev of the same kind and width",
            )
    wrong = layout.inconsistent(vdevs)
    return Refusal(wanted.target, wrong, "add vdevs of equal disks; barestore never forces zpool") if wrong else None


def _add(wanted: Pool, vdevs: Sequence[Wanted], there: changes.Changed) -> Iterator[Action | Refusal | Note]:
    refusal = _unaddable(wanted, vdevs, there)
    if refusal:
        yield refusal
        return
    devices = [device for vdev in vdevs for device in vdev.devices]
    held = list(members.unless_free(devices, f"pool {wanted.name}", there.block, there.observation))
    yield from held
    # zpool opens what it would add for itself alone, as the detectors do, so they are not asked side by side.
    looked_at = not held and not any(there.observation.is_missing(Signatures(one.path)) for one in devices)
    ashift = wanted.properties.get("ashift")
    lasting = "; ".join(f"{one.role} {one}" for one in vdevs if one.role in layout.REDUNDANT)
    if not ashift and not lasting and any(one.role == "log" for one in vdevs):
        ashift = changes.ashift_of_data(there)
    words = (*(("-o", f"ashift={ashift}") if ashift else ()), wanted.name, *layout.argv(vdevs))
    # Log, cache and spare can be removed again; a dry run needs the devices, which this plan may make.
    if lasting and looked_at and all(device.there for device in devices):
        yield from _tried(wanted, there.observation.ask(Run(("zpool", "add", "-n", *words))))
    needs, provides = changes.stage(wanted.name, "add")
    yield Action(
        KIND,
        "add",
        wanted.name,
        steps=(*members.checks(devices), Command(("zpool", "add", *words))),
        before={},
        after=_layout(vdevs),
        needs=needs.union(_needs(devices)),
        provides=provides | {f"zpool:{wanted.name}"},
        irreversible=f"what is added stays in it for ever ({lasting})" if lasting else "",
        disks=_disks(devices),
        expects=(Expect("content", _state_file(wanted.name), "ONLINE"),),
        waits=tuple(device.path for device in devices),
        holds=members.whole(devices),
        settles=True,
    )


def _tried(wanted: Pool, answer: Mapping[str, Any] | None) -> Iterator[Refusal | Note]:
    """What zpool's own dry run says."""
    if answer is None:
        return
    said = "\n".join(line.expandtabs(4) for line in (answer["stdout"] or answer["stderr"]).splitlines() if line.strip())
    if answer["rc"] == 0:
        yield Note(wanted.target, f"zpool add -n says: {said}")
    else:
        yield Refusal(wanted.target, f"zpool would not add this: {' '.join(said.split())}", "correct the document")


def _upgrade(wanted: Pool) -> Action:
    needs, provides = changes.stage(wanted.name, "upgrade")
    return Action(
        KIND,
        "upgrade",
        wanted.name,
        steps=(Command(("zpool", "upgrade", wanted.name)),),
        before={"features": "some are not enabled"},
        after={"features": "enabled"},
        needs=needs,
        provides=provides,
        irreversible="features once enabled stay, and an older ZFS may not import it any more",
    )


def _properties(wanted: Pool, there: Found) -> Iterator[Action | Refusal]:
    found = there.properties
    change = {}
    for key, value in wanted.properties.items():
        if key not in found:
            yield Refusal(
                wanted.target, f"ZFS of this host knows no pool property '{key}'", "correct its name, or remove it"
            )
        elif key == "ashift":
            # 0: zpool chose it by the disks, and every vdev keeps its own; it then counts for what is added.
            if found[key] not in (value, "0"):
                yield Refusal(wanted.target, f"its ashift is {found[key]} for ever", f"write ashift: {found[key]}")
        elif key.startswith("feature@") and value == "disabled" and found[key] != value:
            yield Refusal(wanted.target, f"its {key} is {found[key]} for ever", f"write {key}: enabled")
        elif not pool_same(key, value, found[key]):
            change[key] = value
    if change:
        yield Action(
            KIND,
            "set",
            wanted.name,
            steps=tuple(
                Command(("zpool", "set", f"{key}={value}", wanted.name)) for key, value in sorted(change.items())
            ),
            before={key: found[key] for key in change},
            after=change,
        )


def _layout(vdevs: Sequence[Wanted]) -> dict[str, Any]:
    return {
        role: [str(one) for one in vdevs if one.role == role]
        for role in layout.ROLES
        if any(one.role == role for one in vdevs)
    }


def _needs(devices: Sequence[Device]) -> Iterator[str]:
    return (device.resource for device in devices)


def _disks(devices: Any) -> tuple[str, ...]:
    return tuple(sorted({disk for device in devices for disk in device.disks}))


def _state_file(name: str) -> str:
    """The kernel's word on a pool: there as long as it is imported."""
    return f"/proc/spl/kstat/zfs/{name}/state"
