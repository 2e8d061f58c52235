# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions in words, whatever their kind."""

from __future__ import annotations

from typing import Any

import pytest

from barestore.commands.plan import show
from barestore.hostplan import Exit, HostPlan, exit_code
from barestore.options import Options
from barestore.render import counted
from barestore.watch import Seen, read
from barestore.words import Disks, command, line, value

DISKS = Disks(
    [
        {"id": "wwn-0x50", "serial": "HDD1", "slot": "pci-0000:00:0c.0-scsi-0:0:0:0"},
        {"id": "wwn-0x501", "serial": "HDD2", "slot": ""},
    ]
)


def action(**fields: Any) -> dict[str, Any]:
    return {"id": "x", "kind": "thing", "verb": "create", "target": "t", "before": None, "after": None, **fields}


@pytest.mark.parametrize(
    ("verb", "sign"), [("create", "+"), ("add", "+"), ("import", "+"), ("grow", "↑"), ("set", "~"), ("whatever", "~")]
)
def test_signs(verb: str, sign: str) -> None:
    assert line(action(verb=verb), DISKS).sign == sign


def test_what_destroys_says_so_with_the_serial() -> None:
    said = line(action(destroys=[{"disk": "wwn-0x50", "contents": "sha256:1", "what": "ext4 'old'"}]), DISKS)
    assert (said.sign, said.lost) == ("!", ("ext4 'old' on disk HDD1",))
    assert counted([said]) == "1 destroyed"


def test_links_become_serials_longest_first() -> None:
    said = line(action(target="osd/wwn-0x501", after={"data": ["mirror wwn-0x50 wwn-0x501-part1"]}), DISKS)
    assert (said.target, said.detail) == ("osd/HDD2", "data mirror HDD1 HDD2-part1")


def test_where_names_the_slot_of_one_disk_and_the_serials_of_several() -> None:
    assert DISKS.where(["wwn-0x50"]) == "HDD1 in 00:0c.0-scsi-0:0:0:0"
    assert DISKS.where(["wwn-0x501", "wwn-0x50"]) == "HDD1, HDD2"
    assert DISKS.where(["gone"]) == "gone"


def test_an_unknown_kind_shows_what_changes() -> None:
    said = line(action(kind="new_thing", verb="set", before={"a": "1", "b": 2}, after={"a": "2", "b": 2}), DISKS)
    assert (said.what, said.detail) == ("set new thing", "a 1 → 2")


@pytest.mark.parametrize(
    ("key", "found", "said"),
    [
        ("size", 1 << 30, "1 GiB"),
        ("recordsize", "16384", "16 KiB"),
        ("quota", "0", "0"),
        ("x", True, "yes"),
        ("x", None, "nothing"),
        ("x", {"a": 1}, "a=1"),
        ("x", ["a", "b"], "a b"),
    ],
)
def test_values(key: str, found: Any, said: str) -> None:
    assert value(key, found) == said


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"argv": ["mkfs.xfs", "-L", "a b", "/dev/x"]}, "mkfs.xfs -L 'a b' /dev/x"),
        ({"edit": "/etc/fstab", "before": None, "after": "line"}, "edit /etc/fstab: line"),
        ({"edit": "/etc/fstab", "before": "line", "after": None}, "edit /etc/fstab: remove line"),
        ({"write": "/f", "content": "c"}, "write /f"),
        ({"link": "/l", "target": "/t"}, "link /l -> /t"),
    ],
)
def test_commands(step: dict[str, Any], said: str) -> None:
    assert command(step) == said


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        (("nothing", "done"), Exit.DONE),
        (("nothing", "changes"), Exit.CHANGES),
        (("changes", "refused"), Exit.REFUSED),
        (("refused", "unreachable"), Exit.ERROR),
        (("changes", "error"), Exit.ERROR),
    ],
)
def test_exit_codes(statuses: tuple[str, ...], code: Exit) -> None:
    assert exit_code(statuses) == code


def test_hosts_are_summed_up(capsys: pytest.CaptureFixture[str]) -> None:
    hosts = [
        HostPlan("b", "rack1", "nothing"),
        HostPlan("c", "rack1", "refused", refusals=("disk x: no.",)),
        HostPlan("a", "rack2", "unreachable", message="It cannot be reached."),
    ]
    assert show(Options(), hosts) == Exit.ERROR
    assert capsys.readouterr().out.splitlines() == [
        "b  rack1  nothing to do",
        "c  rack1",
        "  disk x: no.",
        "  Nothing is written on this host while this stands.",
        "",
        "a  rack2",
        "  It cannot be reached.",
        "",
        "3 hosts: 1 with nothing to do, 1 refused, 1 unreachable",
    ]


def test_the_journal_says_what_runs() -> None:
    text = "start a\nstart b c\ndone a\nnoise\nfailed b c\nstart d\n"
    assert read(text) == Seen(done=("a", "b c"), running=("d",))
