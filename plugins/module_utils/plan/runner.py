# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The only place that starts processes: argv lists, the C locale, no shell, no timeout."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from .errors import CommandFailed

NOT_FOUND = 127
_LOOK_SECONDS = 0.2

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Result:
    """What a process answered; ``rc`` is 127 when the tool is not installed."""

    argv: tuple[str, ...]
    rc: int
    stdout: str
    stderr: str
    seconds: float


class Runner:
    """Runs commands. Each gets a session of its own, so that Ctrl-C reaches us and not half a mkfs."""

    def __init__(self) -> None:
        self._environment = {
            "PATH": _PATH,
            "LC_ALL": "C",
            "LANG": "C",
            "HOME": "/root",
            "LVM_SUPPRESS_FD_WARNINGS": "1",
        }
        self._counting = threading.Lock()
        self._begun: dict[tuple[str, ...], subprocess.Popen[bytes]] = {}
        self.count = 0

    @staticmethod
    def has(tool: str) -> bool:
        """Whether a tool is installed where :meth:`run` looks for it."""
        return shutil.which(tool, path=_PATH) is not None

    @staticmethod
    def kernel() -> str:
        """The release of the kernel that runs."""
        return platform.release()

    @classmethod
    def has_module(cls, name: str) -> bool:
        """Whether the kernel that runs has a module, loaded or not."""
        if os.path.isdir(f"/sys/module/{name}"):
            return True
        for index in ("modules.builtin", "modules.dep"):
            try:
                with open(f"/lib/modules/{cls.kernel()}/{index}", encoding="utf-8", errors="replace") as handle:
                    if any(line.partition(".ko")[0].rpartition("/")[2] == name for line in handle):
                        return True
            except OSError:
                continue
        return False

    def run(self, argv: Sequence[str], stdin: str = "") -> Result:
        """Run to the end; storage commands are never killed, since a killed one leaves half-written metadata."""
        start = time.monotonic()
        try:
            process = self._begun.pop(tuple(argv), None) or self._begin(argv)
            out, err = process.communicate(stdin.encode() or None)
        except FileNotFoundError:
            return Result(tuple(argv), NOT_FOUND, "", f"{argv[0]}: not installed", 0.0)
        except OSError as error:
            return Result(tuple(argv), 126, "", f"{argv[0]}: {os.strerror(error.errno or 0)}", 0.0)
        return Result(
            tuple(argv),
            process.returncode,
            out.decode(errors="replace"),
            err.decode(errors="replace"),
            round(time.monotonic() - start, 3),
        )

    def text(self, argv: Sequence[str]) -> str:
        """What a command prints.

        :raises CommandFailed: it ended with another exit code than 0.
        """
        done = self.run(argv)
        if done.rc:
            raise CommandFailed(done.argv, done.rc, done.stderr)
        return done.stdout

    @staticmethod
    def await_end(argvs: Iterable[Sequence[str]], seconds: float) -> None:
        """Wait until no process runs such a command any more, or this time is over: pvmove may take a day."""
        wanted = [tuple(argv) for argv in argvs]
        end = time.monotonic() + seconds
        while wanted and time.monotonic() < end and any(_runs(argv, one) for one in _processes() for argv in wanted):
            time.sleep(_LOOK_SECONDS)

    @contextmanager
    def ahead(self, argvs: Iterable[Sequence[str]]) -> Iterator[None]:
        """Start reading commands before anybody asks: the next :meth:`run` of each gets what it says, once.

        What nobody asked for is waited for at the end.
        """
        for argv in argvs:
            # Whoever asks is told that a tool is not installed.
            with suppress(OSError):
                self._begun[tuple(argv)] = self._begin(argv)
        try:
            yield
        finally:
            while self._begun:
                self._begun.popitem()[1].communicate()

    def _begin(self, argv: Sequence[str]) -> subprocess.Popen[bytes]:
        with self._counting:
            self.count += 1
        return subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environment,
            cwd="/",
            start_new_session=True,
        )


def _processes() -> Iterator[tuple[str, ...]]:
    """The command line of each process."""
    for name in os.listdir("/proc"):
        # One that ended meanwhile has none.
        with suppress(OSError):
            if name.isdigit():
                with open(f"/proc/{name}/cmdline", encoding="utf-8", errors="replace") as handle:
                    yield tuple(handle.read().split("\0")[:-1])


def _runs(argv: tuple[str, ...], words: tuple[str, ...]) -> bool:
    """Whether a process is this command; one that is a script has its interpreter and its path in front."""
    tail = words[-len(argv) :]
    return len(tail) == len(argv) and os.path.basename(tail[0]) == argv[0] and tail[1:] == argv[1:]


@contextmanager
def interrupts(ask: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C, a hang-up and a polite kill call ``ask``: they end a run between actions, never inside one."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    old = [signal.signal(number, lambda _number, _frame: ask()) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, old):
            signal.signal(number, handler)
