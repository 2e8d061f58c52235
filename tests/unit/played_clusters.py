# SPDX-License-Identifier: GPL-3.0-or-later
"""A site with a Ceph cluster that is a model: the module's own run on it, as a control plane would start it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result as Ended
from simulated_rook import SimulatedClock, SimulatedRook
from typer.testing import CliRunner

from ansible_collections.barestore.storage.plugins.module_utils.cluster import run
from ansible_collections.barestore.storage.plugins.module_utils.cluster.run import Job, facts, osds
from ansible_collections.barestore.storage.plugins.module_utils.cluster.wanted import Wanted
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import Absent, StorageError
from barestore import fleet
from barestore.cli import app
from barestore.clusters import Cluster, OsdCall
from tests.unit.played import Played, Result, SimulatedHost

HOSTS = """
all:
  children:
    kube_control_plane: {hosts: {cp1: {rack: rack1}}}
    kube_node: {hosts: {ss11: {rack: rack1}, ss21: {rack: rack2}, ss31: {rack: rack3}}}
"""
KUBERNETES = 'kubernetes: {version: "1.34.4", api: {host: cp1}}\n'
# Where no host gives volumes, somebody else does.
EXTERNAL = KUBERNETES.replace("}}", "}, external_storage_classes: [local-storage]}")
CEPH = Path("site/group_vars/all/ceph.yml")
SITE = """
ceph:
  version: v20.2.4
  clusters:
    ceph-hdd:
      mons: 1
      failure_domain: rack
      device_sets: {hdd: {count: 6, storage_class: local-storage, device_class: hdd}}
"""
STORAGE = """
host_storage:
  disks: {osd: {match: {rotational: true}, count: 3}}
  local_volumes: {osd: {storage_class: local-storage}}
"""


class PlayedSite(Played):
    """``calls`` are all that were made; ``down`` says that the control plane cannot be reached."""

    def __init__(self, rook: SimulatedRook, models: Mapping[str, SimulatedHost]) -> None:
        super().__init__(models)
        self.rook = rook
        self.calls: list[fleet.Call] = []
        self.down = False

    def call(self, call: fleet.Call) -> None:
        self.calls.append(call)
        if not isinstance(call, OsdCall):
            if "ansible.builtin.raw" not in call.task:
                super().call(call)
            return
        [plane] = call.hosts
        if self.down:
            call.answers[plane] = fleet.Answer(plane, "unreachable", {"msg": "no route to host"})
            return
        results = [{"item": {"key": one.name}, **self._of(call, one)} for one in call.clusters]
        how = "failed" if any(one.get("failed") for one in results) else "ok"
        call.answers[plane] = fleet.Answer(plane, how, {"results": results})

    def _of(self, call: OsdCall, cluster: Cluster) -> Result:
        """As the modules end."""
        [module] = (name for name in call.task if name.startswith("barestore."))
        expected = call.variables["barestore_expected"].get(cluster.name, "")
        job = Job(Wanted.of(cluster.options), call.check, expected, tempfile.mkdtemp(dir=Path.cwd()))
        try:
            if module.endswith("_info"):
                recorded, _told = facts(job, self.rook, SimulatedClock(self.rook))
                return {"observation": recorded}
            answer: dict[str, Any] = osds(job, self.rook, SimulatedClock(self.rook)).answer()
        except StorageError as error:
            return {"failed": True, "msg": error.sentence(), "absent": isinstance(error, Absent)}
        return {**answer, "failed": "msg" in answer}

    @property
    def asked(self) -> list[OsdCall]:
        """The calls for clusters."""
        return [one for one in self.calls if isinstance(one, OsdCall)]


def count(number: int) -> None:
    """Somebody edits the count in the inventory."""
    CEPH.write_text(SITE.replace("count: 6", f"count: {number}"))


@contextmanager
def played_site(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    rook: SimulatedRook,
    models: Mapping[str, SimulatedHost],
    storage: bool,
) -> Iterator[PlayedSite]:
    """While this lasts, Ansible reaches the hosts and the control plane of ``site`` and no other.

    ``storage`` says whether the hosts have a document.
    """
    monkeypatch.chdir(folder)
    CEPH.parent.mkdir(parents=True)
    Path("site/hosts.yml").write_text(HOSTS)
    (CEPH.parent / "kubernetes.yml").write_text(KUBERNETES if storage else EXTERNAL)
    if storage:
        Path("site/group_vars/kube_node.yml").write_text(STORAGE)
    count(6)
    found = PlayedSite(rook, models)
    with monkeypatch.context() as patch:
        patch.setattr(fleet.Call, "_run", lambda call: found.call(call))
        # A module is a process, and here it is a thread, which no signal reaches.
        patch.setattr(run, "interrupts", lambda ask: nullcontext())
        yield found


def barestore(*words: object) -> Ended:
    """The command, on the inventory ``site``."""
    result = CliRunner().invoke(app, [str(words[0]), "-i", "site", *map(str, words[1:])])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result
