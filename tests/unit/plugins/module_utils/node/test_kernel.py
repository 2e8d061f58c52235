# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel modules are named for the next boot only once they are loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.node import kernel
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import CommandFailed
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Result, Runner


class Modprobe(Runner):
    """modprobe that knows all modules but one."""

    def run(self, argv: Sequence[str], stdin: str = "") -> Result:
        return Result(tuple(argv), int("absent" in argv), "", "FATAL: Module absent not found", 0.0)


def test_modules_are_loaded_and_named(tmp_path: Path) -> None:
    named = tmp_path / "barestore.conf"
    assert kernel.modules_differ(["overlay", "br_netfilter"], str(named))
    kernel.load(["overlay", "br_netfilter"], str(named), Modprobe())
    assert named.read_text() == "overlay\nbr_netfilter\n"
    assert not kernel.modules_differ(["overlay", "br_netfilter"], str(named))
    assert kernel.modules_differ(["overlay"], str(named))


def test_a_module_that_the_kernel_lacks_is_named_nowhere(tmp_path: Path) -> None:
    named = tmp_path / "barestore.conf"
    with pytest.raises(CommandFailed, match="not found"):
        kernel.load(["overlay", "absent"], str(named), Modprobe())
    assert not named.exists()
