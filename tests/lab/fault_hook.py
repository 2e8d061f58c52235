# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside the module's Python on a virtual host, as its ``sitecustomize``: stops a run at an exact point.

It knows nothing of the product but its journal: a record that is on the disk says that an action starts or has ended,
and the thread that wrote it runs the action. ``FAULT`` in the environment is JSON:

``point``   ``before`` (the intent is on the disk, nothing ran), ``within`` (a command of the action runs, or a file is
            about to get its new name), ``after`` (the outcome is on the disk)
``passed``  the stops that are not made any more, as they were told, ``action/point`` or ``action/within/number``;
            an action alone is never stopped
``way``     ``kill``: SIGKILL for the module, its children run on; ``kill-all``: its children first, a command within
            one of its writes; ``wait``: tell, and wait for ``/run/fault/go``; a command is stopped within a write
``within``  ``each`` command of an action, or only the ``last``
``write``   in which of its writes a command dies or stops; by default one of the first few, which depends on the action
``alone``   whether actions that share nothing run one after the other, so that each is stopped by itself

The stop that was made is told on standard error: ``FAULT action/point``.
"""

from __future__ import annotations

import concurrent.futures
import json
import os
import signal
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path
from typing import Any

_WAIT = Path("/run/fault/go")
# What changes a device, its table or the tree of mounts; a tool dies or stops at the entry of one of these.
_CALLS = "write,pwrite64,pwritev,pwritev2,io_submit,fsync,fdatasync,mount,move_mount,swapon,rename,renameat2"
_FIRST_WRITES = 4


class _Action(threading.local):
    """The action of this thread, as its journal record told it."""

    name = ""
    steps = 0
    step = 0
    record = b""


class Hook:
    """One stop a run."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._point, self._way = told["point"], told["way"]
        self._passed = set(told["passed"])
        self._only_last = told.get("within") == "last"
        self._once = threading.Lock()
        self._write = int(told.get("write", 0))
        self._alone = bool(told.get("alone"))
        self._now = _Action()
        self._real = {name: getattr(os, name) for name in ("pwrite", "fdatasync", "replace")}

    def install(self) -> None:
        """Put the hook between the module and the calls that it makes."""
        if self._alone:
            # The class itself is changed: who uses it may have imported it before.
            pool, begin = concurrent.futures.ThreadPoolExecutor, concurrent.futures.ThreadPoolExecutor.__init__
            pool.__init__ = lambda self, **_words: begin(self, max_workers=1)  # type: ignore[assignment, method-assign, misc]
        os.pwrite, os.fdatasync, os.replace = self._pwrite, self._fdatasync, self._replace  # type: ignore[assignment]
        hook, real = self, subprocess.Popen

        class Popen(real):  # type: ignore[misc, valid-type]
            """A command; when the stop is in it, it runs below strace."""

            def __init__(self, argv: list[str], *more: Any, **words: Any) -> None:
                self._stop = hook._next_step() if words.get("start_new_session") else ""
                if not self._stop or hook._way == "kill":
                    super().__init__(argv, *more, **words)
                    if self._stop:
                        time.sleep(0.05)
                        hook._fire(self._stop)
                    return
                self._trace = f"/run/fault/trace-{os.getpid()}-{threading.get_ident()}"
                number = hook._write or 1 + zlib.crc32(self._stop.encode()) % _FIRST_WRITES
                sign = "KILL" if hook._way == "kill-all" else "STOP"
                strace = ["strace", "-f", "-qq", "-o", self._trace, "-e", f"trace={_CALLS}"]
                super().__init__([*strace, "-e", f"inject={_CALLS}:signal={sign}:when={number}", *argv], *more, **words)

            def communicate(self, *more: Any, **words: Any) -> Any:
                if self._stop and hook._way == "wait":
                    # Beside it: a command may write nothing before it has read all that it is told.
                    watching = threading.Thread(target=hook._stop_within, args=(self, self._trace, self._stop))
                    watching.start()
                    out = super().communicate(*more, **words)
                    watching.join()
                    return out
                out = super().communicate(*more, **words)
                if self._stop and hook._way == "kill-all":
                    hook._fire(self._stop)
                return out

        subprocess.Popen = Popen  # type: ignore[misc, assignment]

    def _pwrite(self, handle: int, data: bytes, offset: int) -> int:
        if data[:1] == b"{":
            self._now.record = data
        return int(self._real["pwrite"](handle, data, offset))

    def _fdatasync(self, handle: int) -> None:
        self._real["fdatasync"](handle)
        record, self._now.record = json.loads(self._now.record or b"{}"), b""
        if record.get("event") == "start":
            self._now.name, self._now.steps, self._now.step = record["action"], len(record["commands"]), 0
            self._stop_at("before")
        elif record.get("event") in ("done", "failed"):
            if record["event"] == "done":
                self._stop_at("after")
            self._now.name = ""

    def _replace(self, source: str, target: str) -> None:
        if stop := self._next_step():
            self._fire(stop)
        self._real["replace"](source, target)

    def _next_step(self) -> str:
        """The stop within the step that begins now, or nothing."""
        if not self._now.name or (self._way == "wait" and self._once.locked()):
            return ""
        self._now.step += 1
        if self._point != "within" or (self._only_last and self._now.step < self._now.steps):
            return ""
        if self._now.name in self._passed:
            return ""
        stop = f"{self._now.name}/within/{self._now.step}"
        return "" if stop in self._passed else stop

    def _stop_at(self, point: str) -> None:
        stop = f"{self._now.name}/{point}"
        if point == self._point and not {stop, self._now.name} & self._passed:
            self._fire(stop)

    def _fire(self, stop: str) -> None:
        if not self._once.acquire(blocking=False):
            if self._way == "wait":
                return
            time.sleep(60)  # the other thread is at it
        os.write(2, f"FAULT {stop}\n".encode())
        if self._way == "wait":
            while not _WAIT.exists():
                time.sleep(0.05)
            return
        if self._way == "kill-all":
            for pid in _below(os.getpid()):
                os.kill(pid, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

    def _stop_within(self, process: subprocess.Popen[bytes], trace: str, stop: str) -> None:
        self._await_stopped(process, trace)
        self._fire(stop)
        self._let_go(process)

    @staticmethod
    def _await_stopped(process: subprocess.Popen[bytes], trace: str) -> None:
        """Until the command stands within a write, or has ended without one."""
        while process.poll() is None:
            if os.path.exists(trace) and "stopped by SIGSTOP" in Path(trace).read_text(errors="replace"):
                return
            time.sleep(0.02)

    @staticmethod
    def _let_go(process: subprocess.Popen[bytes]) -> None:
        """Let a command go on to its end: strace counts each kind of call apart, and would stop it again."""
        while process.returncode is None:
            subprocess.run(["pkill", "-CONT", "-s", str(process.pid)], check=False)
            time.sleep(0.3)


def _below(pid: int) -> list[int]:
    """All processes below one."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found[1:]


if told := os.environ.pop("FAULT", ""):
    sys.stderr.flush()
    Hook(json.loads(told)).install()
