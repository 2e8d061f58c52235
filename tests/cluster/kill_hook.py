# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside the module's Python on a control plane, as its ``sitecustomize``: stops a run of OSDs at an exact point.

It knows nothing of the product but its journal: the records that are on the disk, and the commands that they name.
``FAULT`` in the environment is JSON:

``point``   ``before`` (the intent is on the disk, nothing ran), ``within`` (a command of the action was started and
            runs on, or the action waits for what it promised), ``after`` (the outcome is on the disk)
``passed``  the stops that are not made any more, as they were told: ``action/before``, ``action/within/2 of 4``,
            ``action/within/wait``, ``action/after``; the run itself has ``run/before`` (it holds its lease and nothing
            is noted yet) and ``run/after`` (all is done and verified, the lease still held)
``only``    the beginning of the one stop to make, if it is given
``way``     ``kill``: SIGKILL; ``wait``: until ``/run/fault/go`` is there

The stop that was made is told on standard error: ``FAULT action/point``.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

_GO = Path("/run/fault/go")
_SENT_SECONDS = 0.05


class Hook:
    """One stop a run."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._point, self._way, self._only = told["point"], told.get("way", "kill"), told.get("only", "")
        self._passed = set(told.get("passed", ()))
        self._action = ""
        self._commands: list[list[str]] = []
        self._record = b""
        self._made = False
        self._pwrite, self._fdatasync = os.pwrite, os.fdatasync

    def install(self) -> None:
        """Put the hook between the module and the calls that it makes."""
        os.pwrite, os.fdatasync = self.pwrite, self.fdatasync  # type: ignore[assignment]
        hook, real = self, subprocess.Popen

        class Popen(real):  # type: ignore[misc, valid-type]
            """A process; the stop may be in it, once it has been told all."""

            stdin: Any

            def communicate(self, told: bytes | None = None, timeout: float | None = None) -> tuple[bytes, bytes]:
                if (stop := hook.command(list(self.args))) and self.stdin:
                    self.stdin.write(told or b"")
                    self.stdin.close()
                    self.stdin = told = None
                    time.sleep(_SENT_SECONDS)
                    hook.at("within", stop)
                out: tuple[bytes, bytes] = super().communicate(told, timeout)
                return out

        subprocess.Popen = Popen  # type: ignore[misc]

    def pwrite(self, handle: int, data: bytes, offset: int) -> int:
        if data[:1] == b"{":
            self._record = data
        return self._pwrite(handle, data, offset)

    def fdatasync(self, handle: int) -> None:
        self._fdatasync(handle)
        record, self._record = json.loads(self._record or b"{}"), b""
        event = record.get("event")
        if event == "start":
            self._action = record["action"]
            self._commands = [one["argv"] for one in record["commands"]]
            self.at("before", f"{self._action}/before")
        elif event == "waits":
            self.at("within", f"{self._action}/within/wait")
        elif event == "done":
            self.at("after", f"{self._action}/after")
        elif event == "plan":
            self.at("before", "run/before")
        elif event == "end" and record["result"] == "done":
            self.at("after", "run/after")

    def command(self, argv: list[str]) -> str:
        """The stop in this command, if it is one of the action's and not passed yet."""
        if self._made or self._point != "within" or argv not in self._commands:
            return ""
        # A run that goes on may have fewer commands left: another step then, under another name.
        stop = f"{self._action}/within/{1 + self._commands.index(argv)} of {len(self._commands)}"
        return "" if stop in self._passed or not stop.startswith(self._only) else stop

    def at(self, point: str, stop: str) -> None:
        """Be at a place of the run; the stop is made where it is the one."""
        if self._made or point != self._point or stop in self._passed or not stop.startswith(self._only):
            return
        self._made = True
        os.write(2, f"FAULT {stop}\n".encode())
        if self._way == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        while not _GO.exists():
            time.sleep(0.05)


if told := os.environ.pop("FAULT", ""):
    Hook(json.loads(told)).install()
