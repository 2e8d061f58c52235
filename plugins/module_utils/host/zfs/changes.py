# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What leads a pool to its document beside new vdevs: replace, attach, detach, remove, online; and what waits.

What brings redundancy starts at any time. What takes some away, or stays for ever, waits until the pool is well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...plan.model import Action, Command, Expect, Refusal
from ..blockdevices import BlockDevices
from ..observation import Observation, Run
from ..state import Device
from . import members
from .difference import Attachment, Detachment, Difference, Replacement
from .layout import REDUNDANT, last
from .status import Pool, Vdev

# zpool commands of one pool follow one another, in this order, whichever of them a plan has.
STAGES = ("online", "give_back", "add", "replace", "attach", "detach", "remove", "upgrade")
_AGAIN = "run again when it is done"
_MEANS = {"log": ", and synchronous writes wait for the data vdevs", "cache": "", "spare": ""}
_MOVED = " with its data moved to the others, which cannot be taken back"


@dataclass(frozen=True)
class Changed:
    """An imported pool with its properties, as ``zpool get -p`` prints them, and the devices of its host."""

    pool: Pool
    properties: Mapping[str, str]
    block: BlockDevices
    observation: Observation

    @property
    def target(self) -> str:
        return f"pool {self.pool.name}"


def stage(pool: str, name: str) -> tuple[frozenset[str], frozenset[str]]:
    """Needs and provides that keep the order of :data:`STAGES`."""
    before = STAGES[: STAGES.index(name)]
    return frozenset(f"zpool-{one}:{pool}" for one in before), frozenset((f"zpool-{name}:{pool}",))


def changes(there: Changed, found: Difference) -> Iterator[Action | Refusal]:
    """The actions for a difference, but for its new vdevs."""
    refusal = _impossible(there, found)
    if refusal is not None:
        yield refusal
        return
    for replacement in found.replaced:
        yield from _replace(there, replacement)
    for attachment in found.attached:
        yield from _attach(there, attachment)
    for detachment in found.detached:
        yield _detach(there, detachment)
    for role, vdev in found.removed:
        yield _remove(there, role, vdev)


def _impossible(there: Changed, found: Difference) -> Refusal | None:
    """What ZFS cannot do, or must not do now."""
    wider = [one for one in found.attached if one.raidz]
    lasting = [
        *(f"{last(one.leaf.name)} leaves {one.vdev.name}" for one in found.detached),
        *(f"{last(vdev.name)} leaves the pool" for _role, vdev in found.removed),
        *(f"{one.vdev.name} becomes wider" for one in wider),
    ]
    if not lasting:
        return None
    what = "; ".join(lasting)
    if there.pool.busy:
        return Refusal(there.target, f"{there.pool.busy}, and this must wait for it ({what})", _AGAIN)
    if len(lasting) > 1 and (wider or any(role in REDUNDANT for role, _vdev in found.removed)):
        return Refusal(
            there.target, f"ZFS does these one after the other ({what})", "ask for one of them, and run again"
        )
    if found.replaced or found.new or len(wider) < len(found.attached):
        return Refusal(
            there.target, f"devices come and go in one document ({what})", "write what comes first, and run again"
        )
    gone = [leaf for role, vdev in found.removed if role not in REDUNDANT for leaf in vdev.leaves()]
    leaves = [row for row in there.pool.rows() if not row.children and not row.healthy]
    bad = next((leaf for leaf in leaves if leaf.state == "INUSE" or leaf not in gone), None)
    if bad is not None:
        return Refusal(
            there.target,
            f"its {last(bad.name)} is {bad.state}, and this must wait until it is well ({what})",
            "mend it first",
        )
    if wider:
        return _no_expansion(there)
    if any(role in REDUNDANT for role, _vdev in found.removed):
        return _no_removal(there, what)
    return None


def _no_expansion(there: Changed) -> Refusal | None:
    feature = there.properties.get("feature@raidz_expansion")
    if feature is None:
        return Refusal(there.target, "ZFS of this host cannot make a raidz wider", "it takes ZFS 2.3 or newer")
    if feature == "disabled":
        hint = "write upgrade: true, or the property feature@raidz_expansion: enabled, and run again"
        return Refusal(there.target, "its feature raidz_expansion is not enabled", hint)
    return None


def _no_removal(there: Changed, what: str) -> Refusal | None:
    kinds = {vdev.kind for role in REDUNDANT for vdev in there.pool.of(role)}
    fixed = sorted(kind for kind in kinds if kind.startswith(("raidz", "draid")))
    if fixed:
        return Refusal(
            there.target, f"ZFS removes no vdev from a pool with {fixed[0]} ({what})", "name it in the document again"
        )
    if there.properties.get("feature@device_removal") not in ("enabled", "active"):
        return Refusal(there.target, f"its feature device_removal is not enabled ({what})", "name it again")
    return None


def _ashift(there: Changed) -> tuple[str, ...]:
    """The vdev's own, where the pool says it; else zpool refuses a device that does not fit, before it writes."""
    found = there.properties.get("ashift", "0")
    return () if found == "0" else ("-o", f"ashift={found}")


def ashift_of_data(there: Changed) -> str:
    """The ashift of the data vdevs, for a log that would choose another: ZFS 2.3 takes it only when it is told.

    Empty where they differ, and where ZFS is too old to tell; it is too old to mind then.
    """
    found = there.properties.get("ashift", "0")
    if found != "0":
        return found
    name = there.pool.name
    answer = there.observation.ask(Run(("zpool", "get", "-Hp", "-o", "name,value", "ashift", name, "all-vdevs")))
    if not answer or answer["rc"] != 0:
        return ""
    told = dict(line.split("\t") for line in answer["stdout"].splitlines() if line.count("\t") == 1)
    values = {told.get(place, "") for vdev in there.pool.of("data") for place in (vdev.name, last(vdev.name))} - {""}
    return values.pop() if len(values) == 1 else ""


def _coming(there: Changed, device: Device) -> Iterator[Refusal]:
    yield from members.unless_free([device], there.target, there.block, there.observation)


def _put(there: Changed, verb: str, device: Device, words: Mapping[str, Any], *argvs: tuple[str, ...]) -> Action:
    """An action that brings a device into the pool; it ends when ZFS took it, and the resilver goes on alone."""
    needs, provides = stage(there.pool.name, verb)
    return Action(
        "zfs_pool",
        verb,
        f"{there.pool.name}/{device.serial or last(device.path)}",
        steps=(*members.checks((device,)), *map(Command, argvs)),
        before=words,
        after={**words, "device": last(device.path)},
        needs=needs | {device.resource},
        provides=provides,
        disks=device.disks,
        expects=(Expect("exists", f"{device.path}-part1" if members.is_whole(device) else device.path),),
        waits=(device.path,),
        holds=members.whole((device,)),
        settles=True,
    )


def _replace(there: Changed, one: Replacement) -> Iterator[Action | Refusal]:
    yield from _coming(there, one.device)
    pool, new = there.pool.name, one.device
    old = members.called(one.leaf, new)
    words = {"vdev": one.vdev.name if one.vdev.children else one.role, "device": last(old)}
    if one.role not in ("cache", "spare"):
        yield _put(there, "replace", new, words, ("zpool", "replace", *_ashift(there), pool, old, new.path))
    elif one.leaf.state == "INUSE":
        yield Refusal(there.target, f"the spare {last(old)} is at work", "replace the disk that it works for first")
    else:  # zpool replaces neither: they hold nothing that is not elsewhere
        argvs = (("zpool", "remove", pool, old), ("zpool", "add", pool, one.role, new.path))
        yield _put(there, "replace", new, words, *argvs)


def _attach(there: Changed, one: Attachment) -> Iterator[Action | Refusal]:
    yield from _coming(there, one.device)
    beside = one.vdev.name if one.raidz else members.called(one.leaf, one.like)
    argv = ("zpool", "attach", *_ashift(there), there.pool.name, beside, one.device.path)
    action = _put(there, "attach", one.device, {"vdev": last(one.vdev.name), "width": len(one.vdev.places)}, argv)
    lasting = f"{one.vdev.name} keeps {one.device.title} for ever" if one.raidz else ""
    yield replace(action, irreversible=lasting)


def take(there: Changed, verb: str, name: str, lost: str, words: Mapping[str, Any]) -> Action:
    """An action that takes a device or vdev out of the pool; ``lost`` is what a person must consent to."""
    needs, provides = stage(there.pool.name, verb)
    return Action(
        "zfs_pool",
        verb,
        f"{there.pool.name}/{last(name)}",
        steps=(Command(("zpool", "remove" if verb == "remove" else "detach", there.pool.name, name)),),
        before=words,
        after={},
        needs=needs,
        provides=provides,
        irreversible=lost,
        settles=True,
    )


def _detach(there: Changed, one: Detachment) -> Action:
    name = members.called(one.leaf, one.like)
    lost = f"{one.vdev.name}, a mirror of {len(one.vdev.places)}, loses the copy on {last(name)}"
    return take(there, "detach", name, lost, {"vdev": one.vdev.name, "device": last(name)})


def _remove(there: Changed, role: str, vdev: Vdev) -> Action:
    name = vdev.name if vdev.children else members.called_alone(vdev, there.block)
    lost = f"the {role} {'vdev' if vdev.children else 'device'} {last(name)} leaves the pool{_MEANS.get(role, _MOVED)}"
    return take(there, "remove", name, lost, {role: [last(leaf.path) for leaf in vdev.leaves()]})
