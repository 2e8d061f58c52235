# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift on recordings and on hosts that are played: exit codes, metrics, Markdown and JSON."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import jsonschema
import pytest
from click.testing import Result
from typer.testing import CliRunner

from barestore import fleet
from barestore.cli import app
from tests.unit.test_cli import DOCUMENT, EMPTY, FULL

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lab/group_vars").mkdir(parents=True)
    (tmp_path / "lab/hosts.yml").write_text("all: {hosts: {lab1: {rack: rack1}}}\n")
    (tmp_path / "lab/group_vars/all.yml").write_text(DOCUMENT)
    return tmp_path / "lab"


def run(*words: object) -> Result:
    result = CliRunner().invoke(app, ["drift", "-i", "lab", *map(str, words)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_no_drift(lab: Path) -> None:
    result = run("--observed", FULL)
    assert (result.exit_code, result.stdout) == (0, "lab1  rack1  nothing to do\n")


def test_drift_is_what_a_plan_would_change(lab: Path) -> None:
    result = run("--observed", EMPTY, "--json")
    found = json.loads(result.stdout)
    schema = json.loads((ROOT / "schemas/plan.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(found)
    assert (found["exit"], result.exit_code, found["hosts"]["lab1"]["status"]) == (2, 2, "changes")


def test_refused(lab: Path) -> None:
    (lab / "group_vars/all.yml").write_text(DOCUMENT.replace("count: 4", "count: 5"))
    assert run("--observed", EMPTY).exit_code == 3


def test_a_comment(lab: Path) -> None:
    found = run("--observed", EMPTY, "--markdown", "-").stdout
    assert found.startswith("<!-- barestore drift -->\n## barestore: 1 host is not as documented, or not known to be\n")


def test_metrics(lab: Path) -> None:
    before = time.time()
    assert run("--observed", EMPTY, "--prometheus", "drift.prom").exit_code == 2
    path = Path("drift.prom")
    text = path.read_text()
    labels = '{site="lab",host="lab1",rack="rack1"}'
    number = len(json.loads(run("--observed", EMPTY, "--json").stdout)["hosts"]["lab1"]["actions"])
    assert f"barestore_drift_actions{labels} {number}\n" in text
    assert f"barestore_drift_refused{labels} 0\n" in text
    assert f"barestore_drift_known{labels} 1\n" in text
    stamp = re.search(r'^barestore_drift_run_timestamp_seconds\{site="lab"\} (\d+)$', text, re.MULTILINE)
    assert stamp and before - 1 <= int(stamp[1]) <= time.time() + 1
    for row in text.splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) [a-z_]+ .+|[a-z_]+\{[^{}]*\} \d+", row), row
    assert path.stat().st_mode & 0o777 == 0o644
    assert sorted(one.name for one in Path().iterdir()) == ["drift.prom", "lab"]


def test_a_host_that_is_down_is_not_known(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(call: fleet.Call) -> None:
        for host in call.hosts:
            call.answers[host] = fleet.Answer(host, "unreachable", {"msg": "no route to host"})

    monkeypatch.setattr(fleet.Call, "_run", answer)
    assert run("--prometheus", "drift.prom").exit_code == 1
    text = Path("drift.prom").read_text()
    assert 'barestore_drift_known{site="lab",host="lab1",rack="rack1"} 0\n' in text
    assert "barestore_drift_actions{" not in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--observed", FULL, "--prometheus", "no/where.prom"), "The metrics cannot be written to no/where.prom"),
        (("--observed", FULL, "--max-age", "1h"), "is longer ago than allowed; observe again"),
        (("--observed", FULL, "--max-age", "soon"), "write a number and min, h or d, such as 24h"),
        (("--observed", FULL, "--markdown", "no/where.md"), "The Markdown cannot be written to no/where.md"),
    ],
)
def test_a_mistake_is_a_sentence(lab: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str) -> None:
    monkeypatch.setattr(time, "time", lambda: 4e9)
    result = run(*words)
    assert said in result.output
    assert result.exit_code == 1
