# SPDX-License-Identifier: GPL-3.0-or-later
"""Live plans and apply with hosts that are played: what is sent to them, what is shown, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from ansible_collections.barestore.storage.plugins.module_utils.plan.digest import sha256
from barestore import fleet, progress
from barestore.cli import app

ACTION = {
    "id": "volume_group.create:fast",
    "kind": "volume_group",
    "verb": "create",
    "target": "fast",
    "disks": ["wwn-0x1"],
    "before": None,
    "after": {"size": "4 GiB"},
    "needs": [],
    "provides": [],
    "destroys": [],
    "commands": [{"argv": ["vgcreate", "fast"]}],
    "expects": [],
}
PLAN = {
    "plan": [ACTION],
    "digest": sha256({"actions": [ACTION], "identities": {}}),
    "refusals": [],
    "notes": [],
    "disks": [{"id": "wwn-0x1", "serial": "HDD1", "slot": "", "size": 1 << 32, "content": "", "holds": []}],
}
STEP = {"action": ACTION["id"], "argv": ["vgcreate", "fast"], "rc": 0, "seconds": 1.26}
DONE = {**PLAN, "executed": [STEP], "journal": "/var/lib/barestore/journal/1.jsonl"}
NOTHING = {**PLAN, "plan": []}
Play = Callable[[str, bool], tuple[str, Mapping[str, Any]]]


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lab/group_vars").mkdir(parents=True)
    (tmp_path / "lab/hosts.yml").write_text("all: {hosts: {one: {rack: r1}, two: {rack: r2}}}\n")
    (tmp_path / "lab/group_vars/all.yml").write_text("host_storage: {disks: {a: {match: {transport: nvme}, count: 1}}}")
    return tmp_path / "lab"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[fleet.Call]:
    """Every call that was made."""
    return []


def hosts(monkeypatch: pytest.MonkeyPatch, sent: list[fleet.Call], play: Play) -> None:
    def answer(call: fleet.Call) -> None:
        sent.append(call)
        for host in call.hosts:
            how, result = play(host, call.check)
            call.answers[host] = fleet.Answer(host, how, result)

    monkeypatch.setattr(fleet.Call, "_run", answer)


def run(*words: object) -> Result:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_apply_runs_what_was_shown(lab: Path, sent: list[fleet.Call], monkeypatch: pytest.MonkeyPatch) -> None:
    hosts(monkeypatch, sent, lambda host, check: ("ok", NOTHING if host == "two" else PLAN if check else DONE))
    result = run("apply", "-i", lab)
    assert result.exit_code == 0
    assert [(call.check, list(call.hosts)) for call in sent] == [(True, ["one", "two"]), (False, ["one"])]
    assert sent[1].variables == {"barestore_expected": {"one": PLAN["digest"]}}
    assert "two  r2  nothing to do" in result.stdout
    assert "✓  1.3 s  volume group  fast" in result.stdout
    assert "journal on the host: /var/lib/barestore/journal/1.jsonl" in result.stdout


def test_a_plan_file_names_hosts_and_digests(
    lab: Path, sent: list[fleet.Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts(monkeypatch, sent, lambda host, check: ("unreachable", {}) if host == "two" else ("ok", PLAN))
    planned = run("plan", "-i", lab, "--out", "plan.json")
    assert (planned.exit_code, "two  r2\n  It cannot be reached" in planned.stdout) == (1, True)
    hosts(monkeypatch, sent, lambda host, check: ("ok", DONE))
    result = run("apply", "-i", lab, "--plan", "plan.json")
    assert list(sent[-1].hosts) == ["one"]
    assert "two: plan.json allows nothing on it, so it is left alone." in result.stderr
    assert result.exit_code == 0


def test_a_host_that_changed_is_refused(lab: Path, sent: list[fleet.Call], monkeypatch: pytest.MonkeyPatch) -> None:
    refused = {**NOTHING, "refusals": ["one: the plan is now another."], "msg": "one: the plan is now another."}
    hosts(monkeypatch, sent, lambda host, check: ("ok", PLAN) if check else ("failed", refused))
    result = run("apply", "-i", lab, "--limit", "one")
    assert "  one: the plan is now another." in result.stdout
    assert result.exit_code == 3


def test_an_action_that_failed(lab: Path, sent: list[fleet.Call], monkeypatch: pytest.MonkeyPatch) -> None:
    broken = {**DONE, "executed": [{**STEP, "rc": 5}], "msg": "'vgcreate fast' failed with exit code 5: no."}
    hosts(monkeypatch, sent, lambda host, check: ("ok", PLAN) if check else ("failed", broken))
    result = run("apply", "-i", lab, "--json")
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["event"] for one in events] == ["start", "batch", "host", "host", "end"]
    assert (events[2]["status"], events[2]["message"]) == ("error", broken["msg"])
    assert (events[3]["status"], events[3]["message"]) == (
        "held",
        "Not begun, since 1 host failed; run again to go on.",
    )
    assert events[4]["exit"] == result.exit_code == 1
    shown = run("apply", "-i", lab).stdout
    assert "✗  1.3 s  volume group  fast" in shown
    assert broken["msg"] in shown


def test_ctrl_c_stops_between_actions(lab: Path, sent: list[fleet.Call], monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = {**DONE, "msg": "the run was interrupted before x; run again: it goes on from there."}
    asked = []

    def answer(call: fleet.Call) -> None:
        if "ansible.builtin.raw" in call.task:
            asked.append(call.task["ansible.builtin.raw"])
            return
        for host in call.hosts:
            while not call.check and not any("kill -INT" in script for script in asked):
                time.sleep(0.01)
            call.answers[host] = fleet.Answer(host, "ok" if call.check else "failed", PLAN if call.check else stopped)

    once = iter([True])
    tick = progress.Progress.tick

    def interrupted(self: progress.Progress) -> None:
        tick(self)
        if next(once, False):
            raise KeyboardInterrupt

    monkeypatch.setattr(fleet.Call, "_run", answer)
    monkeypatch.setattr(progress.Progress, "tick", interrupted)
    result = run("apply", "-i", lab)
    assert "Stopping: each host ends the actions that it runs" in result.stderr
    assert "the run was interrupted before x" in result.stdout
    assert result.exit_code == 1


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C as on a terminal: what a shell starts in the background is told to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_while_waiting_ends_no_call(interruptible: None) -> None:
    release = threading.Event()

    class Slow(fleet.Call):
        def _run(self) -> None:
            release.wait(10)

    call = Slow((), ["one"], {})
    call.start()
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        call.wait()
    assert call.running()
    release.set()
    assert call.wait()["one"].how == "silent"
    assert not call.running()


def test_ansible_that_cannot_run(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(call: fleet.Call) -> None:
        call._rc = 4
        call._said.append("[ERROR]: something is wrong with ansible.cfg")

    monkeypatch.setattr(fleet.Call, "_run", nothing)
    result = run("plan", "-i", lab)
    assert result.stderr == "Ansible could not run: [ERROR]: something is wrong with ansible.cfg\n"
    assert result.exit_code == 1
