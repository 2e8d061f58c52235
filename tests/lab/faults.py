# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults at an exact point of a run on a virtual host: the module is killed, the power fails, a disk fails.

The module runs there from files, as Ansible's own debugging runs it, so that a launch costs two seconds and not ten;
``fault_hook.py`` stops it. No code of the product knows of any of this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from barestore.lab import qemu
from barestore.lab.vm import VirtualMachine
from tests.lab.converge import SITE
from tests.launch import UNPACK, Launch, archive

_EIO = 5
POINTS = ("before", "within", "after")
# A file on every file system that has none yet; its digest is remembered, where a power cut does not take it away.
_KEEP = """
findmnt -rno TARGET -t ext4,xfs,vfat,zfs | grep -v '^/$' | while read -r mount; do
    [ -e "$mount/kept" ] && continue
    head -c 300000 /dev/urandom >"$mount/kept"; sync "$mount/kept"; sha256sum "$mount/kept"
done
"""


# An emulated host is slow to show a new partition's link, and zpool waits for one second by default.
_PATIENT = """
echo 'options zfs zfs_vdev_open_timeout_ms=30000' >/etc/modprobe.d/patient.conf; sync
modprobe zfs; echo 30000 >/sys/module/zfs/parameters/zfs_vdev_open_timeout_ms
"""

REPORTS = "cd /var/lib/barestore/reports && for one in *.json; do cat $one; printf '\\0'; done"


@dataclass(frozen=True)
class Ended:
    """How a run ended: at a stop, or with an answer."""

    stop: str = ""
    answer: Mapping[str, Any] = field(default_factory=dict)


def prepare(vm: VirtualMachine) -> None:
    """Put module and hook on the host, and have ZFS wait for slow devices."""
    vm.ssh(_PATIENT)
    vm.ssh(UNPACK, input=archive(Path(__file__).with_name("fault_hook.py")))


class Run(Launch):
    """One launch of the module ``host_storage``, under way."""

    def __init__(
        self,
        vm: VirtualMachine,
        document: Mapping[str, Any],
        fault: Mapping[str, Any] | None = None,
        consent: Mapping[str, Any] | None = None,
        check: bool = False,
    ) -> None:
        arguments = {"document": document, "site": SITE, "host": vm.name, "consent": consent or {}}
        super().__init__(vm.ssh_config, vm.name, "host_storage", arguments, fault, check)


def run(
    vm: VirtualMachine,
    document: Mapping[str, Any],
    fault: Mapping[str, Any] | None = None,
    consent: Mapping[str, Any] | None = None,
    check: bool = False,
) -> Ended:
    """One launch to its end, where the fault needs nobody outside."""
    launched = Run(vm, document, fault, consent, check)
    if stop := launched.stop():
        launched.await_end()
        return Ended(stop)
    return Ended(answer=launched.answer())


def go_on(vm: VirtualMachine) -> None:
    """Let a run go on that waits at its stop."""
    vm.ssh("touch /run/fault/go")


def fail(vm: VirtualMachine, serial: str, kinds: Iterable[str] = ("read", "write", "flush")) -> None:
    """From now on each such request to this disk is an input/output error."""
    rules = [{"event": "none", "iotype": kind, "errno": _EIO, "once": False} for kind in kinds]
    bad = f"bad-{serial}"
    vm.qmp.command(
        "blockdev-add",
        **{"driver": "blkdebug", "node-name": bad, "image": qemu.file_node(serial), "inject-error": rules},
    )
    _reopen(vm, serial, bad)


def mend(vm: VirtualMachine, serial: str) -> None:
    """The disk works again."""
    _reopen(vm, serial, qemu.file_node(serial))
    vm.qmp.command("blockdev-del", **{"node-name": f"bad-{serial}"})


def _reopen(vm: VirtualMachine, serial: str, below: str) -> None:
    disk = next(one for one in vm.machine.disks if one.serial == serial)
    node = qemu.block_node(disk, vm.disk_path(serial))
    vm.qmp.command("blockdev-reopen", options=[{**node, "file": below}])


def kept(vm: VirtualMachine) -> str:
    """Write a file on each file system that has none of ours yet; lines of digests."""
    return vm.ssh(_KEEP).stdout


def unchanged(vm: VirtualMachine, digests: Iterable[str]) -> None:
    """What was kept is byte-equal on the disks."""
    vm.ssh("sync; echo 3 >/proc/sys/vm/drop_caches; sha256sum --check --quiet", input="".join(digests))
