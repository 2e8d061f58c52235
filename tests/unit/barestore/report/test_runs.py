# SPDX-License-Identifier: GPL-3.0-or-later
"""Past runs, from whatever is left of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from barestore.errors import Failed
from barestore.report.runs import read
from tests.browser.runs import write_runs


def test_journals_newest_first(tmp_path: Path) -> None:
    done, failed, cut = (read([write_runs(tmp_path)])[place] for place in (2, 0, 1))
    assert (done.host, done.began, done.status, len(done.steps)) == ("ss101", "2026-11-19T08:15:00Z", "done", 3)
    assert [(step.seconds, step.rc) for step in done.steps] == [(0.4, 0), (2.6, 0), (0.1, 0)]
    assert done.steps[0].command == "zpool create tank"
    assert (failed.status, failed.message) == ("failed", "mount: /srv/mysql: special device does not exist")
    assert failed.steps[-1].rc == 1
    assert cut.status == "stopped"
    assert cut.message == "The journal has no end; mount mount /srv/mysql was running when it stopped."


def test_answers_of_apply(tmp_path: Path) -> None:
    ran = {
        "status": "done",
        "message": "",
        "journal": "/var/lib/barestore/journal/20261121T103730Z-77.jsonl",
        "executed": [{"action": "a", "argv": ["true", "x"], "rc": 0, "seconds": 1.5}],
    }
    path = tmp_path / "apply.json"
    path.write_text(json.dumps({"hosts": {"lab1": ran, "lab2": {"status": "nothing"}}, "exit": 0}))
    (run,) = read([path])
    assert (run.host, run.began, run.status) == ("lab1", "2026-11-21T10:37:30Z", "done")
    assert (run.steps[0].command, run.steps[0].seconds) == ("true x", 1.5)


def test_what_holds_no_run(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text('{"barestore_plan": 1, "hosts": {"h": {"status": "changes"}}}')
    (tmp_path / "other.json").write_text("[]")
    (tmp_path / "h").mkdir()
    (tmp_path / "h/20261121T103730Z-77.jsonl").write_text("\0\0\0")
    assert read([tmp_path]) == []


def test_what_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="There is no file or folder"):
        read([tmp_path / "gone"])
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(Failed, match=r"broken.json is no answer of 'barestore apply --json'"):
        read([tmp_path / "broken.json"])
