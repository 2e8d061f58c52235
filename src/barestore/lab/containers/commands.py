# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands of this machine: what they print, or a sentence about why they failed."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from barestore.lab.errors import LabError


def run(argv: Sequence[str], *, check: bool = True) -> str:
    """Standard output of a command; with ``check``, one that fails is a LabError with its last words."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False)
    except FileNotFoundError as error:
        raise LabError(
            f"{argv[0]} is not installed on this machine; run tests/setup/cluster-host.sh, which installs it"
        ) from error
    if check and done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise LabError(f"{' '.join(argv[:4])} ... ended with code {done.returncode}: {last}")
    return done.stdout
