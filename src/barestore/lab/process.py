# SPDX-License-Identifier: GPL-3.0-or-later
"""QEMU processes: started to outlive this program, and told apart from whoever has their number later."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


def _stat(pid: int) -> tuple[str, int] | None:
    """State letter and start time of a process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()  # the name in brackets may hold anything
    return fields[0], int(fields[19])


def _threads(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except (FileNotFoundError, ProcessLookupError):
        return 0


@dataclass(frozen=True)
class Process:
    """A process by number and start time: the pair is never given twice."""

    pid: int
    started: int

    @property
    def alive(self) -> bool:
        """Whether it still runs; reaps it if it was our child and has ended."""
        with suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)
        found = _stat(self.pid)
        if found is None or found[1] != self.started:
            return False
        # Its first thread may have ended while others still end: until then they have its files open and locked.
        return found[0] != "Z" or _threads(self.pid) > 1

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        if self.alive:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        self.wait(30)

    def wait(self, limit: float) -> bool:
        """Wait for its end; false when time is up."""
        end = time.monotonic() + limit
        while self.alive:
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True


def start(argv: Sequence[str], log: Path, *, tied: bool, folder: Path | None = None) -> Process:
    """Start a daemon; a ``tied`` one dies with the thread that started it: no test leaves one behind."""
    if tied:
        argv = ["setpriv", "--pdeathsig", "KILL", *argv]
    with log.open("ab") as output:
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, cwd=folder
        )
    child.returncode = 0  # not Popen's to reap or to warn about: it is followed by number and start time
    found = _stat(child.pid)
    return Process(child.pid, found[1] if found else 0)
