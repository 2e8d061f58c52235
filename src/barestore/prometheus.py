# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift and audits as files for the textfile collector of Prometheus' node exporter."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from barestore.hostplan import HostPlan
from barestore.lines import lines
from barestore.planfile import whole_file

_GAUGES = (
    ("barestore_drift_actions", "Actions that would bring a host, or a Ceph cluster, back to its document."),
    ("barestore_drift_destroys", "Things on disks, or OSDs, that these actions would destroy."),
    ("barestore_drift_refused", "1 when it is refused, so that nothing would be written."),
    ("barestore_drift_known", "1 when it could be compared with its document."),
)


@dataclass
class Samples:
    """For each host and cluster its labels and four numbers, in the order of the gauges; None where nobody knows."""

    rows: list[tuple[Mapping[str, str], tuple[int | None, ...]]] = field(default_factory=list)

    def add(self, plan: HostPlan) -> None:
        """Count one."""
        known = plan.status not in ("error", "unreachable", "later")
        lost = sum(len(each.lost) for each in lines(plan))
        # A refused host would not be written to, so nobody knows how many actions it is away.
        planned = plan.status in ("changes", "nothing")
        actions, destroys = (len(plan.actions), lost) if planned else (None, None)
        refused = int(plan.status == "refused") if known else None
        labels = {"host": plan.host, "rack": plan.rack} if plan.kind == "host" else {plan.kind: plan.host}
        self.rows.append((labels, (actions, destroys, refused, int(known))))


def text(samples: Samples, site: str, when: float) -> str:
    """The exposition format: one gauge after the other, hosts and clusters in the order in which they came."""
    return "\n".join(_lines(samples, site, when)) + "\n"


def _lines(samples: Samples, site: str, when: float) -> Iterator[str]:
    for number, (name, meaning) in enumerate(_GAUGES):
        yield f"# HELP {name} {meaning}"
        yield f"# TYPE {name} gauge"
        for labels, values in samples.rows:
            if values[number] is not None:
                told = ",".join(f'{key}="{_label(value)}"' for key, value in {"site": site, **labels}.items())
                yield f"{name}{{{told}}} {values[number]}"
    yield from _stamp("barestore_drift_run_timestamp_seconds", "When the site was last compared.", site, when)


def _stamp(name: str, meaning: str, site: str, when: float) -> Iterator[str]:
    yield f"# HELP {name} {meaning}"
    yield f"# TYPE {name} gauge"
    yield f'{name}{{site="{_label(site)}"}} {when:.0f}'


def _label(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def write(path: Path, samples: Samples, site: str) -> None:
    """Replace the file at once; the exporter, which is another user, may read it.

    :raises Failed: it cannot be written.
    """
    _write(path, text(samples, site, time.time()))


def write_audit(path: Path, found: str, unknown: int, site: str) -> None:
    """The same for an audit: ``found`` are the module's metrics, ``unknown`` the hosts that did not answer.

    :raises Failed: it cannot be written.
    """
    rows = [
        "# HELP barestore_audit_hosts_unknown Hosts that the last audit could not look at.",
        "# TYPE barestore_audit_hosts_unknown gauge",
        f'barestore_audit_hosts_unknown{{site="{_label(site)}"}} {unknown}',
        *_stamp(
            "barestore_audit_run_timestamp_seconds", "When clusters and hosts were last compared.", site, time.time()
        ),
    ]
    _write(path, found + "\n".join(rows) + "\n")


def _write(path: Path, content: str) -> None:
    with whole_file(path, "metrics", 0o644) as file:
        file.write(content)
