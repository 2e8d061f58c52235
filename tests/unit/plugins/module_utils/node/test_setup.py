# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs on a host, and what is run to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.node import setup
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import CommandFailed, ObserveError
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Result, Runner

STATUS = """\
Package: containerd
Status: install ok installed
Version: 2.2.0-1bed
Description: runs containers
 Package: not a field

Package: runc
Status: deinstall ok config-files
Version: 1.1.5

Package: kubelet
Status: hold ok installed
Version: 1.34.4-1.1
"""


class Systemd(Runner):
    """systemctl that remembers what it was told."""

    def __init__(self, shown: str = "", rc: int = 0) -> None:
        super().__init__()
        self.shown, self.rc, self.told = shown, rc, list[Sequence[str]]()

    def run(self, argv: Sequence[str], stdin: str = "") -> Result:
        if argv[1] == "show":
            return Result(tuple(argv), 0, self.shown, "", 0.0)
        self.told.append(argv[1:])
        return Result(tuple(argv), self.rc, "", "no such unit", 0.0)


def test_packages_that_are_removed_held_or_of_another_version() -> None:
    wanted = ("containerd", "runc", "kubelet=1.34.4*", "kubelet=1.35.*", "absent")
    assert setup.missing(wanted, STATUS) == ("runc", "kubelet=1.35.*", "absent")


def test_services_that_do_not_run_or_do_not_start_with_the_machine() -> None:
    shown = (
        "Id=containerd.service\nActiveState=active\nUnitFileState=enabled\n\n"
        "Id=kubelet.service\nActiveState=activating\nUnitFileState=enabled\n\n"
        "Id=snapshot.timer\nActiveState=active\nUnitFileState=disabled\n\n"
        "Id=chrony.service\nActiveState=failed\nUnitFileState=enabled\n"
    )
    assert setup.stopped(("containerd", "kubelet", "snapshot.timer", "chrony"), shown) == ("snapshot.timer", "chrony")


def test_a_host_that_is_as_wanted_starts_one_process_and_differs_in_nothing(tmp_path: Path) -> None:
    made = tmp_path / "conf"
    made.write_text("text\n")
    made.chmod(0o640)
    status = tmp_path / "status"
    status.write_text(STATUS)
    runner = Systemd("Id=containerd.service\nActiveState=active\nUnitFileState=enabled\n")
    wanted = setup.File(str(made), "text\n", 0o640, "containerd")
    found = setup.differences(["containerd"], [wanted], ["containerd"], runner, str(status))
    assert not found
    assert not setup.differences([], [wanted], [], runner)
    setup.apply(found, runner)
    assert runner.told == []


@pytest.mark.parametrize("wanted", [("text\n", 0o644), ("other\n", 0o640)])
def test_a_file_of_another_text_or_mode_is_written_and_its_service_started_anew(
    tmp_path: Path, wanted: tuple[str, int]
) -> None:
    made = tmp_path / "conf"
    made.write_text("text\n")
    made.chmod(0o640)
    new = tmp_path / "below" / "new"
    runner = Systemd("Id=chrony.service\nActiveState=inactive\nUnitFileState=enabled\n")
    files = [setup.File(str(made), *wanted, "kubelet"), setup.File(str(new), "fresh", 0o755, "chrony")]
    found = setup.differences([], files, ["chrony"], runner)
    assert {one.path: before for one, before in found.files.items()} == {str(made): "text\n", str(new): ""}
    setup.apply(found, runner)
    assert (made.read_text(), made.stat().st_mode & 0o7777) == wanted
    assert (new.read_text(), new.stat().st_mode & 0o7777) == ("fresh", 0o755)
    # chrony is started, so it is not started anew as well.
    assert runner.told == [
        ("daemon-reload",),
        ("enable", "--now", "chrony.service"),
        ("try-restart", "kubelet.service"),
    ]
    assert not setup.differences([], files, [], runner)


def test_a_refusal_of_systemd_is_told(tmp_path: Path) -> None:
    found = setup.differences([], [], ["chrony"], Systemd())
    with pytest.raises(CommandFailed, match="no such unit"):
        setup.apply(found, Systemd(rc=1))


def test_a_host_without_dpkg_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ObserveError, match="Debian and Ubuntu"):
        setup.differences(["runc"], [], [], Runner(), str(tmp_path / "absent"))
