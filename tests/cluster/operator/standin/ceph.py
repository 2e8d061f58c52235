# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands to one Ceph cluster, with a configuration and a key of their own."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .words import ADMIN_USER


class CephError(Exception):
    """A command failed; the message has what it said."""


def run(argv: list[str], stdin: str | None = None, timeout: float = 300) -> str:
    """The standard output of a process."""
    try:
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise CephError(f"{' '.join(argv)}: no answer in {timeout:.0f} s") from error
    if done.returncode:
        raise CephError(f"{' '.join(argv)}: exit code {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def _write(path: Path, text: str) -> None:
    """As a whole: a command of another thread may be reading it."""
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w") as stream:
        stream.write(text)
    os.replace(name, path)


@dataclass(frozen=True)
class Ceph:
    """One cluster; ``folder`` holds its ceph.conf and keyring."""

    folder: Path

    @classmethod
    def connect(cls, folder: Path, fsid: str, mon_host: str, key: str, user: str = ADMIN_USER) -> Ceph:
        """Write what the commands need."""
        folder.mkdir(parents=True, exist_ok=True)
        keyring = folder / "keyring"
        _write(keyring, f"[{user}]\n\tkey = {key}\n")
        lines = ["[global]", f"fsid = {fsid}", f"mon_host = {mon_host}", f"keyring = {keyring}", "log_to_file = false"]
        _write(folder / "ceph.conf", "\n".join(lines) + "\n")
        return cls(folder)

    @property
    def options(self) -> list[str]:
        """Options that any Ceph tool takes."""
        return ["--conf", str(self.folder / "ceph.conf"), "--name", ADMIN_USER]

    def text(self, *command: str, stdin: str | None = None, timeout: float = 300) -> str:
        """What a command prints."""
        argv = ["ceph", *self.options, "--connect-timeout", "60", *command]
        return run(argv, stdin, timeout).strip()

    def json(self, *command: str, stdin: str | None = None) -> Any:
        """What a command answers."""
        return json.loads(self.text(*command, "--format", "json", stdin=stdin))

    def rgw(self, *command: str) -> Any:
        """What radosgw-admin answers; None where it prints nothing."""
        text = run(["radosgw-admin", *self.options, *command]).strip()
        return json.loads(text) if text else None
