# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether udev noticed what was written to a device, and having it look again where it did not.

It looks by itself when somebody closes a device that was open for writing, but not while it is still looking at it:
then the new contents would never get their names. A look costs a host more than most tools that write, so that it is
asked for only where udev knows a device still as it was before, or as empty: it may have seen how something was cleared
and missed what was made then.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress

from .first_look import UDEV_IS_BUSY

_RECORDS = "/run/udev/data"
_CLASS_BLOCK = "/sys/class/block"
# udev takes up what it was told within this time.
_IDLE_SECONDS = 0.5


def known(paths: Iterable[str]) -> dict[str, str]:
    """What udev found on each of these devices, by its path; take it before they are written to."""
    return {path: _contents(path) for path in paths}


class Noticing:
    """The devices that were written to, until udev knows what lies on them or was asked to look."""

    def __init__(self) -> None:
        self._written: dict[str, str] = {}
        self._idle_since = 0.0

    def wrote(self, before: Mapping[str, str]) -> None:
        """These devices, as udev knew them before, have new contents now."""
        self._written.update(before)

    def while_waiting(self) -> None:
        """Somebody waits for a name: once udev has had no work for a while, what it missed is shown to it."""
        now = time.monotonic()
        if os.path.exists(UDEV_IS_BUSY) or not self._idle_since:
            self._idle_since = now
        if now > self._idle_since + _IDLE_SECONDS:
            self.ask()

    def ask(self) -> bool:
        """Have udev look at what it missed, once; whether there was anything. Call it while udev has no work."""
        self._idle_since = 0.0
        missed = False
        for path in list(self._written):  # others may be added meanwhile
            if _contents(path) in ("", self._written.pop(path)):
                _look_again(os.path.basename(os.path.realpath(path)))
                missed = True
        return missed


def show_lost() -> bool:
    """Have udev look again at disks and partitions of whose table it knows nothing; whether there were any.

    A disk that gave errors while udev looked at it keeps its partitions in the kernel and loses their names in udev.
    """
    lost = [name for name in sorted(os.listdir(_CLASS_BLOCK)) if _is_lost(f"{_CLASS_BLOCK}/{name}")]
    for name in lost:
        _look_again(name)
    return bool(lost)


def _is_lost(folder: str) -> bool:
    if os.path.exists(f"{folder}/partition"):
        key = "E:ID_PART_ENTRY_UUID="
    elif any(os.path.exists(f"{folder}/{one}/partition") for one in os.listdir(folder)):
        key = "E:ID_PART_TABLE_TYPE="
    else:
        return False
    with suppress(OSError), open(f"{folder}/dev", encoding="ascii") as handle:
        return not _record(handle.read().strip(), key)
    return False


def _contents(path: str) -> str:
    """What udev's record says of the contents of a device; empty when there is nothing, or no device."""
    with suppress(OSError):
        device = os.stat(path).st_rdev
        return _record(f"{os.major(device)}:{os.minor(device)}", "E:ID_FS_")
    return ""


def _record(number: str, start: str) -> str:
    """The lines of udev's record of a device that begin so."""
    with suppress(OSError), open(f"{_RECORDS}/b{number}", encoding="utf-8", errors="replace") as handle:
        return "".join(line for line in handle if line.startswith(start))
    return ""


def _look_again(name: str) -> None:
    # A device that is gone has nothing to show.
    with suppress(OSError), open(f"{_CLASS_BLOCK}/{name}/uevent", "w", encoding="ascii") as handle:
        handle.write("change")
