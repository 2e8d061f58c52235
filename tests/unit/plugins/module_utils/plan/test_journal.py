# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal is on the disk record by record, has room before anything starts, and there is one run a host."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import JournalError
from ansible_collections.barestore.storage.plugins.module_utils.plan.journal import (
    Journal,
    host_lock,
    left_running,
    report_cut_off,
)
from tests.unit.full_disk import no_file_longer_than


def test_records_are_readable_while_the_run_goes_on(tmp_path: Path) -> None:
    journal = Journal.create(str(tmp_path), records=8)
    journal.write("start", {"action": "a"})
    journal.write("done", {"action": "a"})
    text = Path(journal.path).read_bytes().rstrip(b"\0").decode()
    assert [json.loads(line)["event"] for line in text.splitlines()] == ["start", "done"]


def test_closing_gives_back_the_reserved_room(tmp_path: Path) -> None:
    journal = Journal.create(str(tmp_path), records=100)
    assert os.stat(journal.path).st_size == 100 * 4096
    journal.write("end", {})
    journal.close()
    assert Path(journal.path).read_text().count("\n") == 1
    assert os.stat(journal.path).st_size < 200


def test_a_full_disk_is_found_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(JournalError, match="has no room: No space left on device") as caught:
        Journal.create(str(tmp_path), records=8)
    assert caught.value.hint == "nothing was changed; free space on that disk"
    assert not list((tmp_path / "journal").iterdir())


def test_a_record_that_was_taken_in_part_stops_the_run(tmp_path: Path) -> None:
    journal = Journal.create(str(tmp_path), records=2)
    with no_file_longer_than(3 * 4096), pytest.raises(JournalError, match="cannot be written: No space left on device"):
        journal.write("start", {"commands": "x" * 5 * 4096})


def test_a_second_run_on_one_host_is_refused(tmp_path: Path) -> None:
    second = pytest.raises(JournalError, match=rf"another run \(process {os.getpid()}\)")
    with host_lock(str(tmp_path)), second, host_lock(str(tmp_path)):
        pass
    with host_lock(str(tmp_path)):
        pass


def test_a_run_that_was_killed_gets_its_report_from_the_next_one(tmp_path: Path) -> None:
    journal = Journal.create(str(tmp_path), records=8)
    journal.write("plan", {"digest": "sha256:1", "actions": ["a", "b", "c"]})
    journal.write("start", {"action": "a", "commands": []})
    journal.write("done", {"action": "a"})
    journal.write("start", {"action": "b", "commands": []})
    (found,) = report_cut_off(str(tmp_path), {"host": "ss1"})
    assert (found.running, found.done) == (("b",), ("a",))
    assert " was cut off while b ran; what it left is taken from here." in found.sentence()
    (path,) = (tmp_path / "reports").iterdir()
    told = json.loads(path.read_text())
    assert (told["host"], told["done"], told["running"], told["error"]) == ("ss1", ["a"], ["b"], found.sentence())
    assert [action["id"] for action in told["plan"]] == ["a", "b", "c"]
    assert report_cut_off(str(tmp_path), {}) == ()


def test_a_record_that_was_torn_ends_what_is_known(tmp_path: Path) -> None:
    journal = Journal.create(str(tmp_path), records=8)
    with open(journal.path, "r+b") as handle:
        handle.write(b'{"event": "plan", "actio')
    (found,) = report_cut_off(str(tmp_path), {})
    assert found.sentence().endswith("was cut off before its first action; what it left is taken from here.")


def test_a_run_that_ended_is_not_called_cut_off(tmp_path: Path) -> None:
    journal = Journal.create(str(tmp_path), records=8)
    journal.write("end", {"result": "failed", "why": "no room"})
    assert report_cut_off(str(tmp_path), {}) == ()
    (path,) = (tmp_path / "reports").iterdir()
    assert json.loads(path.read_text())["error"] == "no room"


def test_what_a_killed_run_may_have_left_at_work_is_known_until_it_was_told(tmp_path: Path) -> None:
    journal = Journal.create(str(tmp_path), 4)
    journal.write("start", {"action": "a", "commands": [{"argv": ["mkfs.xfs", "/dev/a"]}]})
    journal.write("done", {"action": "a"})
    journal.write("start", {"action": "b", "commands": [{"argv": ["zpool", "replace", "p"]}, {"edit": "/etc/fstab"}]})
    assert left_running(str(tmp_path)) == (("zpool", "replace", "p"),)
    report_cut_off(str(tmp_path), {})
    assert left_running(str(tmp_path)) == ()
