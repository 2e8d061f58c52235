# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The executor's hand for a wipe: writes zeros where labels lie, and reads them back from the device."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ..plan.errors import Surprise
from ..plan.model import Part, Zero
from .signatures.area import digest, places

_BLKRRPART, _BLKFLSBUF = 0x125F, 0x1261  # linux/fs.h
_SPOT = 8192
_EXCLUSIVE_SECONDS = 10.0


def zero(step: Zero) -> None:
    """Check, write, flush, read back; then the kernel is told that there are no partitions.

    :raises Surprise: the device is in use, changed since it was planned for, or does not keep zeros.
    :raises OSError: it cannot be read or written.
    """
    with _alone(step.path) as handle:
        # What was written through a partition's node may not be in the cache of its disk.
        fcntl.ioctl(handle, _BLKFLSBUF)
        for part in step.parts:
            if digest(os.pread(handle, length, offset) for offset, length in _places(part)) != part.bytes:
                raise Surprise(
                    f"{step.path} no longer carries what it was planned for, so nothing was written to it",
                    "run again: it is looked at anew",
                )
        # What lies inside goes first, and to the medium: without its table nobody would find it again.
        for part in step.parts:
            ranges = [*_places(part), *_spots(part)]
            for offset, length in ranges:
                _write(handle, offset, length)
            os.fsync(handle)
        fcntl.ioctl(handle, _BLKFLSBUF)
        for part in step.parts:
            for offset, length in (*_places(part), *_spots(part)):
                if any(os.pread(handle, length, offset)):
                    raise Surprise(f"{step.path} does not keep zeros at {offset}", "replace the disk")
        # A device without partitions of its own, such as a loop device, has no table to read.
        with suppress(OSError):
            fcntl.ioctl(handle, _BLKRRPART)


def _places(part: Part) -> Iterator[tuple[int, int]]:
    return ((part.start + offset, length) for offset, length in places(part.size))


def _spots(part: Part) -> Iterator[tuple[int, int]]:
    for spot in part.spots:
        low = max(0, spot // _SPOT * _SPOT)
        yield part.start + low, min(2 * _SPOT, part.size - low)


def _write(handle: int, offset: int, length: int) -> None:
    while length > 0:
        written = os.pwrite(handle, bytes(length), offset)
        offset, length = offset + written, length - written


@contextmanager
def _alone(path: str) -> Iterator[int]:
    """The device, open for ourselves alone; udev, which looks at it for a moment, is waited for."""
    end = time.monotonic() + _EXCLUSIVE_SECONDS
    while True:
        try:
            handle = os.open(path, os.O_RDWR | os.O_EXCL | os.O_CLOEXEC)
            break
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            if time.monotonic() > end:
                raise Surprise(
                    f"{path} is in use by the kernel, so nothing was written to it", "release it and run again"
                ) from error
            time.sleep(0.1)
    try:
        yield handle
    finally:
        os.close(handle)
