# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures the numbers to hold and prints one table; also build/bench.json and build/bench.md.

usage: run.py [plan] [osds] [fleet] [report] [noop] [apply] [community] [volumes] [safety] [cluster]
default: ONLY of the environment, or all but safety, which takes long, and cluster, which needs the native test bed

Nothing here fails because a number is off: a busy machine is no defect. It fails when something cannot be measured.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "collections")]

import apply  # noqa: E402
import cluster  # noqa: E402
import community  # noqa: E402
import fleet  # noqa: E402
import noop  # noqa: E402
import osds  # noqa: E402
import planning  # noqa: E402
import report  # noqa: E402
import safety  # noqa: E402
import volumes  # noqa: E402
from guest import ROOT, Unmeasured  # noqa: E402
from table import Row, keep, show  # noqa: E402

from barestore.lab.errors import LabError  # noqa: E402

Section = Callable[[list[str]], Iterator[Row]]
SECTIONS: dict[str, Section] = {
    "plan": planning.rows,
    "osds": osds.rows,
    "fleet": fleet.rows,
    "report": report.rows,
    "noop": noop.rows,
    "apply": apply.rows,
    "community": community.rows,
    "volumes": volumes.rows,
    "safety": safety.rows,
    "cluster": cluster.rows,
}
APART = ("safety", "cluster")


def main() -> int:
    wanted = sys.argv[1:] or os.environ.get("ONLY", "").replace(",", " ").split()
    wanted = wanted or [name for name in SECTIONS if name not in APART]
    unknown = [name for name in wanted if name not in SECTIONS]
    if unknown:
        print(f"bench: there is no {unknown[0]}; there are {', '.join(SECTIONS)}", file=sys.stderr)
        return 2
    rows: list[Row] = []
    notes = [f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start, Python {platform.python_version()}"]
    failed = False
    for name in (name for name in SECTIONS if name in wanted):
        started = time.monotonic()
        try:
            rows.extend(SECTIONS[name](notes))
        except (Unmeasured, LabError) as error:
            failed = True
            rows.append(Row(name, name, "", "not measured", str(error)))
        print(f"bench: {name} took {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    show(rows)
    print(*(f"- {note}" for note in notes), sep="\n")
    keep(rows, notes, ROOT / "build")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
