# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads a host for the audit: lsblk, links, labels, open files. Devices are opened for reading only."""

from __future__ import annotations

import glob
import json
import os
import platform
import stat
from typing import Any

from ...plan.errors import ObserveError
from ...plan.runner import Runner

VOLUMES = "/var/lib/barestore/local-volumes/*/*"
_LSBLK = ("lsblk", "--json", "--paths", "--output=NAME,MAJ:MIN,TYPE,SERIAL,WWN")
_TEXT = b"bluestore block device\n"


def probe(runner: Runner, host: str) -> dict[str, Any]:
    """What ``facts.host_facts`` takes; one process.

    :raises ObserveError: lsblk does not answer.
    """
    result = runner.run(_LSBLK)
    try:
        told = json.loads(result.stdout)
    except ValueError:
        raise ObserveError(f"lsblk answers with exit code {result.rc}: {result.stderr.strip()}", "mend it") from None
    numbers = list(dict.fromkeys(_numbers(told["blockdevices"])))
    paths = {path: number for path in sorted(glob.glob(VOLUMES)) for number in (_number(path),) if number}
    return {
        "host": host or platform.node(),
        "lsblk": told,
        "paths": paths,
        "holders": _holders(),
        "labels": [label for name, number in numbers for label in _label(name, number)],
    }


def _numbers(nodes: Any) -> Any:
    for one in nodes:
        yield one["name"], one["maj:min"].strip()
        yield from _numbers(one.get("children", ()))


def _number(path: str) -> str:
    try:
        found = os.stat(path)
    except OSError:
        return ""
    return f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}" if stat.S_ISBLK(found.st_mode) else ""


def _label(name: str, number: str) -> list[dict[str, str]]:
    try:
        with open(name, "rb") as handle:
            raw = handle.read(4096)
    except OSError:
        return []
    if not raw.startswith(_TEXT):
        return []
    uuid = raw[len(_TEXT) : len(_TEXT) + 36].decode("ascii", "replace")
    return [{"number": number, "uuid": uuid, "osd": _field(raw, b"whoami"), "fsid": _field(raw, b"ceph_fsid")}]


def _field(raw: bytes, key: bytes) -> str:
    """A text of the label: its name and itself are counted by four bytes before them."""
    start = raw.find(len(key).to_bytes(4, "little") + key)
    if start < 0:
        return ""
    start += 4 + len(key)
    length = int.from_bytes(raw[start : start + 4], "little")
    return raw[start + 4 : start + 4 + length].decode("ascii", "replace")


def _holders() -> dict[str, list[int]]:
    """By major:minor the ceph-osd processes that have a device open; one process counts once."""
    found: dict[str, set[int]] = {}
    for folder in glob.glob("/proc/[0-9]*"):
        try:
            with open(f"{folder}/comm", encoding="utf-8", errors="replace") as handle:
                if handle.read().strip() != "ceph-osd":
                    continue
            for name in os.listdir(f"{folder}/fd"):
                number = _number(f"{folder}/fd/{name}")
                if number:
                    found.setdefault(number, set()).add(int(folder[6:]))
        except OSError:
            continue
    return {number: sorted(pids) for number, pids in sorted(found.items())}
