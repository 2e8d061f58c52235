# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults at an exact point of a run on a virtual host: the module is killed, the power fails, a disk fails.

``fault_launcher.py`` launches the module there, so that a launch costs no import; ``fault_hook.py`` stops it. No code
of the product knows of any of this.
"""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from barestore.lab import qemu
from barestore.lab.files import cache_dir, write_atomically
from barestore.lab.vm import VirtualMachine
from tests.lab.converge import SITE
from tests.launch import FOLDER, UNPACK, archive

_EIO = 5
POINTS = ("before", "within", "after")
_SOCKET = "/run/fault/launch"
# What it compiled is on the disk before a power cut takes it away.
_LAUNCHER = f"""
mkdir -p /run/fault; cd /run/fault
PYTHONPATH={FOLDER}/hook:{FOLDER}/lib setsid --fork python3 -m fault_launcher </dev/null >launcher.log 2>&1
while [ ! -S {_SOCKET} ]; do sleep 0.1; pgrep -f fault_launcher >pid || {{ cat launcher.log >&2; exit 1; }}; done
sync
"""
_UNPACK_COMPILED = f"cd {FOLDER}; base64 -d | tar -xz 2>/dev/null; touch unpacked"
# All of it, if anything had to be compiled.
_PACK_COMPILED = f"""
cd {FOLDER}; [ -z "$(find lib hook -name '*.pyc' -newer unpacked)" ] ||
    find lib hook -name '*.pyc' | sort | tar -cz --files-from=- | base64 -w0
"""
# A file on every file system that has none yet; its digest is remembered, where a power cut does not take it away.
_KEEP = """
while read -r _device mount kind _more; do
    case "$kind $mount" in "ext4 /") continue ;; "ext4 "* | "xfs "* | "vfat "* | "zfs "*) ;; *) continue ;; esac
    [ -e "$mount/kept" ] && continue
    head -c 300000 /dev/urandom >"$mount/kept"; sync "$mount/kept" && sha256sum "$mount/kept"
done </proc/self/mounts
"""


# An emulated host is slow to show a new partition's link, and zpool waits for one second by default.
_PATIENT = """
echo 'options zfs zfs_vdev_open_timeout_ms=30000' >/etc/modprobe.d/patient.conf; sync
modprobe zfs; echo 30000 >/sys/module/zfs/parameters/zfs_vdev_open_timeout_ms
"""

# The kernel gave these up; those that lie in others come first.
_CHECK = """
tac /proc/self/mounts | while read -r device mount kind _more; do
    case $kind in
    ext4) [ "$(cat "/sys/fs/ext4/$(basename "$(readlink -f "$device")")/errors_count")" != 0 ] || continue ;;
    xfs) stat "$mount" >/dev/null 2>&1 && continue ;;
    *) continue ;;
    esac
    echo "$mount"; umount --recursive "$mount"
    [ $kind = xfs ] || e2fsck -f -y "$device" >&2 || [ $? -lt 4 ]
done
"""

_LOOK = """
lsblk -o NAME,SERIAL,FSTYPE,SIZE,MOUNTPOINTS; cat /etc/fstab /run/lvm/hints; ls -l --time-style=full-iso /run/lvm
pvs -a -o+pv_uuid; lvs -a -o+devices; zpool status -Pv; dmesg | tail -30
"""
REPORTS = "cd /var/lib/barestore/reports && for one in *.json; do cat $one; printf '\\0'; done"


@dataclass(frozen=True)
class Ended:
    """How a run ended: at a stop, or with an answer."""

    stop: str = ""
    answer: Mapping[str, Any] = field(default_factory=dict)


def prepare(vm: VirtualMachine) -> None:
    """Put module and hook on the host, with what a host like it compiled before, and have ZFS wait for slow devices."""
    vm.ssh(_PATIENT)
    here = Path(__file__)
    vm.ssh(UNPACK, input=archive(here.with_name("fault_hook.py"), here.with_name("fault_launcher.py")))
    compiled = cache_dir() / "compiled" / vm.image.folder.name
    vm.ssh(_UNPACK_COMPILED, input=compiled.read_text() if compiled.exists() else "")
    start(vm)
    if text := vm.ssh(_PACK_COMPILED).stdout:
        compiled.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(compiled, text)


def start(vm: VirtualMachine) -> None:
    """Start the launcher; a host that was booted has none."""
    vm.ssh(_LAUNCHER)


class Run:
    """One launch of the module, under way."""

    def __init__(
        self,
        vm: VirtualMachine,
        document: Mapping[str, Any],
        fault: Mapping[str, Any] | None = None,
        consent: Mapping[str, Any] | None = None,
        check: bool = False,
    ) -> None:
        arguments = {
            "document": document,
            "site": SITE,
            "host": vm.name,
            "consent": consent or {},
            "_ansible_check_mode": check,
        }
        self._connection = _connected(vm)
        self._connection.sendall(f"{json.dumps({'fault': fault, 'arguments': arguments})}\n".encode())
        self._lines = self._connection.makefile()
        self._said: list[str] = []

    def stop(self) -> str:
        """Wait for the stop; empty when the run ends without one."""
        for line in self._lines:
            if line.startswith("FAULT "):
                return line.removeprefix("FAULT ").strip()
            self._said.append(line)
        return ""

    def answer(self) -> dict[str, Any]:
        """What the module answered."""
        self.await_end()
        answers = [line for line in self._said if line.startswith("{")]
        assert answers, f"the module answered nothing: {''.join(self._said)[-3000:]}"
        answer: dict[str, Any] = json.loads(answers[-1])
        return answer

    def await_end(self) -> None:
        """Until it is gone: the next one finds the lock free then."""
        self._said += self._lines.readlines()
        self.abandon()

    def abandon(self) -> None:
        """The host is gone: let the connection go too."""
        self._lines.close()
        self._connection.close()


def _connected(vm: VirtualMachine) -> socket.socket:
    """A connection to the launcher, by a socket here that SSH forwards."""
    here = vm.folder / "launch"
    vm.ssh("rm -f /run/fault/go")
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(here))
    except OSError:  # not forwarded yet, or by an SSH that is gone
        here.unlink(missing_ok=True)
        forward = ["ssh", "-F", str(vm.ssh_config), "-O", "forward", "-L", f"{here}:{_SOCKET}", vm.name]
        subprocess.run(forward, check=True, capture_output=True)
        connection.connect(str(here))
    return connection


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


def fail(vm: VirtualMachine, serial: str, kinds: Iterable[str] = ("read", "write")) -> None:
    """From now on each such request to this disk is an input/output error.

    A flush that fails keeps QEMU from mending the disk where something was written: it flushes before it lets go of it.
    """
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


def check(vm: VirtualMachine) -> list[str]:
    """Do what a run says to somebody whose disk failed under a mounted file system: where those were mounted."""
    return vm.ssh(_CHECK).stdout.split()


def look(vm: VirtualMachine) -> str:
    """What somebody would look at who asks why a run failed."""
    return vm.ssh(_LOOK, check=False).stdout


def kept(vm: VirtualMachine) -> str:
    """Write a file on each file system that has none of ours yet; lines of digests."""
    return vm.ssh(_KEEP).stdout


def unchanged(vm: VirtualMachine, digests: Iterable[str]) -> None:
    """What was kept is byte-equal on the disks."""
    vm.ssh("sync; echo 3 >/proc/sys/vm/drop_caches; sha256sum --check --quiet", input="".join(digests))
