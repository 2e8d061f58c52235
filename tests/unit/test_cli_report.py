# SPDX-License-Identifier: GPL-3.0-or-later
"""``barestore report`` on recordings of the lab's host: what the page is told, its exit codes, and its sentences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.barestore.report.test_page import data
from tests.unit.test_cli import EMPTY, FULL, edit, lab, run

__all__ = ["lab"]


def report(*words: object) -> dict[str, Any]:
    result = run("report", "--out", "report.html", *words)
    assert result.exit_code == 0, result.output
    return data(Path("report.html").read_text())


def carried(found: dict[str, Any], side: int) -> dict[str, list[str]]:
    """What each disk carries, by serial; side is 8 before the plan and 9 after it."""

    def at(row: list[Any], place: int) -> int:
        return int(row[place]) if len(row) > place else 0

    host = found["hosts"][0]
    return {row[0]: [found["texts"][part[3]] for part in found["layouts"][at(row, side)]] for row in host["d"]}


def test_a_host_as_wanted(lab: Path) -> None:
    found = report("-i", lab, "--observed", FULL)
    assert (found["site"], found["hosts"][0]["r"], found["hosts"][0]["s"]) == ("lab", "rack1", "nothing")
    now = carried(found, 8)
    assert now["HDD0001"] == ["ZFS tank"]
    assert now["HDD0003"] == ["local volume osd"]
    assert now["NVME0001"] == ["ZFS tank log", "LVM fast"]
    assert carried(found, 9) == now
    assert [store[:2] for store in found["hosts"][0]["p"]] == [["ZFS pool", "tank"], ["volume group", "fast"]]


def test_before_and_after_the_first_run(lab: Path) -> None:
    found = report("-i", lab, "--observed", EMPTY)
    assert found["hosts"][0]["s"] == "changes"
    assert carried(found, 8)["HDD0001"] == []
    assert carried(found, 9)["HDD0001"] == ["ZFS tank"]
    assert carried(found, 9)["NVME0001"] == ["ZFS tank log", "LVM fast"]


def test_of_a_plan_file(lab: Path) -> None:
    run("plan", "-i", lab, "--observed", EMPTY, "--out", "plan.json")
    found = report("--plan", "plan.json")
    assert carried(found, 9)["HDD0003"] == ["local volume osd"]


def test_of_an_answer_for_programs(lab: Path) -> None:
    Path("plan.json").write_text(run("plan", "-i", lab, "--observed", EMPTY, "--json").stdout)
    assert len(report("--plan", "plan.json")["hosts"][0]["d"]) == 9


def test_refused_is_on_the_page(lab: Path) -> None:
    edit(lab, "count: 4", "count: 5")
    host = report("-i", lab, "--observed", EMPTY)["hosts"][0]
    assert host["s"] == "refused"
    assert "wants 5 disks and 4 match" in host["f"][0]


def test_a_host_without_recording_is_on_the_page(lab: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    result = run("report", "--out", "report.html", "-i", lab, "--observed", "none", "--json")
    said = json.loads(result.stdout)
    assert (result.exit_code, said["hosts"], said["disks"]) == (1, {"error": 1}, 0)
    assert "There is no recording" in data(Path("report.html").read_text())["hosts"][0]["m"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--observed", "gone"], "There is no folder gone"),
        (["--plan", "gone.json"], "The plan gone.json cannot be read"),
        (["--plan", "lab/hosts.yml"], "lab/hosts.yml is no plan: it is not JSON"),
        (["--plan", "list.json"], "list.json is no plan of this release"),
        (["--plan", "torn.json"], "torn.json is damaged where it speaks of host h"),
        (["--plan", "a", "--observed", "b"], "give --plan or --observed, and not both"),
        (["--observed", str(FULL), "--out", "gone/r.html"], "The report cannot be written to gone/r.html"),
        (["--observed", str(FULL), "--runs", "gone"], "There is no file or folder gone"),
    ],
)
def test_mistakes_are_sentences(lab: Path, words: list[str], sentence: str) -> None:
    Path("list.json").write_text("[]")
    Path("torn.json").write_text('{"hosts": {"h": {"status": "changes", "disks": [{"id": 1}]}}}')
    result = run("report", "-i", lab, *([] if "--out" in words else ["--out", "report.html"]), *words)
    assert result.exit_code == 1
    assert sentence in result.output
    assert not Path("report.html").exists()
