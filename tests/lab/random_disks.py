# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests with random documents share: examples of one seed, and disks as QEMU is told of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, TypeVar

from disk_sets import Scale
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy
from simulated_block import DiskModel

SMALL = Scale(large=False, groups=3, disks=7)
T = TypeVar("T")


def drawn(strategy: SearchStrategy[T], is_fit: Callable[[T], bool], number: int, of_seed: int) -> list[T]:
    """So many different examples of a seed, from the richer half of what was drawn."""
    found: list[T] = []

    @seed(of_seed)
    @settings(
        max_examples=number * 5,
        phases=(Phase.generate,),
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def draw(one: T) -> None:
        found.append(one)

    draw()
    # Hypothesis may draw one document more than once.
    different = [one for one in {repr(one): one for one in found}.values() if is_fit(one)]
    rich = sorted(different, key=lambda one: -len(repr(one)))[: 2 * number]
    return random.Random(of_seed).sample(rich, number)


def has_no_keys(document: dict[str, Any]) -> bool:
    """Keys take minutes where the processor is emulated, and clevis and TPM2 are not there: test_layers.py."""
    return "luks" not in document


def lab_disk(disk: DiskModel) -> dict[str, Any]:
    """The same disk as QEMU is told of it."""
    kind = "nvme" if disk.bus == "nvme" else "hdd" if disk.rotational else "ssd"
    out: dict[str, Any] = {"serial": disk.serial, "type": kind, "size": f"{disk.size} B", "sector_size": disk.sector}
    if disk.bus != "nvme":
        out.update({"wwn": disk.wwn, "vendor": disk.vendor, "model": disk.model, "bus_slot": disk.port})
    return out
