# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Actions on arrays, with mdadm's words. Never ``--run`` or ``--force``: what mdadm asks is answered by no one."""

from __future__ import annotations

from collections.abc import Sequence

from ...plan.model import Action, Command, Expect, Step
from ..blank import still_blank
from ..sizes import human
from ..state import Device
from .mdstat import Array
from .request import Wanted
from .superblock import UUID_AT, spelled

KIND = "md"


def create(wanted: Wanted) -> Action:
    """Every number is told, so that the size is known, and so that no version of mdadm finds something to ask."""
    data, spares = wanted.devices, wanted.spares
    argv = (
        "mdadm", "--create", wanted.node, "--metadata=1.2", "--homehost=any", f"--name={wanted.name}",
        f"--uuid={spelled(wanted.uuid)}", f"--level={wanted.level}", f"--raid-devices={len(data)}",
        *((f"--spare-devices={len(spares)}",) if spares else ()),
        *((f"--chunk={wanted.chunk // 1024}K",) if wanted.chunk else ()),
        f"--bitmap={wanted.bitmap}", f"--data-offset={wanted.offset // 1024}K", f"--size={wanted.used // 1024}K",
        *(device.path for device in wanted.members),
    )  # fmt: skip
    zero = tuple(Command(("mdadm", "--zero-superblock", device.path)) for device in wanted.half_made)
    return _action(
        wanted,
        "create",
        (*zero, *_checks(wanted.members), Command(argv)),
        after={
            "level": wanted.level,
            "devices": [device.title for device in data],
            **({"spares": [device.title for device in spares]} if spares else {}),
            "size": human(wanted.device.size),
            "uuid": spelled(wanted.uuid),
        },
        expects=(
            Expect("size", wanted.device.path, str(wanted.device.size)),
            *(Expect("bytes", device.path, wanted.uuid, offset=UUID_AT) for device in wanted.members),
        ),
        waits=tuple(device.path for device in wanted.members),
    )


def assemble(wanted: Wanted, carriers: Sequence[Device]) -> Action:
    argv = (
        "mdadm", "--assemble", wanted.node, f"--uuid={spelled(wanted.uuid)}",
        *(device.path for device in carriers),
    )  # fmt: skip
    return _action(
        wanted,
        "assemble",
        (Command(argv),),
        before={"active": False},
        after={"active": True},
        expects=(Expect("exists", wanted.device.path),),
    )


def add(wanted: Wanted, new: Sequence[Device]) -> Action:
    """Into a place that is empty, which starts the recovery, or as a spare."""
    path = wanted.node
    return _action(
        wanted,
        "add",
        (*_checks(new), *(Command(("mdadm", "--manage", path, "--add", device.path)) for device in new)),
        before={},
        after={"added": [device.title for device in new]},
        expects=tuple(Expect("bytes", device.path, wanted.uuid, offset=UUID_AT) for device in new),
        waits=tuple(device.path for device in new),
    )


def replace(wanted: Wanted, old: str, new: Device, failed: bool) -> Action:
    """The array stays whole: mdadm copies the old member, and marks it failed when the copy is in its place.

    One that failed by itself has nothing to copy: it is taken out, and the array recovers on the new one.
    """
    path = wanted.node
    take_out = Command(("mdadm", "--manage", path, "--remove", old))
    copy_over = Command(("mdadm", "--manage", path, "--replace", old, "--with", new.path))
    return _action(
        wanted,
        f"replace_{new.serial}",
        (
            *_checks((new,)),
            *((take_out,) if failed else ()),
            Command(("mdadm", "--manage", path, "--add", new.path)),
            *(() if failed else (copy_over,)),
        ),
        before={"device": old},
        after={"device": new.title},
        expects=(Expect("bytes", new.path, wanted.uuid, offset=UUID_AT),),
        waits=(new.path,),
    )


def remove(wanted: Wanted, old: str) -> Action:
    """Of what failed, or was copied: no part of the array lies there any more."""
    return _action(
        wanted,
        f"remove_{old.rpartition('/')[2]}",
        (Command(("mdadm", "--manage", wanted.node, "--remove", old)),),
        before={"device": old},
        after={"device": None},
    )


def grow_devices(wanted: Wanted, array: Array, new: Sequence[Device]) -> Action:
    """A mirror more can be taken away again; a stripe that is laid anew over more devices cannot."""
    path, count = wanted.node, len(wanted.devices)
    for_ever = f"array {wanted.name} would be laid anew over {count} devices instead of {array.devices}"
    return _action(
        wanted,
        "widen",
        (
            *_checks(new),
            *(Command(("mdadm", "--manage", path, "--add", device.path)) for device in new),
            Command(("mdadm", "--grow", path, f"--raid-devices={count}")),
        ),
        before={"devices": array.devices},
        after={"devices": count, "added": [device.title for device in new]},
        expects=tuple(Expect("bytes", device.path, wanted.uuid, offset=UUID_AT) for device in new),
        waits=tuple(device.path for device in new),
        irreversible="" if wanted.level == "raid1" else for_ever,
    )


def grow_size(wanted: Wanted, before: int) -> Action:
    return _action(
        wanted,
        "grow",
        (Command(("mdadm", "--grow", wanted.node, f"--size={wanted.used // 1024}K")),),
        before={"size": human(before)},
        after={"size": human(wanted.device.size)},
        expects=(Expect("size", wanted.device.path, str(wanted.device.size)),),
    )


def register(wanted: Wanted, steps: tuple[Step, ...]) -> Action:
    """The line of mdadm.conf. The initramfs needs none: an array that it does not know is assembled by udev."""
    return Action(
        KIND,
        "register",
        wanted.name,
        steps=steps,
        after={"uuid": spelled(wanted.uuid)},
        needs=frozenset((wanted.device.resource,)),
    )


def _action(
    wanted: Wanted,
    verb: str,
    steps: tuple[Step, ...],
    *,
    after: dict[str, object],
    before: dict[str, object] | None = None,
    expects: tuple[Expect, ...] = (),
    waits: tuple[str, ...] = (),
    irreversible: str = "",
) -> Action:
    return Action(
        KIND,
        verb,
        wanted.name,
        steps=steps,
        before=before,
        after=after,
        needs=frozenset(device.resource for device in wanted.members),
        provides=frozenset((wanted.device.resource,)),
        irreversible=irreversible,
        disks=wanted.device.disks,
        expects=expects,
        waits=waits,
        settles=True,
    )


def _checks(devices: Sequence[Device]) -> tuple[Command, ...]:
    return tuple(still_blank(device.path) for device in devices if not device.there)
