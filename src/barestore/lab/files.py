# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that the lab keeps: where they are, locks on them, sparse disks and their digests."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from barestore.lab.errors import LabError

_CHUNK = 1 << 20


def cache_dir() -> Path:
    """Where images and booted states are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "barestore" / "lab"


def socket_dir() -> Path:
    """A short private folder: the path of a Unix socket has room for about 100 characters."""
    folder = Path(tempfile.gettempdir()) / f"barestore-lab-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise LabError(f"{folder} must be a folder that only you can enter; remove it and try again")
    return folder


@contextmanager
def locked(path: Path, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold an exclusive lock; it ends with the process that holds it, however that ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting:
                waiting()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def write_atomically(path: Path, text: str, mode: int = 0o644) -> None:
    """Replace a file as a whole, so that no reader ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as stream:
        stream.write(text)
    os.chmod(name, mode)
    os.replace(name, path)


def make_sparse(path: Path, size: int) -> None:
    """Make a disk of this size that takes no room until it is written to; an existing one only grows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as handle:
        present = handle.seek(0, os.SEEK_END)
        if present > size:
            raise LabError(
                f"disk file {path} has {present} bytes and {size} are asked for: a disk does not shrink; "
                "give the old size, or start over with 'barestore lab down --wipe'"
            )
        handle.truncate(size)


def copy_sparse(source: Path, target: Path) -> None:
    """Copy a folder of disks; holes stay holes."""
    subprocess.run(["cp", "--recursive", "--sparse=always", str(source), str(target)], check=True)


def _data_ranges(handle: int, size: int) -> Iterator[tuple[int, int]]:
    """The parts of a sparse file that were ever written."""
    position = 0
    while position < size:
        try:
            start = os.lseek(handle, position, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nothing but a hole up to the end
                return
            raise
        position = os.lseek(handle, start, os.SEEK_HOLE)
        yield start, position


def sparse_digest(path: Path) -> str:
    """SHA-256 of a file's contents that costs only what was written, however large the disk is.

    Blocks of zeros count as holes, so that writing zeros over nothing does not change the digest.
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        digest.update(str(size).encode())
        position = 0
        for start, end in _data_ranges(stream.fileno(), size):
            # Chunks lie on a fixed grid: where a range of data starts is the file system's business.
            position = max(position, start - start % _CHUNK)
            while position < end:
                block = os.pread(stream.fileno(), _CHUNK, position)
                if block.strip(b"\0"):
                    digest.update(f"@{position}:".encode() + block)
                position += _CHUNK
    return digest.hexdigest()
