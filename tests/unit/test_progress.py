# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of a run while it goes on, from what the journals of the hosts show."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from barestore import watch
from barestore.fleet import Call
from barestore.hostplan import HostPlan
from barestore.progress import Progress
from barestore.rollout import Events
from barestore.screen import Screen
from barestore.watch import Seen, read

MOVE = {"id": "pv.move:a", "kind": "pv", "verb": "move", "target": "a", "commands": [{"argv": ["pvmove", "/dev/a"]}]}
MAKE = {"id": "pv.create:b", "kind": "pv", "verb": "create", "target": "b", "commands": [{"argv": ["pvcreate"]}]}


def test_journal_and_percentages_are_read_together() -> None:
    assert read("start pv.move:a\ndone pv.create:b\nlong lvm:fast/pvmove0 12.5\n") == Seen(
        (), ("pv.move:a",), {"lvm:fast/pvmove0": 12.5}
    )


@pytest.mark.parametrize("held", ["journal", "lock"])
def test_a_run_is_found_while_it_holds_its_lock_or_its_journal(tmp_path: Path, held: str) -> None:
    """That of a host has a lock, that of a cluster a lease on the cluster: this process is either."""
    script = watch._READ.replace("/var/lib/barestore", str(tmp_path))

    def seen() -> str:
        return subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout

    (tmp_path / "journal").mkdir()
    (tmp_path / "lock").write_text(f"{os.getpid() if held == 'lock' else 1}\n")
    journal = tmp_path / f"journal/20260101T000000Z-{os.getpid()}.jsonl"
    journal.write_text(json.dumps({"action": "osd.drain:osd.7", "event": "start"}) + "\n")
    assert seen() == ""
    with (journal if held == "journal" else tmp_path / "lock").open():
        assert seen() == "start osd.drain:osd.7\n"


def test_each_step_is_one_event(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    call = Call((), ["h"], {})
    progress = Progress(Screen(), call, {"h": HostPlan("h", "", "changes", actions=[MOVE, MAKE])}, Events(True))
    assert progress.watch.long
    looks = iter(
        (
            Seen((), ("pv.move:a",), {"lvm:fast/pvmove0": 10.0}),
            Seen(("pv.move:a",), ("pv.create:b",)),
            Seen(("pv.move:a", "pv.create:b"), ()),
        )
    )

    def tick() -> bool:
        progress.watch.seen = {"h": next(looks)}
        return True

    monkeypatch.setattr(progress.watch, "tick", tick)
    with progress:
        for _look in range(3):
            progress.tick()
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["event"], one.get("action", one.get("percent")), one.get("state")) for one in found] == [
        ("action", "pv.move:a", "started"),
        ("progress", 10.0, None),
        ("action", "pv.create:b", "started"),
        ("action", "pv.move:a", "ended"),
        ("action", "pv.create:b", "ended"),
    ]


def test_a_run_without_long_things_asks_for_none() -> None:
    assert not Progress(Screen(), Call((), ["h"], {}), {"h": HostPlan("h", "", "changes", actions=[MAKE])}).watch.long
