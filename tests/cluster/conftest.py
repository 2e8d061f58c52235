# SPDX-License-Identifier: GPL-3.0-or-later
"""The bed for a whole session: brought up from nothing, taken down at the end; BED=keep leaves it for a look."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster.bed.site import INVENTORY, ROOT, Bed

PLAYBOOK = Path(sys.executable).parent / "ansible-playbook"


@dataclass(frozen=True)
class Cluster:
    """The bed with what tests ask of it."""

    bed: Bed

    def playbook(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run site.yml, or what the words say, on the bed's inventory."""
        argv = [str(PLAYBOOK), "-i", str(self.bed.inventory), *(words or ("site.yml",))]
        environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"}
        done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
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

    def kubectl(self, words: str, *, check: bool = True, input: str = "") -> str:
        """What kubectl prints on the first control plane."""
        return self.ssh("cp1", f"kubectl --kubeconfig /etc/kubernetes/admin.conf {words}", check=check, input=input)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Hosts from nothing, and site.yml on them once."""
    bed = Bed(INVENTORY)
    say = lambda line: print(line, file=sys.stderr, flush=True)  # noqa: E731
    keep = os.environ.get("BED") == "keep"
    if not keep:
        bed.down(say, wipe=True)
    try:
        bed.up(say)
        made = Cluster(bed)
        made.playbook()
        yield made
    finally:
        if not keep:
            bed.down(say, wipe=True)
