# SPDX-License-Identifier: GPL-3.0-or-later
"""A throw-away virtual host for one measurement, and what Ansible does on it, seen from inside.

Ansible is told of a Python that is a small script in the guest: it notes each launch of a module with its time and
its answer, and either only times it or counts the programs that it starts, by strace.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from barestore.lab.throwaway import throwaway
from barestore.lab.vm import VirtualMachine

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
LAB = ROOT / "inventories" / "lab"

_FOLDER = "/var/tmp/bench"
# $1 is the wrapped command. /proc/uptime is read by the shell itself: a process more would be measured too.
_WRAPPER = """#!/bin/sh
read start idle </proc/uptime
{before}/usr/bin/python3 "$@" >{folder}/$$.out
code=$?
read end idle </proc/uptime
echo "$start $end $$" >>{folder}/launches
cat {folder}/$$.out
exit $code
"""
_STRACE = "strace --follow-forks --quiet=all -e trace=execve -o {folder}/$$.trace "


class Unmeasured(Exception):
    """Why there is no number, as a sentence."""


@dataclass(frozen=True)
class Launch:
    """One module on the host: seconds in the guest, programs started (its own Python left out), and its answer."""

    seconds: float
    programs: int
    answer: Mapping[str, Any]


@dataclass(frozen=True)
class Run:
    """One ansible-playbook: seconds from start to end, forks in the guest meanwhile, and the modules launched."""

    seconds: float
    forks: int
    launches: tuple[Launch, ...]
    code: int
    output: str

    @property
    def module(self) -> Launch:
        """The launch of barestore's module."""
        found = [launch for launch in self.launches if "digest" in launch.answer]
        if len(found) != 1:
            raise Unmeasured(f"host_storage was launched {len(found)} times: {self.output[-1500:]}")
        return found[0]

    def must_be_good(self) -> Run:
        if self.code:
            said = [str(one.answer["msg"]) for one in self.launches if one.answer.get("failed")]
            raise Unmeasured(f"ansible-playbook ended with {self.code}: {' '.join(said) or self.output[-1500:]}")
        return self


class Guest:
    """The virtual host with a folder of its own for its inventory."""

    def __init__(self, vm: VirtualMachine) -> None:
        self.vm = vm
        self.inventory = vm.folder / "inventory"
        self.inventory.mkdir()
        # Ansible's own multiplexing knows hosts by name: it would find the machine of another measurement.
        connection = {"ansible_ssh_common_args": f"-F {vm.ssh_config}", "ansible_ssh_args": ""}
        hosts = {"all": {"hosts": {vm.name: connection}}}
        (self.inventory / "hosts.yml").write_text(yaml.safe_dump(hosts))
        vm.ssh(f"mkdir -p {_FOLDER}")
        for name, before in (("timed", ""), ("counted", _STRACE)):
            text = _WRAPPER.format(before=before, folder=_FOLDER).format(folder=_FOLDER)
            vm.ssh(f"cat >{_FOLDER}/{name} && chmod 755 {_FOLDER}/{name}", input=text)

    @property
    def links(self) -> dict[str, str]:
        """The path of each disk by its identity, by its serial."""
        return {disk.serial: f"/dev/disk/by-id/{disk.link}" for disk in self.vm.machine.disks}

    def playbook(
        self,
        playbook: Path,
        variables: Mapping[str, Any],
        *,
        counted: bool = False,
        check: bool = False,
        tools: Path = ROOT / ".venv" / "bin",
        collections: str = str(ROOT / "collections"),
    ) -> Run:
        """Run a playbook on the guest; ``counted`` has strace count programs, which makes it slower."""
        self.vm.ssh(f"cd {_FOLDER} && rm -f launches *.out *.trace")
        python = f"{_FOLDER}/{'counted' if counted else 'timed'}"
        (self.inventory / "group_vars").mkdir(exist_ok=True)
        given = {**variables, "ansible_python_interpreter": python}
        (self.inventory / "group_vars" / "all.yml").write_text(yaml.safe_dump(given, sort_keys=False))
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": collections,
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_RETRY_FILES_ENABLED": "0",
            "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        }
        argv = [str(tools / "ansible-playbook"), "-i", str(self.inventory), str(playbook)]
        before = self.forks()
        started = time.monotonic()
        done = subprocess.run(
            [*argv, "--check"] if check else argv,
            cwd=self.inventory, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        seconds = time.monotonic() - started
        forks = self.forks() - before
        return Run(seconds, forks, tuple(self._launches()), done.returncode, done.stdout + done.stderr)

    def script(self, text: str, *arguments: str) -> tuple[float, int]:
        """Run a shell script by one SSH call; seconds and forks."""
        before = self.forks()
        started = time.monotonic()
        self.vm.ssh(" ".join(["bash", "-s", *arguments]), input=text)
        return time.monotonic() - started, self.forks() - before

    def forks(self) -> int:
        """Processes and threads started since the guest's boot; the question itself costs some."""
        return int(self.vm.ssh("grep ^processes /proc/stat").stdout.split()[1])

    def _launches(self) -> Iterator[Launch]:
        text = self.vm.ssh(f"cat {_FOLDER}/launches 2>/dev/null", check=False).stdout
        for line in text.splitlines():
            start, end, number = line.split()
            trace = self.vm.ssh(f"cat {_FOLDER}/{number}.trace 2>/dev/null", check=False).stdout
            programs = len(re.findall(r"execve(?:\(| resumed).* = 0$", trace, re.MULTILINE))
            answer = self.vm.ssh(f"cat {_FOLDER}/{number}.out").stdout
            yield Launch(round(float(end) - float(start), 2), max(0, programs - 1), _json(answer))


@contextmanager
def guest(machine: Mapping[str, Any], name: str = "lab1") -> Iterator[Guest]:
    """A fresh virtual host; progress goes to standard error."""
    with throwaway(machine, name=name, say=say) as vm:
        yield Guest(vm)


def say(line: str) -> None:
    """Progress, apart from the table."""
    print(f"bench: {line}", file=sys.stderr, flush=True)


def lab_document() -> dict[str, Any]:
    """The layout of the README, as the lab's inventory has it."""
    loaded = yaml.safe_load((LAB / "group_vars" / "storage_servers.yml").read_text())
    return dict(loaded["host_storage"])


def lab_machine() -> dict[str, Any]:
    """The hardware of the lab's host."""
    return dict(yaml.safe_load((LAB / "host_vars" / "lab1" / "lab.yml").read_text())["lab_machine"])


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def _json(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
