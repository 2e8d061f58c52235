# SPDX-License-Identifier: GPL-3.0-or-later
"""The bed for a whole session: brought up from nothing, taken down at the end; BED=keep leaves it for a look,
and BED=there takes what such a session left, as it is.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from barestore.lab.containers.node import Node
from tests.cluster.bed.site import INVENTORY, ROOT, Bed
from tests.cluster.operator.contract import REAL
from tests.cluster.operator.kube import Kube

PLAYBOOK = Path(sys.executable).parent / "ansible-playbook"


@dataclass(frozen=True)
class Cluster:
    """The bed with what tests ask of it."""

    bed: Bed

    @property
    def environment(self) -> dict[str, str]:
        """That of a playbook whose words are compared."""
        return {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"}

    def argv(self, *words: str) -> list[str]:
        """The command of a playbook on the bed's inventory, with Rook's own operator where ROOK_IMAGE names it."""
        return [str(PLAYBOOK), "-i", str(self.bed.inventory), *words, *(["-e", own_operator()] if REAL else [])]

    def playbook(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run site.yml, or what the words say, on the bed's inventory."""
        argv = self.argv(*(words or ("site.yml",)))
        done = subprocess.run(argv, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        if check and done.returncode:
            pytest.fail(
                f"{' '.join(argv)} ended with code {done.returncode}:\n{done.stdout[-6000:]}\n{done.stderr[-2000:]}"
            )
        return done

    def ssh(self, host: str, command: str, *, check: bool = True, input: str = "") -> str:
        """What a command on a host prints."""
        argv = ["ssh", "-F", str(self.bed.site.ssh_config), host, command]
        done = subprocess.run(argv, input=input, capture_output=True, text=True, check=False)
        if check and done.returncode:
            pytest.fail(f"{host}: {command} ended with code {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout

    def node(self, host: str) -> Node:
        """A host as its maker knows it: its disks' files, its cable."""
        found = self.bed.site.hosts()[host]
        assert isinstance(found, Node)
        return found

    def kube(self, namespace: str) -> Kube:
        """kubectl of this machine, with the administrator's access."""
        access = self.bed.folder / "admin.conf"
        access.touch(0o600)
        access.write_text(self.ssh("cp1", "cat /etc/kubernetes/admin.conf"))
        return Kube(str(self.bed.program("kubectl")), access, namespace)

    def kubectl(self, words: str, *, check: bool = True, input: str = "") -> str:
        """What kubectl prints on the first control plane."""
        return self.ssh("cp1", f"kubectl --kubeconfig /etc/kubernetes/admin.conf {words}", check=check, input=input)


def own_operator() -> str:
    """The variable of site.yml by which the operator of ROOK_IMAGE is installed; loop devices are the bed's disks."""
    repository, _colon, tag = REAL.rpartition(":")
    return json.dumps({"rook_values": {"image": {"repository": repository, "tag": tag}, "allowLoopDevices": True}})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The operator's contract comes last: its clusters keep the disks that other tests need."""
    items.sort(key=lambda item: "operator_contract" in item.nodeid)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Hosts from nothing, and site.yml on them once."""
    bed = Bed(Path(os.environ.get("ANSIBLE_INVENTORY", INVENTORY)))
    say = lambda line: print(line, file=sys.stderr, flush=True)  # noqa: E731
    mode = os.environ.get("BED", "")
    if mode == "there":
        yield Cluster(bed)
        return
    if mode != "keep":
        bed.down(say, wipe=True)
    try:
        bed.up(say)
        made = Cluster(bed)
        made.playbook()
        yield made
    finally:
        if mode != "keep":
            bed.down(say, wipe=True)
