# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel settings: computed from the planned load, each with its reason, read and written below /proc/sys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.node import kernel
from ansible_collections.barestore.storage.plugins.module_utils.node.tuning import (
    Setting,
    file_text,
    planned_osds,
    settings,
)
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import ObserveError

OSD = {"storage_class": "local-storage", "mode": "block"}

DOCUMENTS: list[tuple[dict[str, Any], int]] = [
    ({}, 0),
    ({"disks": {"osd": {"count": 4}}}, 0),
    ({"disks": {"osd": {"count": 4}}, "local_volumes": {"osd": OSD}}, 4),
    ({"disks": {"osd": {"take": 2}}, "local_volumes": {"osd": OSD}}, 2),
    ({"disks": {"osd": {"count": "all"}}, "local_volumes": {"osd": OSD}}, 60),
    ({"disks": {"log": {"count": 2}}, "local_volumes": {"db": {**OSD, "source": "log.db"}}}, 2),
]


@pytest.mark.parametrize(("document", "osds"), DOCUMENTS)
def test_the_document_says_how_many_osds_are_planned(document: dict[str, Any], osds: int) -> None:
    assert planned_osds(document) == osds


def test_the_load_decides_and_says_so() -> None:
    small = {one.key: one for one in settings(0, 110, {}, ())}
    large = {one.key: one for one in settings(36, 250, {}, ())}
    assert "fs.aio-max-nr" not in small
    assert large["fs.aio-max-nr"].value == str(36 * 65536)
    assert "36 OSDs" in large["fs.aio-max-nr"].reason
    assert int(large["fs.inotify.max_user_watches"].value) > int(small["fs.inotify.max_user_watches"].value)
    assert all(one.reason for one in large.values())


def test_the_site_wins_and_what_it_leaves_is_left() -> None:
    found = {one.key: one for one in settings(1, 110, {"vm.swappiness": 1, "kernel.panic": 10}, ["kernel.pid_max"])}
    assert found["vm.swappiness"] == Setting("vm.swappiness", "1", "set by the site")
    assert found["kernel.panic"].value == "10"
    assert "kernel.pid_max" not in found


def test_what_differs_is_written_and_nothing_else(tmp_path: Path) -> None:
    proc, file = tmp_path / "proc", tmp_path / "90-barestore.conf"
    for key, value in (("vm/swappiness", "60\n"), ("net/ipv4/tcp_rmem", "4096\t131072\t6291456\n")):
        (proc / key).parent.mkdir(parents=True, exist_ok=True)
        (proc / key).write_text(value)
    wanted = [Setting("vm.swappiness", "10", "why"), Setting("net.ipv4.tcp_rmem", "4096 131072 6291456", "why")]
    found = kernel.differences(wanted, str(proc))
    assert found == {"vm.swappiness": ("60", "10")}
    assert kernel.file_differs(wanted, str(file))
    kernel.apply(wanted, found, str(file), str(proc))
    assert (proc / "vm/swappiness").read_text() == "10"
    assert file.read_text() == file_text(wanted)
    assert kernel.differences(wanted, str(proc)) == {}
    assert not kernel.file_differs(wanted, str(file))


def test_a_key_that_the_kernel_lacks_is_said_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ObserveError, match=r"no setting net\.bridge\.x, vm\.y") as raised:
        kernel.differences([Setting("vm.y", "1", ""), Setting("net.bridge.x", "1", "")], str(tmp_path))
    assert "host_tuning_modules" in raised.value.hint
