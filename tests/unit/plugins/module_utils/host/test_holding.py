# SPDX-License-Identifier: GPL-3.0-or-later
"""The hold on disks, with files in their place: flock is the same on both."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host import holding
from ansible_collections.barestore.storage.plugins.module_utils.host.holding import Hold, disk_of
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import Surprise
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner


@pytest.fixture
def disk(tmp_path: Path) -> str:
    path = tmp_path / "disk"
    path.touch()
    return str(path)


@pytest.fixture
def hold() -> Iterator[Hold]:
    found = Hold()
    yield found
    found.release()


def is_free(path: str, operation: int) -> bool:
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


def test_udev_may_look_and_may_not_read_the_table_again(disk: str, hold: Hold) -> None:
    hold.take([disk])
    assert is_free(disk, fcntl.LOCK_SH)
    assert not is_free(disk, fcntl.LOCK_EX)
    hold.release()
    assert is_free(disk, fcntl.LOCK_EX)


def test_a_disk_with_two_names_is_held_once(disk: str, hold: Hold, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(disk)
    before = len(os.listdir("/proc/self/fd"))
    hold.take([disk, str(tmp_path / "link")])
    hold.take([disk])
    assert len(os.listdir("/proc/self/fd")) == before + 1


def test_no_command_inherits_it(disk: str, hold: Hold) -> None:
    hold.take([disk])
    assert disk not in Runner().run(("sh", "-c", "ls -l /proc/self/fd")).stdout


def test_a_lock_of_others_is_waited_for(disk: str, hold: Hold) -> None:
    handle = os.open(disk, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    timer = threading.Timer(0.3, os.close, (handle,))
    timer.start()
    hold.take([disk])
    timer.join()
    assert not is_free(disk, fcntl.LOCK_EX)


def test_a_lock_that_stays_is_a_sentence(disk: str, hold: Hold, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "_PATIENCE_SECONDS", 0.1)
    handle = os.open(disk, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(Surprise, match=f"another program keeps {disk} locked, so nothing was written to it"):
        hold.take([disk])
    os.close(handle)


def test_a_disk_that_is_gone_is_a_sentence(hold: Hold, tmp_path: Path) -> None:
    with pytest.raises(Surprise, match="gone cannot be opened: No such file or directory"):
        hold.take([f"{tmp_path}/gone"])


def test_what_is_no_partition_lies_on_no_disk(disk: str, tmp_path: Path) -> None:
    assert disk_of(disk) == disk_of(f"{tmp_path}/gone") == disk_of("/dev/null") == ""


def test_a_partition_lies_on_its_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As sysfs has it: a link in the class to a folder below that of the disk."""
    part = tmp_path / "devices/host0/block/sdq/sdq2"
    part.mkdir(parents=True)
    (part / "partition").write_text("2\n")
    (tmp_path / "class").mkdir()
    (tmp_path / "class/sdq2").symlink_to(part)
    (tmp_path / "class/sdq").symlink_to(part.parent)
    (tmp_path / "wwn-0x5000-part2").symlink_to("/dev/sdq2")
    monkeypatch.setattr(holding, "_CLASS_BLOCK", str(tmp_path / "class"))
    assert disk_of(str(tmp_path / "wwn-0x5000-part2")) == "/dev/sdq"
    assert disk_of("/dev/sdq") == ""
