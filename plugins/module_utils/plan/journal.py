# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The journal: intent and outcome of each action, on disk before the next one starts; the report of a run; the lock."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from .errors import JournalError

FOLDER = "/var/lib/barestore"
"""Where journals, reports and the lock of a host are."""
UNFINISHED_FILE = "unfinished"
"""The file there that is written by a run before it begins and removed once it ended well."""
_RECORD = 4096


@contextmanager
def host_lock(folder: str) -> Iterator[None]:
    """Hold the only lock of this host.

    :raises JournalError: another run holds it, or the folder cannot be written.
    """
    path = os.path.join(folder, "lock")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise JournalError(f"the lock {path} cannot be made: {error.strerror}", "make the folder writable") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.truncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
    except BlockingIOError:
        holder = os.pread(handle, 32, 0).decode(errors="replace").strip()
        os.close(handle)
        raise JournalError(
            f"another run (process {holder or 'unknown'}) is changing this host's storage", "wait until it has ended"
        ) from None
    except OSError as error:
        os.close(handle)
        raise JournalError(f"the lock {path} cannot be taken: {error.strerror}", "free space on that disk") from error
    try:
        yield
    finally:
        os.close(handle)


class Journal:
    """An append-only file of JSON lines, each flushed to the disk before :meth:`write` returns."""

    def __init__(self, path: str, handle: int) -> None:
        self.path = path
        self._handle = handle
        self._end = 0

    @classmethod
    def create(cls, folder: str, records: int) -> Journal:
        """Start a journal with space reserved for ``records`` lines, so that a full disk is found before any write.

        :raises JournalError: the folder cannot be written or has no room.
        """
        name = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        path = os.path.join(folder, "journal", f"{name}-{os.getpid()}.jsonl")
        try:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalError(
                f"the journal {path} cannot be written: {error.strerror}",
                "nothing was changed; free space or rights there",
            ) from error
        try:
            os.posix_fallocate(handle, 0, _RECORD * max(1, records))
            os.fsync(handle)
            folder_handle = os.open(os.path.dirname(path), os.O_RDONLY)
            os.fsync(folder_handle)
            os.close(folder_handle)
        except OSError as error:
            os.close(handle)
            os.unlink(path)
            raise JournalError(
                f"the journal {path} has no room: {error.strerror}", "nothing was changed; free space on that disk"
            ) from error
        return cls(path, handle)

    def write(self, event: str, fields: Mapping[str, Any]) -> None:
        """Append one record and wait until it is on the disk.

        :raises JournalError: it is not.
        """
        record = {"time": time.time(), "event": event, **fields}
        line = (json.dumps(record, sort_keys=True) + "\n").encode()
        try:
            # A disk that fills up takes a part of a long line without an error.
            if os.pwrite(self._handle, line, self._end) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fdatasync(self._handle)
        except OSError as error:
            raise JournalError(
                f"the journal {self.path} cannot be written: {error.strerror}", "free space and run again"
            ) from error
        self._end += len(line)

    def close(self) -> None:
        """Give back the reserved space that was not used."""
        os.ftruncate(self._handle, self._end)
        os.fsync(self._handle)
        os.close(self._handle)

    def write_report(self, content: Mapping[str, Any]) -> str:
        """Leave the report of the run beside the journal, whole or not at all; its path.

        :raises JournalError: it cannot be written; what was done is in the journal all the same.
        """
        return _write_report(self.path, content)


@dataclass(frozen=True)
class CutOff:
    """A run that nobody ended: its journal has no last word. Times are ISO 8601 in UTC."""

    start: str
    running: tuple[str, ...]
    done: tuple[str, ...]

    def sentence(self) -> str:
        """What became of it, for people."""
        where = f"while {', '.join(self.running)} ran" if self.running else "between two actions"
        if not self.running and not self.done:
            where = "before its first action"
        return f"The run of {self.start} was cut off {where}; what it left is taken from here."


def left_running(folder: str) -> tuple[tuple[str, ...], ...]:
    """The commands that a killed run may have left at work, until :func:`report_cut_off` has told of it."""
    out: list[tuple[str, ...]] = []
    folders = [os.path.join(folder, name) for name in ("journal", "reports")]
    journals, reports = (set(_names(path)) for path in folders)
    for name in sorted(journals - reports):
        with suppress(OSError):
            records = _records(os.path.join(folders[0], f"{name}.jsonl"))
            running = set(_cut_off(name, records).running)
            begun = [one for one in records if one["event"] == "start" and one["action"] in running]
            out += [tuple(step["argv"]) for one in begun for step in one["commands"] if "argv" in step]
    return tuple(out)


def report_cut_off(folder: str, more: Mapping[str, Any]) -> tuple[CutOff, ...]:
    """Write the reports that killed runs could not write, from their journals; call it with the lock held.

    ``more`` is what every report of this host says. A report that cannot be written is left to a later run.
    """
    found: list[CutOff] = []
    folders = [os.path.join(folder, name) for name in ("journal", "reports")]
    journals, reports = (set(_names(path)) for path in folders)
    for name in sorted(journals - reports):
        path = os.path.join(folders[0], f"{name}.jsonl")
        with suppress(OSError, JournalError):
            records = _records(path)
            run = _cut_off(name, records)
            ended = [one for one in records if one["event"] == "end"]
            plans = [one for one in records if one["event"] == "plan"]
            content = {
                "report": 1,
                **more,
                "start": run.start,
                "end": _iso(records[-1]["time"]) if records else run.start,
                "digest": plans[0]["digest"] if plans else "",
                "plan": [{"id": action} for plan in plans for action in plan["actions"]],
                "done": list(run.done),
                "running": list(run.running),
                "error": ended[0].get("why", "") if ended else run.sentence(),
                "journal": path,
            }
            _write_report(path, content)
            if not ended:
                found.append(run)
    return tuple(found)


def _names(folder: str) -> list[str]:
    try:
        return [stem for stem, ending in map(os.path.splitext, os.listdir(folder)) if ending in (".jsonl", ".json")]
    except FileNotFoundError:
        return []


def _records(path: str) -> list[dict[str, Any]]:
    """The records of a journal, as far as they are whole: the room that was not used is zeros."""
    out: list[dict[str, Any]] = []
    with open(path, "rb") as handle:
        for line in handle.read().rstrip(b"\0").splitlines():
            try:
                out.append(json.loads(line))
            except ValueError:
                break
    return out


def _cut_off(name: str, records: list[dict[str, Any]]) -> CutOff:
    begun = [one["action"] for one in records if one["event"] == "start"]
    done = [one["action"] for one in records if one["event"] == "done"]
    ended = {one["action"] for one in records if one["event"] in ("done", "failed")}
    day = name.partition("-")[0]  # 20260102T030405Z
    start = f"{day[:4]}-{day[4:6]}-{day[6:11]}:{day[11:13]}:{day[13:]}"
    return CutOff(start, tuple(one for one in begun if one not in ended), tuple(done))


def _iso(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _write_report(journal: str, content: Mapping[str, Any]) -> str:
    folder, name = os.path.split(journal)
    folder = os.path.join(os.path.dirname(folder), "reports")
    path = os.path.join(folder, f"{os.path.splitext(name)[0]}.json")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with open(f"{path}.new", "w", encoding="utf-8", opener=_private) as handle:
            json.dump(content, handle, indent=1, sort_keys=True)
            handle.write("\n")
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(f"{path}.new", path)
    except OSError as error:
        raise JournalError(
            f"the report {path} cannot be written: {error.strerror}", "free space there; the journal has it all"
        ) from error
    return path


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
