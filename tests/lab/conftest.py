# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tests run without ``FULL=1``, and the words about those that do not."""

from __future__ import annotations

import os
from collections import Counter

import pytest

_MINUTES = "seen to pass; its minutes are more than CI has for what others show as well"
# A part of a test's id: why it waits for FULL=1.
LATER = {
    **{
        f"test_scenarios.py::test_everything_comes_back_after_a_boot[{name}]": _MINUTES
        for name in ("lvm", "zfs", "grow", "large-sectors")
    },
    **{
        f"test_zfs.py::{name}": _MINUTES
        for name in ("test_properties_in_all_spellings", "test_keys_and_unmounted", "test_nothing_is_added_to_a_pool")
    },
    **{
        f"test_layers.py::{name}": _MINUTES
        for name in ("test_all_layers_grow", "test_everything_comes", "test_health_is_told", "test_what_was_closed")
    },
    **{
        f"test_scenarios.py::test_a_permuted_document_and_other_kernel_names_give_the_same_digest[{name}]": _MINUTES
        for name in ("lvm", "zfs", "grow", "large-sectors")
    },
    "test_faults.py": "seen to pass, once without the pulled disk, which the guest did not let go of in four minutes",
    "test_kill_matrix.py": "each stop is a launch, hundreds of them; docs/crash-safety.md says what was seen",
    "test_lvm_day2.py": _MINUTES,
    "test_random_documents.py": "twenty hosts' worth of minutes",
    "test_sequences.py": "thirty hosts' worth of minutes",
    "test_role.py": "it installs packages inside an emulated host: minutes, and the Debian archive must answer there",
    "test_zfs_day2.py": _MINUTES,
    "test_udev.py::test_a_disk_that_somebody_keeps_locked": _MINUTES,
    "lab/test_story.py": _MINUTES,
    "lab/test_secrets.py": _MINUTES,
    "test_swaps.py::test_contents_of_a_used": _MINUTES,
    "test_swaps.py::test_names": _MINUTES,
    "test_swaps.py::test_what_was": _MINUTES,
    "lab/test_fleet.py": _MINUTES,
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
