# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at a virtual host from outside and inside: what is stored, what a module started and opened."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from barestore.lab.vm import VirtualMachine

# The interpreter that Ansible is told to use: python3 under strace, with one file of calls for each launch.
TRACED_PYTHON = "/usr/local/bin/traced-python3"
_TRACED = """#!/bin/sh
exec strace -f -qq -s 4096 -e trace=execve,open,openat,openat2 -o "/run/traced/$$" /usr/bin/python3 "$@"
"""
_TABLES = r"""
swapon --show --noheadings --raw
echo ---; sed -E 's/ (shared|master):[0-9]+//' /proc/self/mountinfo
echo ---; cat /etc/fstab
echo ---; vgs --noheadings -o vg_name,vg_seqno 2>/dev/null
echo ---; for pool in $(zpool list -H -o name 2>/dev/null); do zdb -C $pool | grep -w txg; done
echo ---
find /var/lib/barestore /etc/systemd/system /dev/disk -type f,l ! -name lock -printf '%p %s %T@\n' 2>/dev/null | sort
"""
_FREEZABLE = "findmnt -rno TARGET -t ext4,xfs | grep -v '^/$'"
# autotrim gives back what was freed some minutes ago: ranges smaller than this it leaves alone.
_TRIM = "f=/sys/module/zfs/parameters/zfs_trim_extent_bytes_min; [ ! -e $f ] || echo {bytes} >$f"
_NO_TRIM, _TRIM_AGAIN = _TRIM.format(bytes=1 << 31), _TRIM.format(bytes=32 << 10)
_QUIET_SECONDS = 6
_STILL_SECONDS = 180
_CALL = re.compile(r"^\d+ +(?P<name>execve|open|openat|openat2)\((?P<arguments>.*)\) += (?P<result>-?\d+)")


@contextmanager
def still(vm: VirtualMachine) -> Iterator[None]:
    """Keep what is mounted from writing by itself: journals and inode tables are written long after the files."""
    vm.ssh(f"{_FREEZABLE} | xargs -r -n 1 fsfreeze --freeze; {_NO_TRIM}; ! command -v zpool >/dev/null || zpool sync")
    try:
        end = time.monotonic() + _STILL_SECONDS
        before: dict[str, str] = {}
        while (now := fingerprint(vm)) != before:
            assert time.monotonic() < end, "the disks of the host are written to all the time"
            before = now
            time.sleep(_QUIET_SECONDS)
        yield
    finally:
        vm.ssh(f"{_FREEZABLE} | xargs -r -n 1 fsfreeze --unfreeze; {_TRIM_AGAIN}")


def fingerprint(vm: VirtualMachine) -> dict[str, str]:
    """Digests of all disks, and the guest's tables: equal as long as nobody writes."""
    vm.ssh("sync")
    return {"tables": vm.ssh(_TABLES).stdout, **{disk.serial: vm.disk_digest(disk.serial) for disk in vm.machine.disks}}


def family(pid: int) -> list[int]:
    """A process and all below it: Ansible has sessions of its own, which no signal to a group reaches."""
    below: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            below.setdefault(int(path.read_text().rpartition(")")[2].split()[1]), []).append(int(path.parent.name))
    found = [pid]
    for one in found:
        found += below.get(one, [])
    return found


@dataclass(frozen=True)
class Trace:
    """What the launches of a module did."""

    launches: int
    processes: tuple[str, ...]
    written: tuple[str, ...]


def prepare_trace(vm: VirtualMachine) -> None:
    """Put the tracing interpreter in place and forget earlier calls."""
    vm.ssh(f"rm -rf /run/traced; mkdir /run/traced; cat >{TRACED_PYTHON}; chmod 755 {TRACED_PYTHON}", input=_TRACED)


def read_trace(vm: VirtualMachine) -> Trace:
    """What happened since :func:`prepare_trace`: programs started, and block devices opened for writing."""
    devices = set(vm.ssh("find -L /dev -type b 2>/dev/null || true").stdout.split())
    launches = int(vm.ssh("ls /run/traced | wc -l").stdout)
    calls = [_CALL.match(line) for line in _whole(vm.ssh("cat /run/traced/*").stdout.splitlines())]
    found = [(one["name"], one["arguments"]) for one in calls if one and int(one["result"]) >= 0]
    processes = [arguments for name, arguments in found if name == "execve"]
    opened = [arguments for name, arguments in found if name != "execve" and re.search(r"O_WRONLY|O_RDWR", arguments)]
    paths = [path for arguments in opened for path in re.findall(r'"([^"]*)"', arguments)]
    return Trace(launches, tuple(processes[launches:]), tuple(path for path in paths if path in devices))


def _whole(lines: list[str]) -> list[str]:
    """Lines of strace, with each call that another thread interrupted joined to its end."""
    out: list[str] = []
    begun: dict[str, str] = {}
    for line in lines:
        thread, _space, text = line.partition(" ")
        if text.endswith("<unfinished ...>"):
            begun[thread] = line.removesuffix("<unfinished ...>")
        elif (resumed := re.search(r"<\.\.\. \w+ resumed>", text)) is not None:
            out.append(begun.pop(thread, f"{thread} ") + text[resumed.end() :])
        else:
            out.append(line)
    return out
