# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The only place that reads a host: it answers probes, and says whether what an action promised holds."""

from __future__ import annotations

import errno
import grp
import json
import os
import pwd
import re
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from ..plan.errors import ObserveError
from ..plan.model import Expect, Plan
from ..plan.printable import printable
from ..plan.runner import Runner
from .luks import header
from .observation import (
    IN_USE,
    Observation,
    Probe,
    ReadBlock,
    ReadFile,
    ReadLinks,
    ReadLuks,
    ReadPartitions,
    Run,
    Signatures,
    StatFs,
    StatPath,
)
from .signatures import detect
from .signatures.area import Area, places

_ROUNDS = 12
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ENODEV, errno.ENXIO)
_CLASS_BLOCK = "/sys/class/block"


class Observer:
    """Reads through ``runner``; opens devices only for reading."""

    def __init__(self, runner: Runner, host: str = "") -> None:
        self._runner = runner
        self._host = host

    def observe(self, probes: Iterable[Probe], plan: Callable[[Observation], Plan]) -> tuple[Observation, Plan]:
        """Answer ``probes``, plan, answer what the plan asked besides, until it asks nothing more.

        :raises ObserveError: the questions do not end: a defect of a kind.
        """
        taken = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        seen = Observation(self.answers(probes), host=self._host, taken=taken)
        for _round in range(_ROUNDS):
            found = plan(seen)
            if not seen.missing:
                return seen, found
            seen = seen.with_answers(self.answers(seen.missing.values()))
        raise ObserveError("the questions to this host do not end", "this is a defect of barestore: please report it")

    def answers(self, probes: Iterable[Probe]) -> dict[str, Any]:
        """The answer of each probe by its key; processes run side by side."""
        probes = list(probes)
        runs = [probe for probe in probes if isinstance(probe, Run)]
        devices = [probe.path for probe in probes if isinstance(probe, Signatures)]
        out: dict[str, Any] = {}
        with ThreadPoolExecutor(max_workers=4) as pool:
            futures = [(probe.key, pool.submit(self._run, probe)) for probe in runs]
            signatures = pool.submit(self._signatures, devices) if devices else None
            for probe in probes:
                if not isinstance(probe, (Run, Signatures)):
                    out[probe.key] = _read(probe)
            out.update((key, future.result()) for key, future in futures)
            if signatures is not None:
                out.update((Signatures(path).key, found) for path, found in signatures.result().items())
        return out

    def shortfall(self, expect: Expect) -> str:
        """Empty when what an action promised holds; else what was seen instead, in a few words."""
        if expect.check == "prints":
            answer = self._runner.run(expect.argv)
            said = answer.stdout.strip()
            return (
                ""
                if answer.rc == 0 and said == expect.value
                else f"{' '.join(expect.argv)} says {said or answer.stderr.strip()!r}"
            )
        return _CHECKS[expect.check](expect)

    def _run(self, probe: Run) -> dict[str, Any]:
        result = self._runner.run(probe.argv)
        return {"rc": result.rc, "stdout": result.stdout, "stderr": result.stderr}

    def _signatures(self, paths: Sequence[str]) -> dict[str, dict[str, Any]]:
        """One wipefs and one blkid for all devices; what only one sees counts, and an error is no blank disk."""
        names = {path: os.path.basename(os.path.realpath(path)) for path in paths}
        writers = _writers()
        out: dict[str, dict[str, Any]] = {}
        areas: dict[str, Area] = {}
        for path in paths:
            error, held = _unopened(path)
            try:
                areas[path] = _area(path)
            except OSError as trouble:
                error = error or f"it cannot be read: {trouble.strerror}"
            error = writers.get(os.path.realpath(path), "") or error
            out[path] = {"found": [], "error": error, "held": held, "bytes": ""}
        if not areas:
            return out
        # wipefs names a device by the last part of the path that it was given: links would match no row.
        nodes = sorted({f"/dev/{names[path]}" for path in areas})
        wiped = self._runner.run(("wipefs", "--no-act", "--json", "--output", "DEVICE,OFFSET,TYPE,UUID,LABEL", *nodes))
        probed = self._runner.run(("blkid", "--probe", "--output", "export", *nodes))
        errors = "" if wiped.rc == 0 else wiped.stderr.strip() or f"wipefs ended with {wiped.rc}"
        doubt = "" if probed.rc in (0, 2) else probed.stderr.strip() or f"blkid ended with {probed.rc}"
        rows = json.loads(wiped.stdout)["signatures"] if wiped.rc == 0 and wiped.stdout.strip() else []
        blkid = _exports(probed.stdout)
        for path, area in areas.items():
            found = [_signature(row) for row in rows if row["device"] == names[path]]
            places = {(one["type"], one["offset"]) for one in found}
            found += [one.as_json() for one in detect.known(area) if (one.type, hex(one.offset)) not in places]
            known = {one["type"] for one in found}
            for key in ("TYPE", "PTTYPE"):
                kind = blkid.get(f"/dev/{names[path]}", blkid.get(path, {})).get(key, "")
                if kind and kind not in known:
                    found.append({"type": kind, "offset": "a place that only blkid knows", "label": "", "uuid": ""})
            if not found and _is_whole(names[path]):
                found = [one.as_json() for one in detect.unknown(area)]
            # Where one of them found something, a doubt of blkid says only that there are several.
            out[path]["found"], out[path]["bytes"] = found, area.digest
            out[path]["error"] = out[path]["error"] or errors or ("" if found else doubt)
        return out


def _signature(row: Mapping[str, Any]) -> dict[str, str]:
    return {key: printable(str(row.get(key) or "")) for key in ("type", "offset", "label", "uuid")}


def _exports(text: str) -> dict[str, dict[str, str]]:
    """blkid's export format: blocks of NAME=value, each led by DEVNAME."""
    out: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    for line in text.splitlines():
        key, _equals, value = line.partition("=")
        if key == "DEVNAME":
            current = out.setdefault(os.path.realpath(value), {})
        elif key:
            current[key] = value
    return out


def _unopened(path: str) -> tuple[str, bool]:
    """Why a device cannot be opened for ourselves alone, by reading only, and whether the kernel holds it."""
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_EXCL | os.O_CLOEXEC))
    except OSError as error:
        if error.errno == errno.EBUSY:
            return IN_USE, True
        return f"it cannot be opened: {error.strerror}", False
    return "", False


def _area(path: str) -> Area:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.lseek(handle, 0, os.SEEK_END)
        return Area(size, {offset: os.pread(handle, length, offset) for offset, length in places(size)})
    finally:
        os.close(handle)


def _is_whole(kname: str) -> bool:
    """Whether a device is a disk: what a partition or a volume uncovers belongs to nobody until it has a name."""
    folder = f"{_CLASS_BLOCK}/{kname}"
    if os.path.exists(f"{folder}/partition") or kname.startswith("zd"):
        return False
    return not os.path.exists(f"{folder}/dm") or (_text(f"{folder}/dm/uuid") or "").startswith("mpath-")


def _writers() -> dict[str, str]:
    """Device nodes that a process has open for writing, with the words for it: what it writes is not there yet.

    Who only reads, such as udev, does no harm. What cannot be looked at has ended meanwhile.
    """
    found = {}
    for process in filter(str.isdigit, os.listdir("/proc")):
        for path in _written_nodes(process):
            name = (_text(f"/proc/{process}/comm") or "").strip()
            found[path] = f"the process {process} ({name}) has it open for writing"
    return found


def _written_nodes(process: str) -> Iterator[str]:
    folder = f"/proc/{process}/fd"
    with suppress(OSError):
        for number in os.listdir(folder):
            with suppress(OSError):
                path = os.readlink(f"{folder}/{number}")
                if path.startswith("/dev/") and _is_writing(process, number) and stat.S_ISBLK(os.stat(path).st_mode):
                    yield path


def _is_writing(process: str, number: str) -> bool:
    flags = re.search(r"^flags:\s+(\d+)", _text(f"/proc/{process}/fdinfo/{number}") or "", re.MULTILINE)
    return flags is not None and int(flags[1], 8) & os.O_ACCMODE != os.O_RDONLY


def _read(probe: Probe) -> Any:
    if isinstance(probe, ReadFile):
        return _text(probe.path)
    if isinstance(probe, ReadBlock):
        return _bytes(probe.path, probe.offset, probe.length)
    if isinstance(probe, ReadLuks):
        return _luks(probe.path)
    if isinstance(probe, StatFs):
        return _statfs(probe.path)
    if isinstance(probe, StatPath):
        return _stat(probe.path)
    if isinstance(probe, ReadLinks):
        return _links(probe.path)
    if isinstance(probe, ReadPartitions):
        return _partitions()
    raise ObserveError(f"there is no way to answer {probe!r}", "this is a defect of barestore: please report it")


def _text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as handle:
            return handle.read()
    except OSError as error:
        # A partition's files vanish for a moment while udev re-reads its disk's table.
        if error.errno in _GONE:
            return None
        raise ObserveError(f"{path} cannot be read: {error.strerror}", "mend the file or its rights") from error


def _bytes(path: str, offset: int, length: int) -> str | None:
    with suppress(OSError):
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.pread(handle, length, offset).hex()
        finally:
            os.close(handle)
    return None


def _luks(path: str) -> dict[str, Any] | None:
    first = bytes.fromhex(_bytes(path, 0, header.FIRST) or "")
    whole = _bytes(path, 0, header.length(first)) if header.length(first) else None
    return header.public(bytes.fromhex(whole) if whole else first)


def _statfs(path: str) -> dict[str, int] | None:
    with suppress(OSError):
        found = os.statvfs(path)
        return {"block_size": found.f_frsize, "blocks": found.f_blocks}
    return None


def _stat(path: str) -> dict[str, Any] | None:
    kinds = {stat.S_IFDIR: "directory", stat.S_IFREG: "file", stat.S_IFLNK: "link", stat.S_IFBLK: "block"}
    try:
        found = os.lstat(path)
    except OSError:  # not there, or on a disk that answers no more
        return None
    kind = kinds.get(stat.S_IFMT(found.st_mode), "other")
    return {
        "type": kind,
        "owner": _name(pwd.getpwuid, found.st_uid),
        "uid": str(found.st_uid),
        "group": _name(grp.getgrgid, found.st_gid),
        "gid": str(found.st_gid),
        "mode": f"{stat.S_IMODE(found.st_mode):04o}",
        "link": os.readlink(path) if kind == "link" else "",
        "empty": kind == "directory" and _empty(path),
    }


def _empty(folder: str) -> bool | None:
    """Whether nothing is in a folder; None when it cannot be read."""
    with suppress(OSError):
        return not os.listdir(folder)
    return None


def _name(lookup: Callable[[int], Any], number: int) -> str:
    try:
        return str(lookup(number)[0])
    except KeyError:
        return str(number)


def _links(folder: str) -> dict[str, str]:
    try:
        names = os.listdir(folder)
    except OSError:
        return {}
    out = {}
    for name in names:
        try:
            out[name] = os.path.basename(os.readlink(os.path.join(folder, name)))
        except OSError:
            continue  # udev removed it meanwhile
    return out


def _partitions() -> dict[str, list[int]]:
    out = {}
    for kname in os.listdir(_CLASS_BLOCK):
        number = _text(f"{_CLASS_BLOCK}/{kname}/partition")
        start = _text(f"{_CLASS_BLOCK}/{kname}/start")
        if number and start:
            out[kname] = [int(number), int(start)]
    return out


def _size(path: str) -> int:
    """Bytes of a block device, from sysfs: nothing is opened."""
    try:
        device = os.stat(path).st_rdev
    except OSError:
        return _partition_size(path)
    text = _text(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/size")
    return int(text) * 512 if text else -1


def _partition_size(path: str) -> int:
    """Of a partition that the kernel knows but udev has not linked yet: looked up below its disk."""
    disk, _dash, number = path.rpartition("-part")
    folder = f"{_CLASS_BLOCK}/{os.path.basename(os.path.realpath(disk))}"
    if not (disk and number.isdigit() and os.path.isdir(folder)):
        return -1
    for name in os.listdir(folder):
        if (_text(f"{folder}/{name}/partition") or "").strip() == number:
            return int(_text(f"{folder}/{name}/size") or 0) * 512
    return -1


def _exists(expect: Expect) -> str:
    return "" if os.path.exists(expect.target) else f"{expect.target} is not there"


def _has_size(expect: Expect) -> str:
    size = _size(expect.target)
    good = size == int(expect.value) if expect.check == "size" else size >= int(expect.value)
    return "" if good else f"{expect.target} has {size} bytes and not {expect.value}"


def _has_bytes(expect: Expect) -> str:
    found = _bytes(expect.target, expect.offset, len(expect.value) // 2)
    return "" if found == expect.value.lower() else f"{expect.target} does not carry the expected identity"


def _mounted(expect: Expect) -> str:
    text = _text("/proc/self/mountinfo") or ""
    wanted = expect.target.replace("\\", "\\134").replace(" ", "\\040").replace("\t", "\\011")
    there = any(line.split(" ")[4] == wanted for line in text.splitlines())
    return "" if there else f"nothing is mounted on {expect.target}"


def _swap(expect: Expect) -> str:
    real = os.path.realpath(expect.target)
    lines = (_text("/proc/swaps") or "").splitlines()[1:]
    return "" if any(line.split()[0] == real for line in lines if line) else f"{expect.target} is not used as swap"


def _content(expect: Expect) -> str:
    return (
        "" if (_text(expect.target) or "").strip() == expect.value else f"{expect.target} does not say {expect.value!r}"
    )


def _zeroed(expect: Expect) -> str:
    try:
        area = _area(expect.target)
    except OSError as error:
        return f"{expect.target} cannot be read: {error.strerror}"
    clean = not any(any(raw) for raw in area.chunks.values())
    return "" if clean else f"{expect.target} is not zeroed in all places where labels lie"


_CHECKS: Mapping[str, Callable[[Expect], str]] = {
    "exists": _exists,
    "size": _has_size,
    "size_at_least": _has_size,
    "bytes": _has_bytes,
    "mounted": _mounted,
    "swap": _swap,
    "content": _content,
    "zeroed": _zeroed,
}
