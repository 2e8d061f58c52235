# SPDX-License-Identifier: GPL-3.0-or-later
"""Random valid documents on real disks: check, apply, apply again: nothing changes.

``BARESTORE_SEED`` repeats a run from its seed; each failure shows the seed and the document.
"""

from __future__ import annotations

import os
import random
from typing import Any

import pytest
from disk_sets import Scale
from documents import Case, cases
from hypothesis import HealthCheck, Phase, given, seed, settings
from simulated_block import DiskModel

from barestore.lab.throwaway import throwaway
from tests.lab.converge import converge, converged

pytestmark = pytest.mark.lab

SEED = int(os.environ.get("BARESTORE_SEED", "4"))
EXAMPLES = int(os.environ.get("BARESTORE_LAB_DOCUMENTS", "20"))
SMALL = Scale(large=False, groups=3, disks=7)


def _drawn() -> list[Case]:
    """The documents of this seed; the trivial first example of hypothesis is left out."""
    found: list[Case] = []

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES * 5,
        phases=(Phase.generate,),
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(cases(SMALL))
    def draw(case: Case) -> None:
        found.append(case)

    draw()
    # Hypothesis may draw one document more than once.
    different = list({repr(case): case for case in found}.values())
    # Keys take minutes to be made where the processor is emulated, and clevis and TPM2 are not there: test_layers.py.
    different = [case for case in different if "luks" not in case.document]
    rich = sorted(different, key=lambda case: -len(repr(case.document)))[: 2 * EXAMPLES]
    return random.Random(SEED).sample(rich, EXAMPLES)


def _lab_disk(disk: DiskModel) -> dict[str, Any]:
    """The same disk as QEMU is told of it."""
    kind = "nvme" if disk.bus == "nvme" else "hdd" if disk.rotational else "ssd"
    out: dict[str, Any] = {"serial": disk.serial, "type": kind, "size": f"{disk.size} B", "sector_size": disk.sector}
    if disk.bus != "nvme":
        out.update({"wwn": disk.wwn, "vendor": disk.vendor, "model": disk.model, "bus_slot": disk.port})
    return out


@pytest.mark.parametrize("case", _drawn(), ids=[f"seed{SEED}-{number}" for number in range(EXAMPLES)])
def test_apply_twice_changes_nothing(case: Case) -> None:
    print(f"BARESTORE_SEED={SEED}{case!r}")
    disks = [_lab_disk(disk) for disk in case.disks if disk.bus in ("scsi", "nvme")]
    with throwaway({"disks": disks}) as vm:
        check = converge(vm, case.document, check=True)
        assert not check["failed"], check["msg"]
        first = converged(vm, case.document)
        assert [one["id"] for one in first["plan"]] == [one["id"] for one in check["plan"]]
        second = converged(vm, case.document)
        assert not second["changed"], [one["id"] for one in second["plan"]]
