# SPDX-License-Identifier: GPL-3.0-or-later
"""udev is asked to look again at what it missed, and at nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host import noticing
from ansible_collections.barestore.storage.plugins.module_utils.host.noticing import Noticing, known, show_lost

# A device number that every machine has: /dev/null stands for a partition.
_NULL = os.stat("/dev/null").st_rdev


@pytest.fixture
def udev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of udev's records and of sysfs, for one device."""
    for name in ("records", "class/null"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setattr(noticing, "_RECORDS", str(tmp_path / "records"))
    monkeypatch.setattr(noticing, "_CLASS_BLOCK", str(tmp_path / "class"))
    monkeypatch.setattr(noticing, "UDEV_IS_BUSY", str(tmp_path / "queue"))
    (tmp_path / "class/null/uevent").write_text("")
    return tmp_path


def record(udev: Path, *lines: str) -> None:
    text = "".join(f"{line}\n" for line in ("S:disk/by-id/one", *lines))
    (udev / f"records/b{os.major(_NULL)}:{os.minor(_NULL)}").write_text(text)


def asked(udev: Path) -> str:
    return (udev / "class/null/uevent").read_text()


def test_what_udev_missed_is_shown_to_it_once(udev: Path) -> None:
    noticed = Noticing()
    record(udev)
    noticed.wrote(known(["/dev/null"]))
    record(udev, "E:DM_NAME=other")
    assert noticed.ask()
    assert asked(udev) == "change"
    assert not noticed.ask()


def test_what_udev_noticed_is_left_alone(udev: Path) -> None:
    noticed = Noticing()
    record(udev)
    noticed.wrote(known(["/dev/null"]))
    record(udev, "E:ID_FS_TYPE=xfs")
    assert not noticed.ask()
    assert asked(udev) == ""


def test_what_was_wiped_first_is_shown_where_udev_saw_nothing_else(udev: Path) -> None:
    """A half-made file system has the type and the UUID of the one that is made in its place."""
    noticed = Noticing()
    record(udev, "E:ID_FS_TYPE=xfs")
    noticed.wrote(known(["/dev/null"]))
    record(udev)
    assert noticed.ask()
    assert asked(udev) == "change"


def test_while_udev_works_nothing_is_asked(udev: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(noticing.time, "monotonic", lambda: now[0])
    noticed = Noticing()
    noticed.wrote(known(["/dev/null"]))
    (udev / "queue").touch()
    for seconds in (0, 5, 5):
        now[0] += seconds
        noticed.while_waiting()
    (udev / "queue").unlink()
    now[0] += 0.4
    noticed.while_waiting()
    assert asked(udev) == ""
    now[0] += 0.2
    noticed.while_waiting()
    assert asked(udev) == "change"


def test_a_device_that_is_gone_has_nothing_to_show(udev: Path) -> None:
    noticed = Noticing()
    noticed.wrote(known(["/dev/gone"]))
    assert noticed.ask()
    assert asked(udev) == ""


@pytest.mark.parametrize(
    ("partition", "line", "lost"),
    [
        ("partition", "E:ID_PART_ENTRY_UUID=0fc6", False),
        ("partition", "E:ID_FS_TYPE=xfs", True),
        ("null1/partition", "E:ID_PART_TABLE_TYPE=gpt", False),
        ("null1/partition", "E:ID_MODEL=disk", True),
        ("size", "E:ID_MODEL=disk", False),
    ],
    ids=["partition", "partition without its name", "disk", "disk without its table", "disk without partitions"],
)
def test_what_udev_lost_while_a_disk_gave_errors_is_shown_to_it(
    udev: Path, partition: str, line: str, lost: bool
) -> None:
    """The kernel has the partitions still, and udev would look again only at the next event."""
    file = udev / "class/null" / partition
    file.parent.mkdir(exist_ok=True)
    file.write_text("1\n")
    (udev / "class/null/dev").write_text(f"{os.major(_NULL)}:{os.minor(_NULL)}\n")
    record(udev, line)
    assert show_lost() is lost
    assert asked(udev) == ("change" if lost else "")
