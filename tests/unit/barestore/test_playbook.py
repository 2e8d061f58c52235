# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup and the actions in a real playbook, against hosts that nobody can reach."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HOSTS = """\
all:
  vars: {ansible_connection: local, ansible_python_interpreter: /nonexistent}
  children: {servers: {hosts: {h1: {rack: r1}, h2: {rack: r2}}}}
"""
GOOD = "host_storage:\n  disks: {a: {match: {transport: nvme}, count: 1}}\n"
BAD = "host_storage:\n  disks: {a: {match: {transport: nvm}, count: 1}}\n"
TASK = """\
- hosts: all
  gather_facts: false
  tasks:
    - barestore.storage.host_storage_info:
        document: "{{ lookup('barestore.storage.host_document') }}"
"""
PREFLIGHT = "- hosts: all\n  gather_facts: false\n  roles: [barestore.storage.preflight]\n"
SENTENCE = "host_storage.disks.a.match.transport: found 'nvm'; did you mean 'nvme'?"


def play(folder: Path, playbook: str, **texts: str) -> subprocess.CompletedProcess[str]:
    for name, text in {"hosts": HOSTS, "play": playbook, **texts}.items():
        file = folder / f"{name.replace('__', '/')}.yml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    settings = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"), "ANSIBLE_HOME": str(folder / "home")}
    argv = [sys.executable, "-m", "ansible", "playbook", "-i", "hosts.yml", "play.yml"]
    env = {**os.environ, **settings, "ANSIBLE_NOCOLOR": "1"}
    return subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("playbook", [TASK, PREFLIGHT], ids=["action", "role"])
def test_a_mistake_is_said_before_the_host_is_contacted(tmp_path: Path, playbook: str) -> None:
    done = play(tmp_path, playbook, group_vars__servers=BAD)
    assert f"group_vars/servers.yml:2:34: {SENTENCE}" in done.stderr + done.stdout
    assert "/nonexistent" not in done.stdout  # the interpreter that a module would have needed
    assert done.returncode != 0


def test_a_site_without_mistakes_passes(tmp_path: Path) -> None:
    done = play(tmp_path, PREFLIGHT, group_vars__servers=GOOD)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_good_document_travels_to_the_host(tmp_path: Path) -> None:
    done = play(tmp_path, TASK, group_vars__servers=GOOD)
    assert "/nonexistent" in done.stdout + done.stderr


def test_two_fragments_with_one_key_are_named(tmp_path: Path) -> None:
    done = play(tmp_path, TASK, group_vars__servers=GOOD, host_vars__h1=GOOD.replace("storage:", "storage__x:"))
    assert "is set by both host_storage and host_storage__x" in " ".join((done.stdout + done.stderr).split())
