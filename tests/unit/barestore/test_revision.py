# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans against a git revision: only hosts of which something else is wanted."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from barestore.cli import app

DOCUMENT = "host_storage: {{disks: {{osd: {{match: {{rotational: true}}, count: {count}}}}}}}\n"
OBSERVED = ["--observed", "nothing-recorded"]


def git(*words: str) -> str:
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.net", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *identity, *words], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, in which three hosts of two groups want storage."""
    folder = tmp_path / "repository/inventories/lab"
    (folder / "group_vars").mkdir(parents=True)
    (folder / "host_vars").mkdir()
    (folder / "hosts.yml").write_text(
        "all: {children: {a: {hosts: {a1: {rack: r1}, a2: {rack: r1}}}, b: {hosts: {b1: {rack: r2}}}}}\n"
    )
    for group in "ab":
        (folder / f"group_vars/{group}.yml").write_text(DOCUMENT.format(count=2))
    monkeypatch.chdir(tmp_path / "repository")
    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-qm", "x")
    (tmp_path / "repository/nothing-recorded").mkdir()
    return folder


def run(*words: str) -> Result:
    result = CliRunner().invoke(app, ["plan", "-i", "inventories/lab", *OBSERVED, "--against", *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def hosts(result: Result) -> list[str]:
    return sorted(json.loads(result.stdout)["hosts"])


def test_nothing_differs(site: Path) -> None:
    result = run("main")
    assert result.exit_code == 0
    assert "3 of 3 hosts are wanted as at main" in result.stderr


def test_only_what_differs_is_planned(site: Path) -> None:
    (site / "group_vars/a.yml").write_text(DOCUMENT.format(count=3))
    found = run("HEAD", "--json")
    assert hosts(found) == ["a1", "a2"]
    head = json.loads(found.stdout)
    assert (head["base"], head["revision"]) == (git("rev-parse", "HEAD"), git("rev-parse", "HEAD") + "+")


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("host_vars/b1.yml", "host_storage_consent: {wipe: []}\n", ["b1"]),
        ("host_vars/b1.yml", "rack: r9\n", ["b1"]),
        ("host_vars/b1.yml", "host_storage_site: other\n", ["b1"]),
        ("host_vars/b1.yml", "unrelated: 7\n", []),
        ("host_vars/new.yml", "{}\n", []),
    ],
)
def test_what_makes_a_difference(site: Path, file: str, text: str, expected: list[str]) -> None:
    if "new" in file:
        text, file = "# a comment\n" + DOCUMENT.format(count=2), "group_vars/b.yml"
    (site / file).write_text(text)
    assert hosts(run("main", "--json")) == expected


def test_a_new_host_and_one_that_is_gone(site: Path) -> None:
    text = (site / "hosts.yml").read_text()
    (site / "hosts.yml").write_text(text.replace("b1", "b2"))
    result = run("main", "--json")
    assert hosts(result) == ["b2"]
    assert "No longer asked for storage, and left as they are: b1." in result.stderr


def test_mistakes_of_the_past_are_no_mistakes_of_today(site: Path) -> None:
    good = (site / "group_vars/a.yml").read_text()
    (site / "group_vars/a.yml").write_text(good.replace("rotational", "rotationel"))
    git("commit", "-qam", "x")
    (site / "group_vars/a.yml").write_text(good)
    result = run("HEAD", "--json")
    assert hosts(result) == ["a1", "a2"]
    assert "2 hosts had mistakes at HEAD" in result.stderr
    (site / "group_vars/a.yml").write_text("host_storage: [")
    git("commit", "-qam", "x")
    (site / "group_vars/a.yml").write_text(good)
    assert hosts(run("HEAD", "--json")) == ["a1", "a2", "b1"]


def test_an_inventory_that_is_new(site: Path) -> None:
    site.rename(site.parent / "other")
    (site.parent / "other").rename(site.parent / "lab2")
    words = ["plan", "-i", "inventories/lab2", *OBSERVED, "--against", "main", "--json"]
    result = CliRunner().invoke(app, words)
    assert hosts(result) == ["a1", "a2", "b1"]
    assert "there is no inventory inventories/lab2" in result.stderr


def test_an_unknown_revision_is_a_sentence(site: Path) -> None:
    for name in ("nobody", "--output=x"):
        result = run(name)
        assert (result.exit_code, f"git knows no revision '{name}'" in result.stderr) == (1, True)


def test_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inventories").mkdir()
    (tmp_path / "inventories/lab").write_text("x\n")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    Path("inventories/lab").write_text("[all]\nx host_storage={}\n")
    result = run("main")
    assert (result.exit_code, "not a git repository" in result.stderr) == (1, True)
