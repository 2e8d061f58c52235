# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that are models: what Ansible would start on a host runs on the model of one, and the rest is real."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import simulated_probes
from simulated_block import GIB, DiskModel
from simulated_host import SimulatedHost

from ansible_collections.barestore.storage.plugins.module_utils.host import planner
from ansible_collections.barestore.storage.plugins.module_utils.host.disk_facts import disk_facts
from ansible_collections.barestore.storage.plugins.module_utils.host.observation import Probe
from ansible_collections.barestore.storage.plugins.module_utils.host.observer import Observer
from ansible_collections.barestore.storage.plugins.module_utils.host.state import Site
from ansible_collections.barestore.storage.plugins.module_utils.plan.digest import digest
from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Action
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner
from barestore import fleet
from barestore.hosts import Host, hosts

Result = dict[str, Any]


def hdd(number: int, size: int = 8) -> DiskModel:
    """A rotating disk HDD000n as the lab has it, in slot n - 1."""
    wwn = f"0x5000c5000000{number:04x}"
    return DiskModel(f"HDD{number:04d}", "scsi", number - 1, size * GIB, 512, True, "HDD", "LAB", wwn)


def nvme(number: int) -> DiskModel:
    serial = f"NVME{number:04d}"
    wwn = f"nvme.1b36-{serial.encode().hex()}-51454d55204e564d65204374726c-00000001"
    return DiskModel(serial, "nvme", number - 1, 2 * GIB, 512, False, "QEMU NVMe Ctrl", "", wwn)


def lab1() -> SimulatedHost:
    """The host of ``inventories/lab`` with empty disks."""
    root = DiskModel("lab-root", "virtio", 3, 4 * GIB, model="0x1af4", system=True)
    rotating = (hdd(number, 4 if number < 3 else 8) for number in range(1, 7))
    return SimulatedHost([root, *rotating, nvme(1), nvme(2)])


class _Observer(Observer):
    def __init__(self, model: SimulatedHost, name: str) -> None:
        super().__init__(Runner(), name)
        self._model = model

    def answers(self, probes: Iterable[Probe]) -> dict[str, Any]:
        return {probe.key: simulated_probes.answer(self._model, probe) for probe in probes}


class Power(Exception):
    """A run that ends as if its host lost power."""


class Played:
    """The hosts of a site; ``ran`` has the ids of the actions that each ended, in order."""

    def __init__(self, models: Mapping[str, SimulatedHost]) -> None:
        self.models = models
        self.ran: dict[str, list[str]] = {name: [] for name in models}
        self.stop_before = -1  # how many actions there may still be until the power fails; -1: it never does

    def call(self, call: fleet.Call) -> None:
        """In place of ``fleet.Call._run``."""
        (task,) = call.task
        if not task.startswith("barestore.storage."):
            return  # somebody watches a journal that a model does not write
        known = {host.name: host for host in hosts(Path(call.sources[0]))}
        for name in call.hosts:
            expected = call.variables.get("barestore_expected", {}).get(name, "")
            try:
                result = self._module(task, known[name], call.check, expected)
            except Power:
                continue
            how = "failed" if result.get("refusals") and task.endswith("host_storage") else "ok"
            call.answers[name] = fleet.Answer(name, how, result)

    def _module(self, task: str, host: Host, check: bool, expected: str) -> Result:
        """As ``run.storage`` and ``run.facts`` do it."""
        document = host.document or {}
        site = Site(host.site, host.name, host.consent)
        model = self.models[host.name]
        model.fresh.clear()
        observer = _Observer(model, host.name)
        seen, plan = observer.observe(planner.probes(document), lambda found: planner.plan(document, found, site))
        if task.endswith("host_storage_info"):
            return {"observation": seen.as_json()}
        refusals = [one.sentence() for one in plan.refusals]
        if expected and plan.actions and expected != digest(plan):
            refusals = [f"{host.name}: the plan is now {digest(plan)} and not {expected} as approved."]
        found = {
            "plan": [] if refusals else [one.as_json() for one in plan.actions],
            "identities": plan.identities,
            "digest": digest(plan),
            "refusals": refusals,
            "disks": disk_facts(seen),
        }
        if check or refusals:
            return found
        return {**found, "executed": [self._run(host.name, action) for action in plan.actions]}

    def _run(self, name: str, action: Action) -> Result:
        if self.stop_before == 0:
            raise Power
        self.stop_before -= 1
        self.models[name].run(action)
        self.ran[name].append(action.id)
        return {"action": action.id, "argv": [], "rc": 0, "seconds": 0.1}


@contextmanager
def played(monkeypatch: pytest.MonkeyPatch, models: Mapping[str, SimulatedHost]) -> Iterator[Played]:
    """While this lasts, Ansible reaches these hosts and no other."""
    site = Played(models)
    with monkeypatch.context() as patch:
        patch.setattr(fleet.Call, "_run", lambda call: site.call(call))
        yield site
