# SPDX-License-Identifier: GPL-3.0-or-later
"""The runner of the layers: what it begins, and what it makes of what was left out."""

from __future__ import annotations

import pytest

from tests import run


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The layers that were begun; the clock stands at 3,000 s."""
    found: list[str] = []

    def run_layer(layer: str) -> run.Outcome:
        found.append(layer)
        return run.Outcome(layer, "passed")

    monkeypatch.setattr(run, "run_layer", run_layer)
    monkeypatch.setattr(run.time, "monotonic", lambda: 3000.0)
    return found


@pytest.mark.parametrize(
    ("ci", "minutes", "begins"),
    [("true", 49, True), ("true", 50, False), ("", 80, True)],
    ids=["enough time", "too little time", "no CI"],
)
def test_a_long_layer_begins_on_ci_only_with_time_for_all_of_it(
    monkeypatch: pytest.MonkeyPatch, begun: list[str], ci: str, minutes: int, begins: bool
) -> None:
    monkeypatch.setenv("CI", ci)
    outcome = run.in_time("cluster", 3000.0 - minutes * 60)
    assert begun == (["cluster"] if begins else [])
    assert outcome.state == ("passed" if begins else "no time")
    assert begins or outcome.reason == "50 of 85 minutes are gone, and it may take 36; run: make cluster"


def test_a_short_layer_begins_whatever_is_left(monkeypatch: pytest.MonkeyPatch, begun: list[str]) -> None:
    monkeypatch.setenv("CI", "true")
    assert run.in_time("lint", -3000.0).state == "passed"
    assert begun == ["lint"]


@pytest.mark.parametrize(
    ("ci", "state", "code"),
    [("true", "left out", 1), ("", "left out", 0), ("true", "no time", 0), ("", "failed", 1), ("true", "passed", 0)],
)
def test_what_was_left_out_fails_ci_and_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ci: str, state: str, code: int
) -> None:
    monkeypatch.setenv("CI", ci)
    assert run.verdict([run.Outcome("cluster", state, reason="why")]) == code
    said = capsys.readouterr().out
    assert "cluster" in said
    assert "why" in said
