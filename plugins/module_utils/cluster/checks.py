# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What no schema can say of one document of a site, looked at by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Callable

from ..host.problems import Problem
from .checks_ceph import check_ceph
from .checks_kubernetes import check_kubernetes
from .checks_sources import check_sources
from .checks_topolvm import check_topolvm

_CHECKS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Problem]]] = {
    "ceph": check_ceph,
    "kubernetes": check_kubernetes,
    "sources": check_sources,
    "topolvm": check_topolvm,
}


def check_section(name: str, document: Mapping[str, Any]) -> Iterator[Problem]:
    """Problems of a document that is valid by its schema; paths start below the variable."""
    return _CHECKS[name](document)
