# SPDX-License-Identifier: GPL-3.0-or-later
"""The hook that kills runs of OSDs stops where it says, with the product's own journal and runner."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# A run of two actions as the executor makes it: each looks, runs its commands, looks again.
RUN = """
import sys
from ansible_collections.barestore.storage.plugins.module_utils.plan.journal import Journal
from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Command
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner
here = sys.argv[1]
book, runner = Journal.create(here, 20), Runner()
book.write("plan", {"actions": ["a", "b"]})
for name in ("a", "b"):
    steps = [Command(("touch", f"{here}/{name}1")), Command(("sh", "-c", f"cat >{here}/{name}2"), "told")]
    book.write("start", {"action": name, "commands": [one.as_json() for one in steps]})
    for step in steps:
        runner.run(("true",))
        runner.run(step.argv, step.stdin)
    book.write("waits", {"action": name, "for": "nothing"})
    book.write("done", {"action": name})
book.write("end", {"result": "done"})
"""


def told(folder: Path, point: str, passed: list[str]) -> str:
    """The stop of one run; empty when it ends."""
    hook = folder / "hook"
    hook.mkdir(exist_ok=True)
    shutil.copyfile(ROOT / "tests/cluster/kill_hook.py", hook / "sitecustomize.py")
    fault = json.dumps({"point": point, "passed": passed})
    environment = {**os.environ, "FAULT": fault, "PYTHONPATH": f"{hook}:{ROOT / 'collections'}"}
    shutil.rmtree(folder / "journal", ignore_errors=True)
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(folder)], env=environment, capture_output=True, text=True, check=False
    )
    if not done.stderr:
        assert done.returncode == 0
        return ""
    assert done.returncode == -signal.SIGKILL, done.stderr
    [line] = done.stderr.splitlines()
    return line.removeprefix("FAULT ")


@pytest.mark.parametrize(
    ("point", "stops"),
    [
        ("before", ["run/before", "a/before", "b/before"]),
        ("within", [f"{name}/within/{step}" for name in "ab" for step in ("1 of 2", "2 of 2", "wait")]),
        ("after", ["a/after", "b/after", "run/after"]),
    ],
)
def test_a_walk_stops_at_each_step_once(tmp_path: Path, point: str, stops: list[str]) -> None:
    passed: list[str] = []
    while stop := told(tmp_path, point, passed):
        passed.append(stop)
    assert passed == stops


def test_a_command_that_was_started_has_all_that_it_was_told(tmp_path: Path) -> None:
    assert told(tmp_path, "within", ["a/within/1 of 2"]) == "a/within/2 of 2"
    end = time.monotonic() + 60
    while not (tmp_path / "a2").exists() or not (tmp_path / "a2").read_text():
        assert time.monotonic() < end, "it runs on by itself"
        time.sleep(0.05)
    assert (tmp_path / "a2").read_text() == "told" and not (tmp_path / "b1").exists()
