# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The executor's hold on disks: while it lasts, udev reads no partition table again.

udev reads a table again whenever somebody closes a disk that was open for writing, in a process of its own that
``udevadm settle`` does not wait for; all partitions of the disk are then gone for a moment. It does so only with an
exclusive lock (flock) on the disk, and looks at devices with a shared one: so a shared lock of ours keeps the
partitions, lets udev make their links, and keeps partitioning tools of others away.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterable

from ..plan.errors import Surprise

_PATIENCE_SECONDS = 30.0
_CLASS_BLOCK = "/sys/class/block"


class Hold:
    """Shared locks on whole disks; a handle of its own for each, which no child inherits."""

    def __init__(self) -> None:
        self._handles: dict[str, int] = {}

    def take(self, paths: Iterable[str]) -> None:
        """Hold these disks as well. A lock of others, such as that of sfdisk, is waited for.

        :raises Surprise: a disk cannot be opened, or somebody keeps it locked.
        """
        for node in sorted({os.path.realpath(path) for path in paths} - set(self._handles)):
            try:
                self._handles[node] = os.open(node, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError as error:
                raise Surprise(
                    f"{node} cannot be opened: {error.strerror}", "look at the disk, and run again"
                ) from error
            _lock(node, self._handles[node])

    def release(self) -> None:
        """Let go of all disks: closing is unlocking, and a handle for reading gives udev no work."""
        while self._handles:
            os.close(self._handles.popitem()[1])


def disk_of(path: str) -> str:
    """The node of the disk that a partition lies on; empty when the path is no partition, or is not there."""
    folder = os.path.realpath(f"{_CLASS_BLOCK}/{os.path.basename(os.path.realpath(path))}")
    if not os.path.exists(f"{folder}/partition"):
        return ""
    return f"/dev/{os.path.basename(os.path.dirname(folder))}"


def _lock(node: str, handle: int) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > end:
                raise Surprise(
                    f"another program keeps {node} locked, so nothing was written to it",
                    "wait until it has ended (lslocks names it), and run again",
                ) from None
        time.sleep(0.05)
