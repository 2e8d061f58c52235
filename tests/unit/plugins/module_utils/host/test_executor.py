# SPDX-License-Identifier: GPL-3.0-or-later
"""The executor with real processes: order, side by side, the first surprise, interrupts, files, the journal."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host import arrivals, executor
from ansible_collections.barestore.storage.plugins.module_utils.host.executor import Executor
from ansible_collections.barestore.storage.plugins.module_utils.host.observer import Observer
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import CommandFailed, StorageError, Surprise
from ansible_collections.barestore.storage.plugins.module_utils.plan.journal import Journal
from ansible_collections.barestore.storage.plugins.module_utils.plan.model import (
    Action,
    Command,
    EditLine,
    Expect,
    Link,
    Plan,
    Step,
    WriteFile,
)
from ansible_collections.barestore.storage.plugins.module_utils.plan.order import ordered
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner
from tests.unit.full_disk import no_file_longer_than


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "_PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(executor, "_DEVICE_SECONDS", 0.3)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Executor]]:
    """Execute actions in a journal below ``tmp_path``; the executor that did it."""
    journal = Journal.create(str(tmp_path), records=64)
    runner = Runner()

    def go(*actions: Action) -> Executor:
        found = Executor(runner, journal, Observer(runner).shortfall)
        go.last = found  # type: ignore[attr-defined]
        found.execute(Plan(ordered(actions)))
        return found

    yield go
    journal.close()


def action(name: str, *steps: Step, needs: str = "", **fields: Any) -> Action:
    return Action("test", "do", name, steps, needs=frozenset(needs.split()), provides=frozenset((name,)), **fields)


def sh(script: str) -> Command:
    return Command(("sh", "-c", script))


def records(folder: Path) -> list[dict[str, Any]]:
    (path,) = (folder / "journal").iterdir()
    return [json.loads(line) for line in path.read_bytes().rstrip(b"\0").decode().splitlines()]


def test_needs_are_done_first_and_each_step_is_reported(run: Callable[..., Executor], tmp_path: Path) -> None:
    done = run(
        action("second", sh(f"test -e {tmp_path}/first && touch {tmp_path}/second"), needs="first"),
        action("first", sh(f"touch {tmp_path}/first"), expects=(Expect("exists", f"{tmp_path}/first"),)),
    ).done
    assert [(one.action, one.rc) for one in done] == [("test.do:first", 0), ("test.do:second", 0)]


def test_what_shares_nothing_runs_side_by_side(run: Callable[..., Executor], tmp_path: Path) -> None:
    """Each waits for the other: one after the other they would never end."""
    a, b = tmp_path / "a", tmp_path / "b"
    meet = "touch {0}; for i in $(seq 100); do test -e {1} && exit 0; sleep 0.05; done; exit 1"
    run(action("a", sh(meet.format(a, b))), action("b", sh(meet.format(b, a))))


def test_after_a_failure_nothing_more_starts_and_what_runs_ends(run: Callable[..., Executor], tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="'sh -c echo no room >&2; exit 5' failed with exit code 5: no room"):
        run(
            action("bad", sh("echo no room >&2; exit 5")),
            action("slow", sh(f"sleep 0.5; touch {tmp_path}/slow")),
            action("later", sh(f"touch {tmp_path}/later"), needs="bad slow"),
        )
    assert (tmp_path / "slow").exists()
    assert not (tmp_path / "later").exists()
    events = [(one["event"], one.get("action")) for one in records(tmp_path)]
    assert ("failed", "test.do:bad") in events
    assert ("done", "test.do:slow") in events


def test_an_action_whose_promise_does_not_hold_is_a_surprise(run: Callable[..., Executor], tmp_path: Path) -> None:
    path = f"{tmp_path}/never"
    with pytest.raises(Surprise, match=f"after test.do:lie, {path} is not there"):
        run(action("lie", sh("true"), expects=(Expect("exists", path),)))


def test_a_check_that_prints_is_a_surprise(run: Callable[..., Executor], tmp_path: Path) -> None:
    with pytest.raises(Surprise, match="before test.do:mkfs, echo ext4 found ext4"):
        run(action("mkfs", Command(("echo", "ext4"), silent=True), sh(f"touch {tmp_path}/made")))
    assert not (tmp_path / "made").exists()


def test_a_device_that_does_not_come_is_a_sentence(run: Callable[..., Executor]) -> None:
    with pytest.raises(Surprise, match="/dev/disk/by-id/nobody did not appear within 0 s"):
        run(action("wait", sh("true"), waits=("/dev/disk/by-id/nobody",)))


def test_a_device_is_late_only_while_udev_has_no_work(
    run: Callable[..., Executor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, device = tmp_path / "queue", tmp_path / "device"
    queue.touch()
    monkeypatch.setattr(executor, "_DEVICE_SECONDS", 0.2)
    monkeypatch.setattr(arrivals, "UDEV_IS_BUSY", str(queue))
    timer = threading.Timer(1, device.touch)
    timer.start()
    run(action("wait", sh(f"test -e {device}"), waits=(str(device),)))
    timer.join()
    with pytest.raises(Surprise, match="never did not appear"):  # and not for ever
        run(action("wait", sh("true"), waits=(f"{tmp_path}/never",)))


def test_what_most_wait_for_starts_first(run: Callable[..., Executor], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "_SIDE_BY_SIDE", 1)
    done = run(
        action("alone", sh("true")),
        action("short", sh("true"), needs="long"),
        action("long", sh("true")),
    ).done
    assert [one.action.partition(":")[2] for one in done] == ["long", "alone", "short"]


def test_a_device_is_waited_for_while_others_work(
    run: Callable[..., Executor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a settle, since nothing of that name was there before."""
    monkeypatch.setattr(executor, "_DEVICE_SECONDS", 60)
    device = f"{tmp_path}/device"
    done = run(
        action("wait", sh(f"test -e {device}"), waits=(device,)),
        action("first", sh("true"), settles=True),
        action("second", sh(f"touch {device}"), needs="first"),
    ).done
    # The device is there before the command that makes it has ended, so that the two last may end in any order.
    assert done[0].action == "test.do:first"
    assert {one.action for one in done[1:]} == {"test.do:second", "test.do:wait"}


def test_a_partition_that_was_there_waits_for_udev(
    run: Callable[..., Executor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name may be left over from a table that is gone, so that udev has to end first."""
    disk, part = tmp_path / "disk", tmp_path / "part"
    disk.touch()
    part.touch()
    for module in (executor, arrivals):
        monkeypatch.setattr(module, "disk_of", lambda path: str(disk) if path == str(part) else "")
    done = run(action("wait", sh("true"), waits=(str(part),)), action("other", sh("true"))).done
    assert [one.action for one in done] == ["test.do:other", "settle", "test.do:wait"]


def test_disks_are_held_until_they_are_released(run: Callable[..., Executor], tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.touch()
    again = sh(f"flock --nonblock {disk} true && exit 1; flock --nonblock --shared {disk} true")
    found = run(action("table", again, holds=(str(disk),)), action("later", again, needs="table"))
    found.release()
    run(action("free", sh(f"flock --nonblock {disk} true")))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_ends_the_run_between_actions(
    run: Callable[..., Executor], tmp_path: Path, number: signal.Signals
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    timer = threading.Timer(0.3, os.kill, (os.getpid(), number))
    timer.start()
    with pytest.raises(Surprise, match="the run was interrupted before test.do:second"):
        run(action("first", sh(f"sleep 0.8; touch {first}")), action("second", sh(f"touch {second}"), needs="first"))
    timer.join()
    assert first.exists()
    assert not second.exists()


def test_a_tool_that_is_not_there_is_an_error_and_no_traceback(run: Callable[..., Executor]) -> None:
    with pytest.raises(CommandFailed, match="no-such-tool: not installed"):
        run(action("x", Command(("no-such-tool",))))


def test_files_are_written_whole_and_links_replaced(run: Callable[..., Executor], tmp_path: Path) -> None:
    run(
        action("file", WriteFile(f"{tmp_path}/new/state", "one\n", 0o600)),
        action("link", Link(f"{tmp_path}/links/a", "/dev/disk/by-id/x")),
    )
    assert (tmp_path / "new/state").read_text() == "one\n"
    assert (tmp_path / "new/state").stat().st_mode & 0o777 == 0o600
    assert os.readlink(tmp_path / "links/a") == "/dev/disk/by-id/x"
    assert not [one for one in (tmp_path / "new").iterdir() if one.name.startswith(".barestore")]


@pytest.mark.parametrize(
    "text, before, after, wanted",
    [
        ("a\nb\n", None, "c", "a\nb\nc\n"),
        ("a\nb\n", "a", "x", "x\nb\n"),
        ("a\nb\n", "b", None, "a\n"),
        ("a\nc\n", None, "c", "a\nc\n"),
        ("", None, "a", "a\n"),
        ("# no end of line", None, "a", "# no end of line\na\n"),
        ("a\nb\na\na", "a", "x", "x\nb\n"),
        ("# B\xfcro\r\na\r\n\n# page\x0c\n", "a", "x", "# B\xfcro\r\nx\n\n# page\x0c\n"),
        ("# B\xfcro", None, "a", "# B\xfcro\na\n"),
    ],
)
def test_a_line_is_edited_and_nothing_else(
    run: Callable[..., Executor], tmp_path: Path, text: str, before: str | None, after: str | None, wanted: str
) -> None:
    path = tmp_path / "fstab"
    path.write_bytes(text.encode("latin-1"))
    path.chmod(0o640)
    run(action("edit", EditLine(str(path), before, after)))
    assert path.read_bytes() == wanted.encode("latin-1")
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_line_that_changed_meanwhile_is_a_surprise(run: Callable[..., Executor], tmp_path: Path) -> None:
    path = tmp_path / "fstab"
    path.write_text("somebody else's\n")
    with pytest.raises(StorageError, match="lacks the line 'ours'"):
        run(action("edit", EditLine(str(path), "ours", "new")))
    assert path.read_text() == "somebody else's\n"


def test_a_file_that_is_a_link_stays_one(run: Callable[..., Executor], tmp_path: Path) -> None:
    (tmp_path / "real").write_text("a\n")
    os.symlink("real", tmp_path / "fstab")
    run(action("edit", EditLine(str(tmp_path / "fstab"), None, "b")))
    assert os.readlink(tmp_path / "fstab") == "real"
    assert (tmp_path / "real").read_text() == "a\nb\n"


def test_a_disk_that_fills_up_leaves_a_file_as_it_was(run: Callable[..., Executor], tmp_path: Path) -> None:
    path = tmp_path / "fstab"
    lines = "".join(f"UUID={number} /srv/{number} xfs defaults 0 0\n" for number in range(20_000))
    path.write_text(lines)
    with no_file_longer_than(len(lines) - 1), pytest.raises(StorageError, match="fstab cannot be written"):
        run(action("edit", EditLine(str(path), None, "new")))
    assert path.read_text() == lines
    assert not [one for one in tmp_path.iterdir() if one.name.startswith(".barestore")]


def test_many_edits_of_one_file_side_by_side_lose_nothing(run: Callable[..., Executor], tmp_path: Path) -> None:
    path = tmp_path / "fstab"
    path.write_text("")
    run(*[action(f"line{number:02d}", EditLine(str(path), None, f"line{number}")) for number in range(32)])
    assert sorted(path.read_text().splitlines()) == sorted(f"line{number}" for number in range(32))


def test_an_interrupt_of_a_wide_plan_leaves_most_of_it_undone(run: Callable[..., Executor], tmp_path: Path) -> None:
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(Surprise, match="the run was interrupted before"):
        run(*[action(f"wide{number:02d}", sh("sleep 0.2")) for number in range(60)])
    timer.join()
    assert len([one for one in records(tmp_path) if one["event"] == "done"]) < 40


def test_disks_are_flushed_while_data_is_copied(
    run: Callable[..., Executor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pvmove tells the group of a copy that nobody had the disk keep."""
    flushed: list[float] = []
    monkeypatch.setattr(executor, "_FLUSH_SECONDS", 0.05)
    monkeypatch.setattr(executor, "_flush", lambda disks: flushed.extend(time.monotonic() for _ in disks))
    run(action("plain", sh("sleep 0.4"), disks=("wwn-1",)))
    assert len(flushed) == 2  # before and after
    start = time.monotonic()
    run(action("copy", sh("sleep 0.4"), sh("true"), disks=("wwn-2",), copies=True))
    assert len([one for one in flushed if one > start]) > 5


def test_a_disk_keeps_what_was_written_before_the_action_is_done(
    run: Callable[..., Executor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LVM flushes nothing: what it wrote is lost with the power unless somebody asks the disk."""
    (tmp_path / "wwn-1").touch()
    monkeypatch.setattr(executor, "_BY_ID", str(tmp_path))
    flush, seen = os.fsync, list[bool]()

    def fsync(handle: int) -> None:
        if os.readlink(f"/proc/self/fd/{handle}") == str(tmp_path / "wwn-1"):
            seen.append((tmp_path / "made").exists())
            assert [one["event"] for one in records(tmp_path)][-1] == "start"
        flush(handle)

    monkeypatch.setattr(executor.os, "fsync", fsync)
    run(
        action("one", sh(f"touch {tmp_path}/made"), disks=("wwn-1", "wwn-that-is-gone")),
        action("two", sh("true"), needs="one", disks=("wwn-1",)),
    )
    assert seen == [False, True, True]


def test_a_disk_that_cannot_keep_what_was_written_stops_the_run(
    run: Callable[..., Executor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wwn-1").touch()
    monkeypatch.setattr(executor, "_BY_ID", str(tmp_path))
    flush = os.fsync

    def fsync(handle: int) -> None:
        if os.readlink(f"/proc/self/fd/{handle}") == str(tmp_path / "wwn-1"):
            raise OSError(5, "Input/output error")
        flush(handle)

    monkeypatch.setattr(executor.os, "fsync", fsync)
    with pytest.raises(Surprise, match="wwn-1 did not keep what was written: Input/output error"):
        run(action("one", sh("true"), disks=("wwn-1",)))
