# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pools that lie on the disks and are not imported: looked for only where there is a sign of one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...plan.model import Refusal
from ...plan.printable import printable
from ..blockdevices import BlockDevice, BlockDevices
from ..observation import Observation, Run
from . import layout, status
from .difference import difference
from .layout import Entry

# The scan reads the labels of all disks and costs seconds; by-id, so that the pool keeps stable paths.
SCAN = Run(("zpool", "import", "-d", "/dev/disk/by-id"))
_HOSTID = re.compile(r"^\s*hostid: (\d+)$", re.MULTILINE)
_HOSTNAME = re.compile(r"^\s*hostname: '(.*)'$", re.MULTILINE)


def find(
    name: str, wanted: Sequence[Entry], block: BlockDevices, observation: Observation
) -> status.Pool | Refusal | None:
    """The pool to import, why it cannot be, or None: there is none, or the answers are not there yet."""
    member = _labelled(name, wanted, block)
    answer = observation.ask(SCAN) if member else None
    found = [pool for pool in status.parse(answer["stdout"]) if pool.name == name] if answer else []
    if member is None or not found:
        return None
    target = f"pool {name}"
    if len(found) > 1:
        return Refusal(target, f"{len(found)} pools of this name lie on the disks", "import the right one by its id")
    pool = found[0]
    if "another system" in pool.status:
        return _foreign(target, member, observation)
    if "can be imported" not in pool.action:
        said = " ".join((pool.status, pool.action)).strip()
        return Refusal(target, f"it lies on the disks and cannot be imported: {said}", "mend it by hand first")
    try:
        beyond = difference(wanted, pool, block)
        for role, vdev in [*((one.role, one.vdev) for one in beyond.detached), *beyond.removed]:
            raise layout.Unfit(f"its {role} {vdev.name} has more than the document")
    except layout.Unfit as error:
        return Refusal(target, f"it lies on the disks, not imported, and {error}", "correct the document")
    return pool


def _foreign(target: str, member: BlockDevice, observation: Observation) -> Refusal:
    """The label of a member names the host that used it last."""
    label = (observation.ask(Run(("zdb", "-l", _stable(member)))) or {}).get("stdout", "")
    hostid, hostname = _HOSTID.search(label), _HOSTNAME.search(label)
    who = f"host '{printable(hostname[1])}'" if hostname else "another host"
    number = f" (hostid {int(hostid[1]):08x})" if hostid else ""
    return Refusal(
        target,
        f"it was last used by {who}{number} and never exported there, so it is not imported here",
        "export it there; if that host is gone for good, import it by hand once",
    )


def _labelled(name: str, wanted: Sequence[Entry], block: BlockDevices) -> BlockDevice | None:
    """A device that udev saw a label of ZFS on: one of this pool if there is any, else a wanted one.

    The labels of caches and spares name no pool.
    """
    devices = (device for entry in wanted for device in entry.devices)
    members = frozenset(known for device in devices for known in layout.device_names(device, block))
    labelled = sorted((device for device in block if device.content == "zfs_member"), key=_stable)
    named = [device for device in labelled if device.content_label == name]
    return next(iter(named or [device for device in labelled if device.kname in members]), None)


def _stable(device: BlockDevice) -> str:
    return f"/dev/disk/by-id/{device.by_id[0]}" if device.by_id else device.path
