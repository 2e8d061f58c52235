# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenarios of later life, on the model of a host: their consents are those of their plans, and they converge."""

from __future__ import annotations

from dataclasses import replace

import pytest
from simulated_block import DiskModel
from simulated_host import SITE, SimulatedHost

from tests.lab.scenarios import HOST, scenario


@pytest.mark.parametrize("name", ["lvm-day2", "zfs-day2"])
def test_a_scenario_converges_with_the_consent_of_its_inventory(name: str) -> None:
    told = scenario(name)
    site = replace(SITE, name="lab", host=HOST, consent=told.consent)
    host = SimulatedHost(
        [
            DiskModel(disk.serial, "nvme" if disk.type == "nvme" else "sata", port, disk.size, wwn=_wwn(disk.wwn))
            for port, disk in enumerate(told.machine.disks, 1)
        ]
    )
    for document in told.documents:
        plan = host.plan(document, site)
        assert not plan.refusals, [one.sentence() for one in plan.refusals]
        for action in plan.actions:
            host.run(action)
        again = host.plan(document, site)
        assert (again.refusals, again.actions) == ((), ())
    assert told.consent["irreversible"]


def _wwn(number: int | None) -> str:
    return "" if number is None else f"{number:#018x}"
