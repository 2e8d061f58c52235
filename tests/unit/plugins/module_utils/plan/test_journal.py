# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal is on the disk record by record, has room before anything starts, and there is one run a host."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import JournalError
from ansible_collections.barestore.storage.plugins.module_utils.plan.journal import Journal, host_lock


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


def test_a_second_run_on_one_host_is_refused(tmp_path: Path) -> None:
    second = pytest.raises(JournalError, match=rf"another run \(process {os.getpid()}\)")
    with host_lock(str(tmp_path)), second, host_lock(str(tmp_path)):
        pass
    with host_lock(str(tmp_path)):
        pass
