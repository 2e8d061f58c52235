# SPDX-License-Identifier: GPL-3.0-or-later
"""Random valid documents on real disks: check, apply, apply again: nothing changes.

``BARESTORE_SEED`` repeats a run from its seed; each failure shows the seed and the document.
"""

from __future__ import annotations

import os
from functools import cache

import pytest
from documents import Case, cases

from barestore.lab.throwaway import throwaway
from tests.lab.converge import converge, converged
from tests.lab.random_disks import SMALL, drawn, has_no_keys, lab_disk

pytestmark = pytest.mark.lab

SEED = int(os.environ.get("BARESTORE_SEED", "4"))
EXAMPLES = int(os.environ.get("BARESTORE_LAB_DOCUMENTS", "20"))


@cache
def examples() -> list[Case]:
    return drawn(cases(SMALL), lambda case: has_no_keys(case.document), EXAMPLES, SEED)


@pytest.mark.parametrize("number", range(EXAMPLES))
def test_apply_twice_changes_nothing(number: int) -> None:
    case = examples()[number]
    print(f"BARESTORE_SEED={SEED}{case!r}")
    disks = [lab_disk(disk) for disk in case.disks if disk.bus in ("scsi", "nvme")]
    with throwaway({"disks": disks}) as vm:
        check = converge(vm, case.document, check=True)
        assert not check["failed"], check["msg"]
        first = converged(vm, case.document)
        assert [one["id"] for one in first["plan"]] == [one["id"] for one in check["plan"]]
        second = converged(vm, case.document)
        assert not second["changed"], [one["id"] for one in second["plan"]]
