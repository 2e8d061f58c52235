# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run does before it plans, where one before it did not end well."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host import run, work
from ansible_collections.barestore.storage.plugins.module_utils.host.run import Job
from ansible_collections.barestore.storage.plugins.module_utils.host.state import Site
from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Action, Command, Plan
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Result, Runner


class Told(Runner):
    """Keeps what it was asked to run."""

    def __init__(self) -> None:
        super().__init__()
        self.argvs: list[tuple[str, ...]] = []

    def run(self, argv: Sequence[str], stdin: str = "") -> Result:
        self.argvs.append(tuple(argv))
        return Result(tuple(argv), 0, "", "", 0.0)


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    monkeypatch.setattr(work, "planned", lambda _job, _runner: work.Report(Plan(())))
    monkeypatch.setattr(work, "_SYSTEMD", str(tmp_path))
    monkeypatch.setattr(work, "_UNITS", str(tmp_path / "units"))
    monkeypatch.setattr(work, "_MADE_FROM", (str(tmp_path / "fstab"), str(tmp_path / "crypttab")))
    return Told()


def changed(told: Told, folder: Path) -> list[tuple[str, ...]]:
    work.changed(Job({}, Site("s", "h"), check=False, folder=str(folder)), told)
    return told.argvs


def test_systemd_reads_what_an_unfinished_run_left_in_fstab(told: Told, tmp_path: Path) -> None:
    """It would otherwise never: the next plan has no edit, and so no reload."""
    (tmp_path / "unfinished").write_text("wwn-0x5000\n")
    assert changed(told, tmp_path) == [("systemctl", "daemon-reload")]
    assert not (tmp_path / "unfinished").exists()


def test_after_a_run_that_ended_well_nothing_is_told(told: Told, tmp_path: Path) -> None:
    assert changed(told, tmp_path) == []


@pytest.mark.parametrize("edited", [99, 100, 101])
def test_what_systemd_has_read_it_is_not_told_again(told: Told, tmp_path: Path, edited: int) -> None:
    """Its units are of second 100; an edit in the same moment may have come too late."""
    (tmp_path / "unfinished").write_text("wwn-0x5000\n")
    for name, seconds in (("units", 100), ("fstab", edited)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (seconds, seconds))
    assert bool(changed(told, tmp_path)) is (edited >= 100)


@pytest.mark.parametrize(("argv", "forgotten"), [(("vgextend", "vg", "/dev/b"), True), (("mount", "/srv/a"), False)])
def test_lvm_forgets_what_it_saw_before_it_is_told_anything(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...], forgotten: bool
) -> None:
    """Its hints may be from a moment when a disk gave errors; without the file it looks at all disks again."""
    hints = tmp_path / "hints"
    hints.touch()
    monkeypatch.setattr(work, "_HINTS", str(hints))
    plan = Plan((Action("kind", "verb", "target", steps=(Command(argv),)),))
    monkeypatch.setattr(work, "planned", lambda _job, _runner: work.Report(plan))
    monkeypatch.setattr(work, "_carried_out", lambda *_all: plan)
    assert changed(told, tmp_path) == []
    assert hints.exists() is not forgotten


@pytest.mark.parametrize("unfinished", [True, False])
def test_udev_looks_again_only_after_a_run_that_did_not_end_well(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unfinished: bool
) -> None:
    monkeypatch.setattr(run, "UDEV_IS_BUSY", str(tmp_path / "queue"))
    monkeypatch.setattr(run, "first_look", lambda _document: ())
    monkeypatch.setattr(run, "show_lost", lambda: True)
    monkeypatch.setattr(work, "_is_read", lambda: True)
    if unfinished:
        (tmp_path / "unfinished").write_text("wwn-0x5000\n")
    run.storage(Job({}, Site("s", "h"), check=False, folder=str(tmp_path)), told)
    assert told.argvs == ([run.SETTLE] if unfinished else [])


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("busy", [True, False])
def test_udev_ends_its_work_before_anybody_looks(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: bool, busy: bool
) -> None:
    """It has not told the names yet of partitions that a killed run left behind."""
    queue = tmp_path / "queue"
    monkeypatch.setattr(run, "UDEV_IS_BUSY", str(queue))
    monkeypatch.setattr(run, "first_look", lambda _document: ())
    if busy:
        queue.touch()
    run.storage(Job({}, Site("s", "h"), check=check, folder=str(tmp_path / "state")), told)
    assert told.argvs == ([run.SETTLE] if busy else [])
