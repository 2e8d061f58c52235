# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An audit: what one host is, or what all that was gathered says of the clusters. Modules call this."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...plan.runner import Runner
from ..observer import Observer
from ..wanted import Wanted
from .facts import host_facts
from .findings import CODES, Finding, findings


def audit(names: Iterable[str], hosts: Iterable[Mapping[str, Any]], config: str, runner: Runner) -> list[Finding]:
    """The findings of all clusters of these names together, with what ``probe`` found on hosts.

    :raises StorageError: a cluster cannot be read, so that nothing can be said.
    """
    clusters, deployments = [], []
    for name in names:
        observer = Observer(runner, Wanted(name, {}, config=config))
        clusters.append(observer.look(whole=True))
        deployments += [one for one in observer.last["kubernetes"] if one["kind"] == "Deployment"]
    return findings(clusters, deployments, [host_facts(one) for one in hosts])


def metrics(found: Iterable[Finding]) -> str:
    """Findings by code as text for Prometheus; a code without a finding is 0, so that an alert can end."""
    counts = dict.fromkeys(CODES, 0)
    for one in found:
        counts[one.code] += 1
    lines = [
        "# HELP barestore_audit_findings Signs that a disk has two owners, by kind.",
        "# TYPE barestore_audit_findings gauge",
        *(f'barestore_audit_findings{{code="{code}"}} {count}' for code, count in counts.items()),
    ]
    return "\n".join(lines) + "\n"
