# SPDX-License-Identifier: GPL-3.0-or-later
"""The tutorial on a virtual host with a real git repository. The tests of this file follow one another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from barestore.lab.machine import parse_disk
from barestore.lab.throwaway import throwaway
from barestore.lab.vm import VirtualMachine
from tests.lab.look import fingerprint, still
from tests.lab.scenarios import scenario
from tests.lab.story import FIRST, SECOND, Story, lacking, steps_lacking, subprocess_command

pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(steps_lacking()), reason=steps_lacking())]


@pytest.fixture(scope="module")
def vm() -> Iterator[VirtualMachine]:
    with throwaway(scenario("default").machine, name="lab1", say=print) as host:
        yield host


@pytest.fixture(scope="module")
def story(vm: VirtualMachine, tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder: Path = tmp_path_factory.mktemp("site")
    # connection.yml of the inventory finds ssh_config there.
    return Story(folder, subprocess_command(folder, BARESTORE_LAB=str(vm.ssh_config.parent)))


def put_in(vm: VirtualMachine, serial: str, slot: int) -> None:
    raw = {"serial": serial, "type": "hdd", "size": "8 GiB", "rotation_rate": 7200}
    vm.add_disk(parse_disk(raw, slot=slot))


def test_empty_disks_become_what_the_inventory_says(story: Story, vm: VirtualMachine) -> None:
    story.first_day()
    assert vm.ssh("findmnt -no FSTYPE /var/lib/containerd").stdout == "xfs\n"


def test_a_pull_request_is_planned_merged_and_applied(story: Story, vm: VirtualMachine) -> None:
    put_in(vm, "HDD0007", 6)
    story.propose("more-room", FIRST)
    story.record()
    comment = story.comment()
    assert "HDD0007" in comment and "1280 MiB" in comment and "0 destroyed" in comment
    story.merge("more-room")
    done = story.apply()
    assert done.code == 0, done.text
    story.nothing_left()
    size = int(vm.ssh("lvs --noheadings --units m --nosuffix -o lv_size fast/containerd").stdout.split(".")[0])
    assert size == 1280
    assert "HDD0007" in vm.ssh("ls /var/lib/barestore/local-volumes/osd; cat /var/lib/barestore/state.json").stdout


@pytest.mark.skipif(bool(lacking("report", "--out")), reason=lacking("report", "--out"))
def test_the_report_shows_it(story: Story) -> None:
    page = story.report()
    assert "HDD0007" in page and "fast" in page


def test_a_disk_that_was_filled_since_the_plan_is_refused(story: Story, vm: VirtualMachine) -> None:
    put_in(vm, "HDD0008", 7)
    story.propose("still-more", SECOND)
    story.record()
    assert "HDD0008" in story.comment()
    story.merge("still-more")
    link = next(disk.link for disk in vm.machine.disks if disk.serial == "HDD0008")
    vm.ssh(f"mkfs.ext4 -q /dev/disk/by-id/{link}; udevadm settle")
    refused(story, vm, "HDD0008")


def test_a_disk_that_was_swapped_since_the_plan_is_refused(story: Story, vm: VirtualMachine) -> None:
    vm.remove_disk("HDD0008")
    put_in(vm, "HDD0009", 7)
    refused(story, vm, "lab1")


def refused(story: Story, vm: VirtualMachine, word: str) -> None:
    """The plan of main is not applied: a sentence, and no byte of any disk is another one."""
    with still(vm):
        before = fingerprint(vm)
        done = story.apply()
        assert done.code == 3, done.text
        assert word in done.text and "Traceback" not in done.text
        assert fingerprint(vm) == before
