# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module on a virtual host as people do, through Ansible, and gives back what it answered."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from barestore.lab.vm import VirtualMachine
from tests.lab.quick import quick_python

ROOT = Path(__file__).resolve().parent.parent.parent
PYTHON = "/usr/bin/python3"  # the host's own, as people have it
SITE = "lab"
_WIPE = re.compile(r"below wipe: (- \{[^}]*\})")
_LINE = re.compile(r'- \{action: "(.+)", digest: "(sha256:[0-9a-f]{64})"\}\.$')


def ansible(
    vm: VirtualMachine, module: str, arguments: Mapping[str, Any], *, check: bool = False, python: str = ""
) -> dict[str, Any]:
    """The result of one module; ``failed`` is in it when it failed. One process here, one module launch there."""
    variables = {
        "ansible_ssh_common_args": f"-F {vm.ssh_config}",
        # Ansible would keep connections by host name alone, and another lab1 would answer for this one.
        "ansible_ssh_args": "",
        "ansible_python_interpreter": python or quick_python(vm),
        "ansible_pipelining": True,
    }
    argv = [str(Path(sys.executable).with_name("ansible")), vm.name, "-i", f"{vm.name},"]
    argv += ["-e", json.dumps(variables), "-m", module, "-a", json.dumps(arguments), *(["--check"] if check else [])]
    environment = {
        **os.environ,
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_STDOUT_CALLBACK": "minimal",
    }
    done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    _head, arrow, answer = done.stdout.partition(" => ")
    if not arrow:
        raise AssertionError(f"ansible ended with {done.returncode}: {done.stdout}{done.stderr}")
    result: dict[str, Any] = {"failed": done.returncode != 0, **json.loads(answer)}
    return result


def converge(
    vm: VirtualMachine,
    document: Mapping[str, Any],
    check: bool = False,
    expected_digest: str = "",
    python: str = "",
    consent: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What ``host_storage`` answers for this document."""
    arguments = {"document": document, "site": SITE, "host": vm.name, "expected_digest": expected_digest}
    arguments["consent"] = consent or {}
    return ansible(vm, "barestore.storage.host_storage", arguments, check=check, python=python)


def pasted(refused: Mapping[str, Any]) -> dict[str, Any]:
    """The consent of somebody who pastes the lines that refusals ask for; empty when another one is among them."""
    lines = [_LINE.search(sentence) for sentence in refused["refusals"]]
    found = [{"action": line[1], "digest": line[2]} for line in lines if line]
    return {"irreversible": found} if len(found) == len(lines) else {}


def wipe_lines(refused: Mapping[str, Any]) -> list[dict[str, str]]:
    """What somebody pastes below ``wipe`` who lets all be lost that a refusal names."""
    assert refused["failed"], refused
    return [entry for text in _WIPE.findall(refused["msg"]) for entry in yaml.safe_load(text)]


def converged(
    vm: VirtualMachine, document: Mapping[str, Any], consent: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Apply, and fail the test with the module's own words when it fails."""
    result = converge(vm, document, consent=consent)
    assert not result["failed"], result["msg"]
    return result
