# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls through ansible-runner's transmit, worker and process, with several workers on this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from barestore import workers
from barestore.fleet import Call

BIN = Path(sys.executable).parent
WORKER = f"{sys.executable} -m ansible_runner worker"
NAMES = [f"h{n}" for n in range(5)]


@pytest.fixture
def inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{BIN}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "lab/group_vars").mkdir(parents=True)
    hosts = ", ".join(f"{name}: {{}}" for name in NAMES)
    (tmp_path / "lab/hosts.yml").write_text(f"all: {{hosts: {{{hosts}}}}}\n")
    (tmp_path / "lab/group_vars/all.yml").write_text("ansible_connection: local\nhost_storage: {}\n")
    return tmp_path / "lab"


def test_neighbours_go_to_different_workers() -> None:
    assert workers.shares(NAMES, ["x", "y"]) == [("x", ["h0", "h2", "h4"]), ("y", ["h1", "h3"])]
    assert workers.shares(["h0"], ["x", "y"]) == [("x", ["h0"])]


def test_several_workers_share_the_hosts(inventory: Path) -> None:
    document = "{{ lookup('barestore.storage.host_document') }}"
    told = "{{ inventory_dir | basename }} {{ word }} {{ ansible_check_mode }} " + document
    task = {"ansible.builtin.debug": {"msg": told}}
    call = Call([str(inventory)], NAMES, task, {"word": "w"}, True, [WORKER, WORKER])
    call.start()
    found = call.wait()
    assert {name: (answer.how, answer.result["msg"]) for name, answer in found.items()} == dict.fromkeys(
        NAMES, ("ok", "lab w True {}")
    )


def test_a_worker_that_dies_takes_only_its_hosts_along(inventory: Path) -> None:
    dies = "sh -c 'head -c 100 >/dev/null; echo no route >&2; exit 3'"
    task = {"ansible.builtin.debug": {"msg": "x"}}
    call = Call([str(inventory / "hosts.yml")], NAMES[:3], task, {}, False, [WORKER, dies, "/nonexistent"])
    call.start()
    found = call.wait()
    assert (found["h0"].how, found["h0"].result["msg"]) == ("ok", "x")
    assert found["h1"].complaint() == (f"h1: it gave no answer: the worker '{dies}' ended with exit code 3: no route.")
    assert "the worker '/nonexistent' cannot be started: No such file or directory" in found["h2"].complaint()
