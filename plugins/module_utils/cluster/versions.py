# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one support matrix: which versions go together. Facts and their sources are in docs/ceph.md."""

from __future__ import annotations

import re
from collections.abc import Iterator

# What the makers support: Rook 1.31 to 1.36, TopoLVM 1.33 to 1.35, and what is tested here.
KUBERNETES = ((1, 33), (1, 35))
KUBERNETES_DEFAULT = "1.34.4"
ROOK = ("v1.20.6",)
# Rook v1.20 takes Squid (19.2) and Tentacle (20.2).
CEPH_LEAST = (19, 2, 0)
CEPH_MAJORS = (19, 20)
# Data corruption with read affinity, rook#16839.
CEPH_REFUSED = {(20, 2, 0): "it corrupts data with read affinity (rook issue 16839)"}
CEPH_DEFAULT = "v20.2.4"
TOPOLVM_CHARTS = ("17.1.0",)


def numbers(text: str) -> tuple[int, ...]:
    """``v20.2.4-20250101`` as ``(20, 2, 4)``."""
    return tuple(int(each) for each in re.findall(r"[0-9]+", text.partition("-")[0]))


def kubernetes_problem(text: str) -> tuple[str, str] | None:
    """What is wrong with a version of Kubernetes and what to do; None when it is supported."""
    low, high = KUBERNETES
    if low <= numbers(text)[:2] <= high:
        return None
    span = f"{low[0]}.{low[1]} to {high[0]}.{high[1]}"
    message = f"Kubernetes {text} is not supported by Rook {ROOK[0]} and TopoLVM {TOPOLVM_CHARTS[0]} together"
    return message, f"write a version from {span}, such as {KUBERNETES_DEFAULT}"


def ceph_problem(text: str) -> tuple[str, str] | None:
    """What is wrong with a version of Ceph and what to do; None when it is supported."""
    version = numbers(text)
    advice = f"write a supported version, such as {CEPH_DEFAULT}"
    if version in CEPH_REFUSED:
        return f"Ceph {text} is refused: {CEPH_REFUSED[version]}", advice
    if version < CEPH_LEAST:
        least = ".".join(map(str, CEPH_LEAST))
        return f"Ceph {text} is too old for Rook {ROOK[0]}, which needs v{least} at least", advice
    if version[0] not in CEPH_MAJORS:
        return f"Ceph {text} is newer than what Rook {ROOK[0]} supports", advice
    return None


def rook_problem(text: str) -> tuple[str, str] | None:
    """What is wrong with a version of Rook and what to do; None when it is the one that is tested."""
    if text in ROOK:
        return None
    return f"Rook {text} is not one that barestore was tested with", f"write {', '.join(ROOK)}"


def chart_problems(text: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a version of TopoLVM's chart."""
    if text not in TOPOLVM_CHARTS:
        yield f"chart {text} of TopoLVM is not one that barestore knows", f"write {', '.join(TOPOLVM_CHARTS)}"
