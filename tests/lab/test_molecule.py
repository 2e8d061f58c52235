# SPDX-License-Identifier: GPL-3.0-or-later
"""Molecule itself: create, converge, idempotence, verify, destroy, by the roles and playbooks that people use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.scenarios import NAMES, ROOT

pytestmark = pytest.mark.lab
# The documents of the others are tried by test_scenarios.py; Molecule adds the roles, which are the same for all.
RUN = NAMES if os.environ.get("FULL") else ("default",)


@pytest.mark.parametrize("name", RUN)
def test_molecule(name: str) -> None:
    programs = Path(sys.executable).parent
    path = f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    done = subprocess.run(
        [str(programs / "molecule"), "test", "--scenario-name", name],
        cwd=ROOT,
        env={**os.environ, "PATH": path, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
