# SPDX-License-Identifier: GPL-3.0-or-later
"""``apply`` on two hosts, killed in the middle: the same plan finishes it, and nothing is done twice."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from barestore.lab import qemu, ssh
from barestore.lab.files import socket_dir
from barestore.lab.throwaway import throwaway
from barestore.lab.vm import VirtualMachine
from tests.lab.look import family
from tests.lab.story import INVENTORY, ROOT, Story, steps_lacking, subprocess_command

pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(steps_lacking()), reason=steps_lacking())]

HOSTS = ("lab1", "lab2")
SERIALS = ("HDD0001", "HDD0002")
MACHINE = {"memory": "768 MiB", "disks": [{"serial": name, "type": "hdd", "size": "512 MiB"} for name in SERIALS]}
DOCUMENT = """
host_storage:
  disks:
    one: {match: {serial: HDD0001}, count: 1}
    two: {match: {serial: HDD0002}, count: 1}
  filesystems:
    one: {device: one, type: xfs, mount: /srv/one}
    two: {device: two, type: xfs, mount: /srv/two}
"""
_MAKING = 'cd /var/lib/barestore && grep -qs \'filesystem.create.*"event": "start"\' journal/*.jsonl'
# The module dies at once; what it started ends by itself.
_KILL = "kill -KILL $(cat /var/lib/barestore/lock); while pgrep -x mkfs.xfs >/dev/null; do sleep 0.2; done; sync"
_EVENTS = "cat /var/lib/barestore/journal/*.jsonl 2>/dev/null | tr -d '\\000'"


@pytest.fixture(scope="module")
def fleet() -> Iterator[dict[str, VirtualMachine]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(throwaway(MACHINE, name=name, say=print)) for name in HOSTS}


@pytest.fixture(scope="module")
def story(fleet: dict[str, VirtualMachine], tmp_path_factory: pytest.TempPathFactory) -> Story:
    """A site of two racks with a host each, recorded and planned."""
    folder: Path = tmp_path_factory.mktemp("site")
    (folder / "build").mkdir()
    (folder / "build/ssh_config").write_text(ssh.ssh_config([vm.endpoint for vm in fleet.values()], socket_dir()))
    inventory = folder / INVENTORY
    (inventory / "group_vars/all").mkdir(parents=True)
    shutil.copy(ROOT / INVENTORY / "group_vars/all/connection.yml", inventory / "group_vars/all")
    (inventory / "group_vars/all/storage.yml").write_text(DOCUMENT)
    racks = {name: {"rack": f"rack{number}"} for number, name in enumerate(HOSTS, 1)}
    (inventory / "hosts.yml").write_text(json.dumps({"all": {"hosts": racks}}))
    story = Story(folder, subprocess_command(folder, BARESTORE_LAB=str(folder / "build")))
    story.start()
    story.record()
    story.comment(against="")
    return story


def throttle(vm: VirtualMachine, writes: int) -> None:
    """Let disks write so often in a second; 0 is no limit."""
    for serial in SERIALS:
        limits = dict.fromkeys(("bps", "bps_rd", "bps_wr", "iops", "iops_rd"), 0)
        vm.qmp.command("block_set_io_throttle", id=qemu.device_name(serial), **limits, iops_wr=writes)


def noted(vm: VirtualMachine, event: str) -> Counter[str]:
    """How often an event of each action is in the journals, over all runs."""
    events: list[dict[str, Any]] = [json.loads(line) for line in vm.ssh(_EVENTS).stdout.splitlines()]
    return Counter(str(one["action"]) for one in events if one["event"] == event)


def begun(vm: VirtualMachine) -> Counter[str]:
    return noted(vm, "start")


def test_a_killed_apply_is_finished_by_the_same_plan(story: Story, fleet: dict[str, VirtualMachine]) -> None:
    plan = story.plans[story.tree()]
    argv = [str(Path(sys.executable).with_name("barestore")), "apply", "-i", INVENTORY, "--plan", str(plan)]
    environment = {**os.environ, "BARESTORE_LAB": str(story.folder / "build")}
    first, second = (fleet[name] for name in HOSTS)
    throttle(first, 10)  # so that the end comes while file systems are made
    with subprocess.Popen([*argv, "--batch", "1"], cwd=story.folder, env=environment) as apply:
        while apply.poll() is None and first.ssh(_MAKING, check=False).returncode:
            pass
        assert apply.poll() is None, "it ended before it could be killed"
        for pid in family(apply.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    throttle(first, 0)
    first.ssh(_KILL)
    assert begun(first) and not begun(second), "one rack after the other"
    cut = begun(first) - noted(first, "done")

    again = story.apply()
    assert again.code == 0, again.text
    story.nothing_left()
    for name, vm in fleet.items():
        actions = [action["id"] for action in json.loads(plan.read_text())["hosts"][name]["actions"]]
        # Only what was not done when the end came was begun once more.
        assert set(begun(vm)) == set(actions) and noted(vm, "done") <= Counter(actions)
        assert begun(vm) - Counter(actions) <= (cut if vm is first else Counter())
        assert [vm.ssh(f"findmnt -no FSTYPE {path}").stdout for path in ("/srv/one", "/srv/two")] == ["xfs\n"] * 2


def test_a_plan_that_is_done_does_nothing(story: Story, fleet: dict[str, VirtualMachine]) -> None:
    before = {name: begun(vm) for name, vm in fleet.items()}
    again = story.apply()
    assert again.code == 0, again.text
    assert {name: begun(vm) for name, vm in fleet.items()} == before
