# SPDX-License-Identifier: GPL-3.0-or-later
"""File systems, swap and mounts on loop devices, cut off before, within and after each action: the next run goes on.

``mkfs`` dies in each of its writes in turn. The lab does the same to all kinds, with fewer stops and power cuts.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host.state import Device
from tests.loop.test_loop import MIB, apply, filesystem_document, plan, probe

pytestmark = pytest.mark.loop

ROOT = Path(__file__).resolve().parents[2]
OURS = Path("/var/lib/barestore")
TRACES = Path("/run/fault")
CHECKS = {"ext4": ["e2fsck", "-fn"], "xfs": ["xfs_repair", "-n"], "vfat": ["fsck.fat", "-n"]}
KILLED = -9
_NONE = 60000  # more than any tool writes


@pytest.fixture(autouse=True)
def private_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """This machine's own state of barestore is not looked at."""
    made = not OURS.exists()
    OURS.mkdir(exist_ok=True)
    subprocess.run(["mount", "--bind", str(tmp_path_factory.mktemp("state")), str(OURS)], check=True)
    yield
    subprocess.run(["umount", str(OURS)], check=True)
    if made:
        OURS.rmdir()


@pytest.fixture(scope="module")
def hook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder from which Python takes the hook."""
    folder = tmp_path_factory.mktemp("hook")
    shutil.copy(ROOT / "tests/lab/fault_hook.py", folder / "sitecustomize.py")
    TRACES.mkdir(exist_ok=True)
    return folder


def document(kind: str, path: Path) -> dict[str, Any]:
    if kind == "swap":
        return {"swap": {"s": {"device": "disk"}}}
    wanted = filesystem_document(kind, path)
    if f"\t{kind}\n" not in Path("/proc/filesystems").read_text():
        del wanted["filesystems"]["data"]["mount"]  # this machine's kernel cannot mount it; the lab does
    return wanted


def run(hook: Path, device: Device, wanted: dict[str, Any], folder: Path, **fault: Any) -> str:
    """One run in a process of its own; where it was stopped, or nothing when it ended well."""
    told = {"device": asdict(device), "document": wanted, "folder": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.loop.killed", json.dumps(told)],
        cwd=ROOT,
        env={**os.environ, "FAULT": json.dumps(fault), "PYTHONPATH": f"{hook}:{ROOT}/collections:{ROOT}/src"},
        capture_output=True,
        text=True,
        check=False,
    )
    probe(device)
    stops = [line.removeprefix("FAULT ") for line in done.stderr.splitlines() if line.startswith("FAULT ")]
    assert done.returncode == (KILLED if stops else 0), done.stderr
    return stops[0] if stops else ""


@pytest.mark.parametrize("way", ["kill", "kill-all"])
@pytest.mark.parametrize("point", ["before", "within", "after"])
@pytest.mark.parametrize("kind", ["ext4", "xfs", "vfat", "swap"])
def test_each_action_is_cut_off(
    loop: Callable[..., Device], hook: Path, tmp_path: Path, kind: str, point: str, way: str
) -> None:
    device = replace(loop(400 * MIB), disks=("one",))
    wanted, passed = document(kind, tmp_path / "srv"), []
    actions = {action.id for action in plan(wanted, device).actions}
    while stop := run(hook, device, wanted, tmp_path, point=point, way=way, passed=passed):
        passed.append(stop)
    assert {stop.partition(f"/{point}")[0] for stop in passed} == actions
    assert apply(wanted, device, tmp_path / "again") == []


def writes(hook: Path, device: Device, kind: str, folder: Path) -> list[int]:
    """In which of its writes a tool is killed: with FULL=1 in each, else in the first, some between and the last."""
    wanted = document(kind, folder / "srv")
    assert run(hook, device, wanted, folder, point="within", way="kill-all", passed=[], within="last", write=_NONE)
    (trace,) = sorted(TRACES.glob("trace-*"), key=os.path.getmtime)[-1:]
    last = len(trace.read_text().splitlines())
    if os.environ.get("FULL"):
        return list(range(1, last + 1))
    return sorted({1, 2, *(last * part // 8 for part in range(1, 8)), *range(max(1, last - 5), last + 1)})


@pytest.mark.parametrize("kind", ["ext4", "xfs", "vfat", "swap"])
def test_what_was_half_made_is_made_anew(loop: Callable[..., Device], hook: Path, tmp_path: Path, kind: str) -> None:
    for write in writes(hook, replace(loop(400 * MIB), disks=("one",)), kind, tmp_path / "count"):
        device = replace(loop(400 * MIB), disks=("one",))
        folder = tmp_path / str(write)
        wanted = document(kind, folder / "srv")
        assert run(hook, device, wanted, folder, point="within", way="kill-all", passed=[], within="last", write=write)
        made = apply(wanted, device, folder / "again")
        print(f"{kind}: killed in write {write}, then {made}")
        subprocess.run(["umount", device.path], check=False, capture_output=True)
        subprocess.run(["swapoff", device.path], check=False, capture_output=True)
        if check := CHECKS.get(kind):
            assert subprocess.run([*check, device.path], check=False, capture_output=True).returncode == 0
