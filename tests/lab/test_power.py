# SPDX-License-Identifier: GPL-3.0-or-later
"""The power fails after a run, on disks that lose what nobody had them flush: what was made is there."""

from __future__ import annotations

from typing import Any

import pytest

from barestore.lab.throwaway import throwaway
from tests.lab.converge import converged

pytestmark = pytest.mark.lab

DISKS: list[dict[str, Any]] = [{"serial": serial, "type": "hdd", "size": "1 GiB"} for serial in ("L0", "L1")]
DOCUMENT: dict[str, Any] = {
    "disks": {"l": {"match": {"serial": "L*"}, "count": 2}},
    "lvm": {"vg": {"physical_volumes": ["l"], "volumes": {"raw": {"size": "100 MiB"}}}},
}


def test_what_lvm_was_told_is_there_after_a_power_cut() -> None:
    """LVM flushes none of what it writes about itself."""
    with throwaway({"disks": DISKS}, say=print, forgets=True) as vm:
        assert converged(vm, DOCUMENT)["changed"]
        vm.power_cut()
        vm.boot()
        assert vm.ssh("vgs --noheadings -o pv_count,lv_count vg").stdout.split() == ["2", "1"]
        assert not converged(vm, DOCUMENT)["changed"]
