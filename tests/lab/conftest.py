# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tests run without ``FULL=1``, and the words about those that do not."""

from __future__ import annotations

import os
from collections import Counter

import pytest

_STEPS = ("_touches_nothing", "_for_writing", "_same_digest", "_after_a_boot")  # of test_scenarios.py
_MINUTES = "seen to pass; its minutes are more than CI has for what others show as well"
# A part of a test's id: why it waits for FULL=1.
LATER = {
    **dict.fromkeys(
        (
            "test_faults.py",
            "test_fleet.py",
            "test_layers.py::test_all_layers_grow",
            "test_layers.py::test_everything_comes",
            "test_layers.py::test_health_is_told",
            "test_layers.py::test_what_was_closed",
            "test_lvm.py::test_a_group_with_volumes_of_others",
            "test_lvm_day2.py",
            "test_refusals.py::test_an_interrupted_run_goes_on_when_it_is_run_again[TERM]",
            *(f"{step}[{name}]" for step in _STEPS for name in ("grow", "lvm", "zfs")),
            *(f"{step}[large-sectors]" for step in _STEPS[1:]),
            "_after_a_boot[default]",
            "test_secrets.py",
            "test_story.py",
            "test_swaps.py::test_contents_of_a_used",
            "test_swaps.py::test_names",
            "test_swaps.py::test_slots",
            "test_swaps.py::test_what_was",
            "test_udev.py::test_a_disk_that_somebody_keeps_locked",
            "test_udev.py::test_partitions_stay",
            "test_virtual_host.py::test_storage_comes_back_after_a_clean_boot",
            "test_wipe.py::test_contents_that_change_places",
            "test_zfs.py::test_a_killed_creation",
            "test_zfs.py::test_a_pool_of_another_host",
            "test_zfs.py::test_grown_disks",
            "test_zfs.py::test_keys_and_unmounted",
            "test_zfs.py::test_mounts_follow",
            "test_zfs.py::test_nothing_is_added_to_a_pool",
            "test_zfs.py::test_properties_in_all_spellings",
            "test_zfs.py::test_raidz",
            "test_zfs_day2.py",
        ),
        _MINUTES,
    ),
    "test_kill_matrix.py": "each stop is a launch, hundreds of them; docs/crash-safety.md says what was seen",
    "test_random_documents.py": "twenty hosts' worth of minutes",
    "test_sequences.py": "thirty hosts' worth of minutes",
    "test_role.py": "it installs packages inside an emulated host: minutes, and the Debian archive must answer there",
}
_left: dict[str, str] = {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests that have been seen to pass in CI's time; the others are named, never dropped in silence."""
    if os.environ.get("FULL"):
        return
    kept, later = [], []
    for item in items:
        reason = next((why for part, why in LATER.items() if part in item.nodeid), "")
        if reason:
            later.append(item)
            _left[item.nodeid] = reason
        else:
            kept.append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=later)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each test, cases of it counted."""
    for (name, reason), cases in Counter((name.partition("[")[0], why) for name, why in _left.items()).items():
        times = f" ({cases} cases)" if cases > 1 else ""
        terminalreporter.write_line(f"left for FULL=1: {name}{times}: {reason}")
