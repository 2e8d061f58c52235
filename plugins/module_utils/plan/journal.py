# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The journal: intent and outcome of each action, on disk before the next one starts; the report of a run; the lock."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .errors import JournalError

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
        """Append one record and wait until it is on the disk."""
        record = {"time": time.time(), "event": event, **fields}
        line = (json.dumps(record, sort_keys=True) + "\n").encode()
        os.pwrite(self._handle, line, self._end)
        self._end += len(line)
        os.fdatasync(self._handle)

    def close(self) -> None:
        """Give back the reserved space that was not used."""
        os.ftruncate(self._handle, self._end)
        os.fsync(self._handle)
        os.close(self._handle)

    def write_report(self, content: Mapping[str, Any]) -> str:
        """Leave the report of the run beside the journal, whole or not at all; its path.

        :raises JournalError: it cannot be written; what was done is in the journal all the same.
        """
        folder, name = os.path.split(self.path)
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
