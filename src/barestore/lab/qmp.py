# SPDX-License-Identifier: GPL-3.0-or-later
"""QEMU's monitor protocol: one command at a time; events are passed over."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from barestore.lab.errors import LabError


class Qmp:
    """A connection to one QEMU; QEMU talks to one client at a time."""

    def __init__(self, path: Path, limit: float = 20.0, alive: Callable[[], bool] = lambda: True) -> None:
        """Connect, waiting until QEMU listens."""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(limit)
        end = time.monotonic() + limit
        while True:
            try:
                self._socket.connect(str(path))
                break
            except OSError as error:
                if not alive() or time.monotonic() > end:
                    self._socket.close()
                    raise LabError(f"QEMU does not answer on {path}: {error.strerror}") from error
                time.sleep(0.02)
        self._stream = self._socket.makefile("rw")
        self._read()  # the greeting
        self.command("qmp_capabilities")
        self._socket.settimeout(None)

    def command(self, name: str, /, **arguments: Any) -> Any:
        """Run one command and return its answer.

        Names with hyphens are passed as ``**{"node-name": ...}``.
        """
        self._stream.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self._stream.flush()
        while True:
            answer = self._read()
            if "error" in answer:
                raise LabError(f"QEMU refused {name}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def human(self, line: str) -> str:
        """A command of the human monitor, for what QMP lacks."""
        return str(self.command("human-monitor-command", **{"command-line": line}))

    def close(self) -> None:
        """Leave QEMU to the next client."""
        self._stream.close()
        self._socket.close()

    def _read(self) -> dict[str, Any]:
        while True:
            try:
                line = self._stream.readline()
            except (OSError, ValueError) as error:
                raise LabError(f"the connection to QEMU broke: {error}") from error
            if not line:
                raise LabError("QEMU ended while it was spoken to; its log says why")
            answer: dict[str, Any] = json.loads(line)
            if "event" not in answer:
                return answer
