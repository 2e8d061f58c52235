# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the long things are: what the tools say of it, and how long it takes yet."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from barestore import estimates

# Composed, not recorded: numbers in the format strings of OpenZFS' print_scan_status and print_removal_status.
ZPOOL = """\
  pool: tank
 state: DEGRADED
  scan: resilver in progress since Sat Nov 21 10:00:00 2026
\t1.21G scanned at 310M/s, 500M issued at 125M/s, 2.00G total
\t125M resilvered, 24.41% done, 00:00:12 to go
config:

  pool: fast
 state: ONLINE
remove: Evacuation of /dev/sdb in progress since Sat Nov 21 10:00:00 2026
\t1.00G copied out of 4.00G at 100M/s, 25.00% done, 0h0m to go

  pool: calm
  scan: resilvered 125M in 00:00:12 with 0 errors on Sat Nov 21 10:00:00 2026
"""
# Composed after the columns that the script asks for; no lvm ran a pvmove for it.
LVM = "  fast [pvmove0] 12.50\n  fast srv \n  fast mirror 100.00\n"


def test_what_the_tools_print_is_read(tmp_path: Path) -> None:
    for name, text in (("zpool", ZPOOL), ("lvm", LVM)):
        (tmp_path / f"{name}.txt").write_text(text)
        (tmp_path / name).write_text(f"#!/bin/sh\ncat {tmp_path}/{name}.txt\n")
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-c", estimates.SCRIPT], env=environment, capture_output=True, text=True, check=False)
    found = estimates.read(done.stdout)
    found = {name: percent for name, percent in found.items() if not name.startswith("md:")}
    assert found == {"zpool:tank": 24.41, "zpool:fast": 25.0, "lvm:fast/pvmove0": 12.5}


@pytest.mark.parametrize(
    ("argv", "long"),
    [(["pvmove", "/dev/sda"], True), (["zpool", "replace", "tank"], True), (["zpool", "create"], False)],
)
def test_only_what_takes_long_is_asked_about(argv: list[str], long: bool) -> None:
    assert estimates.takes_long([{"commands": [{"edit": "/etc/fstab"}, {"argv": argv}]}]) is long


def test_the_rest_is_told_from_the_pace() -> None:
    now = iter((0.0, 10.0, 20.0, 30.0))
    found = estimates.Estimates(lambda: next(now))
    assert [found.left("h", "zpool:tank", each) for each in (20.0, 20.0, 40.0, 5.0)] == [None, None, 60.0, None]


@pytest.mark.parametrize(("seconds", "said"), [(40, "40 s"), (720, "12 min"), (12000, "3 h 20 min")])
def test_durations(seconds: float, said: str) -> None:
    assert estimates.duration(seconds) == said
