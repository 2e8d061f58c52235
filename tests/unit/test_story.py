# SPDX-License-Identifier: GPL-3.0-or-later
"""The story of a pull request, and a run that is killed: git and the command are real, the hosts are models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from simulated_block import Content
from simulated_host import SimulatedHost
from typer.testing import CliRunner

from barestore.cli import app
from tests.lab.story import FIRST, INVENTORY, SECOND, Ended, Story, lacking, steps_lacking
from tests.unit.played import Played, hdd, lab1, played

pytestmark = pytest.mark.skipif(bool(steps_lacking()), reason=steps_lacking())


def barestore(*words: str) -> Ended:
    result = CliRunner().invoke(app, words)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Ended(result.exit_code, result.output)


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Played]:
    with played(monkeypatch, {"lab1": lab1()}) as found:
        yield found


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hosts: Played) -> Story:
    """The host is as main says."""
    monkeypatch.chdir(tmp_path)
    story = Story(tmp_path, barestore)
    story.first_day()
    return story


def proposed(story: Story, hosts: Played) -> str:
    """Somebody puts HDD0007 in, and asks for it and for more room in a pull request."""
    hosts.models["lab1"].plug([hdd(7)])
    story.propose("more-room", FIRST)
    story.record()
    return story.comment()


def test_a_pull_request_is_planned_merged_and_applied(story: Story, hosts: Played) -> None:
    comment = proposed(story, hosts)
    assert "HDD0007" in comment and "1280 MiB" in comment and "0 destroyed" in comment
    ran = len(hosts.ran["lab1"])
    story.merge("more-room")
    done = story.apply()
    assert done.code == 0, done.text
    assert {one.partition(":")[0] for one in hosts.ran["lab1"][ran:]} >= {"logical_volume.grow", "filesystem.grow"}
    story.nothing_left()
    again = story.apply()
    assert again.code == 0, again.text


@pytest.mark.skipif(bool(lacking("report", "--out")), reason=lacking("report", "--out"))
def test_the_report_shows_it(story: Story, hosts: Played) -> None:
    proposed(story, hosts)
    story.merge("more-room")
    assert story.apply().code == 0
    page = story.report()
    assert "HDD0007" in page and "fast" in page


def carried(host: SimulatedHost) -> object:
    """What is on all devices, in files and behind links."""
    nodes = [(node.kname, node.size, node.content and (node.content.type, node.content.uuid)) for node in host.nodes]
    return nodes, dict(host.files), dict(host.links)


def other_contents(host: SimulatedHost) -> None:
    """Somebody makes a file system on the new disk."""
    node = next(node for node in host.nodes if node.disk and node.disk.serial == "HDD0008")
    node.content = Content("ext4", "00000000-0000-4000-8000-000000000008", version="1.0")


def another_disk(host: SimulatedHost) -> None:
    """The new disk is swapped for one that looks like it."""
    host.nodes.remove(next(node for node in host.nodes if node.disk and node.disk.serial == "HDD0008"))
    host.plug([hdd(9)])


@pytest.mark.parametrize("change", [other_contents, another_disk])
def test_a_swapped_disk_is_refused(story: Story, hosts: Played, change: object) -> None:
    proposed(story, hosts)
    story.merge("more-room")
    assert story.apply().code == 0
    host = hosts.models["lab1"]
    host.plug([hdd(8)])
    story.propose("still-more", SECOND)
    story.record()
    assert "HDD0008" in story.comment()
    story.merge("still-more")
    assert callable(change)
    change(host)
    before, ran = carried(host), list(hosts.ran["lab1"])
    done = story.apply()
    assert done.code == 3, done.text
    assert "lab1" in done.text
    assert hosts.ran["lab1"] == ran
    assert carried(host) == before


def test_what_was_not_planned_is_not_applied(story: Story, hosts: Played) -> None:
    """Main moved: the inventory after the merge is not the one that was planned."""
    proposed(story, hosts)
    story.git("switch", "--quiet", "main")
    story.propose("other", [(f"{INVENTORY}/group_vars/rack1.yml", "rack: rack1", "rack: rack2")])
    story.merge("other")
    story.merge("more-room")
    assert story.tree() not in story.plans


@pytest.mark.parametrize("done", [0, 1, 7, 19])
def test_a_killed_run_goes_on_with_the_same_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hosts: Played, done: int
) -> None:
    monkeypatch.chdir(tmp_path)
    story = Story(tmp_path, barestore)
    story.begin()
    story.record()
    story.comment(against="")
    hosts.stop_before = done
    assert story.apply().code == 1
    assert len(hosts.ran["lab1"]) == done
    hosts.stop_before = -1
    again = story.apply()
    assert again.code == 0, again.text
    story.nothing_left()
    assert len(hosts.ran["lab1"]) == len(set(hosts.ran["lab1"])), "nothing is done twice"
