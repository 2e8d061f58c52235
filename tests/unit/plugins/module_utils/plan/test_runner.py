# SPDX-License-Identifier: GPL-3.0-or-later
"""What a killed run left at work is waited for, and not for ever."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner

LONG = 600.0


def started(*argv: str | Path) -> subprocess.Popen[bytes]:
    """A process that the kernel shows with its command line: for a moment after exec there is none."""
    process = subprocess.Popen(argv)
    while process.poll() is None and not command_line(process):
        time.sleep(0.01)
    return process


def command_line(process: subprocess.Popen[bytes]) -> bytes:
    """None once it ended, also while nobody has asked for its result."""
    return Path(f"/proc/{process.pid}/cmdline").read_bytes()


def test_a_command_that_another_run_left_is_waited_for() -> None:
    left = started("sleep", "0.73")
    Runner.await_end([("mkfs.xfs", "/dev/nothing"), ("sleep", "0.73")], LONG)
    assert not command_line(left)
    left.wait()


def test_a_script_is_known_by_what_it_was_called(tmp_path: Path) -> None:
    script = tmp_path / "left.sh"
    script.write_text("#!/bin/sh\nsleep 0.71\n")
    script.chmod(0o755)
    left = started(script, "one", "two")
    Runner.await_end([("left.sh", "one", "two")], LONG)
    assert not command_line(left)
    left.wait()


def test_what_takes_longer_is_left_alone() -> None:
    left = started("sleep", "617")
    Runner.await_end([("sleep", "617")], 0.3)
    assert left.poll() is None
    left.kill()
    left.wait()


def test_another_command_is_not_waited_for() -> None:
    left = started("sleep", "618")
    Runner.await_end([("sleep", "619"), ("sleep", "618", "more")], LONG)
    assert left.poll() is None
    left.kill()
    left.wait()
