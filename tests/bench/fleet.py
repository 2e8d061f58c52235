# SPDX-License-Identifier: GPL-3.0-or-later
"""What a large site costs the command: validate and offline plans of 100, 300 and 1,000 hosts, and a live plan of 50.

The site is written by sites.py. Memory is that of all processes together, each shared page counted once. The hosts of
the live plan are this machine, fifty times over, by local connections; they want nothing of it, which needs no tool.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sites
import yaml
from guest import ROOT, Unmeasured, median
from table import Row, verdict

SECONDS, MEBIBYTES, TIMES_PING, PER_HOST = 60, 500, 2.5, 1.3
SIZES = (100, 300, 1000)
_LIVE_HOSTS = 50
_RUNS = 3
_BIN = ROOT / ".venv" / "bin"
_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Cost:
    """Of one command: seconds on the clock, seconds of processors, MiB of all its processes at most."""

    seconds: float
    processors: float
    mebibytes: float


def rows(notes: list[str]) -> Iterator[Row]:
    """Offline rows for each size, whether they grow with the number of hosts, and the live row."""
    found: dict[tuple[str, int], Cost] = {}
    with tempfile.TemporaryDirectory(prefix="barestore-bench-") as folder:
        for hosts in SIZES:
            inventory, recordings = sites.write(Path(folder, str(hosts)), hosts)
            words = {
                "validate": ("validate", "-i", str(inventory)),
                "plan --observed": ("plan", "-i", str(inventory), "--observed", str(recordings)),
            }
            for name, argv in words.items():
                cost = found[name, hosts] = measured([str(_BIN / "barestore"), *argv], (0, 2))
                good = cost.seconds <= SECONDS and cost.mebibytes <= MEBIBYTES
                yield Row(
                    "fleet",
                    f"{hosts} hosts of {sites.DISKS} disks: {name}",
                    f"<= {SECONDS} s, {MEBIBYTES} MiB" if hosts == SIZES[-1] else "",
                    f"{cost.seconds:.1f} s, {cost.mebibytes:.0f} MiB; {cost.processors:.1f} s of processors",
                    verdict(good) if hosts == SIZES[-1] else "",
                )
    for name in ("validate", "plan --observed"):
        yield _growth(name, [found[name, hosts].processors for hosts in SIZES])
    yield _live()
    notes.append(
        f"fleet: of ten hosts eight are as wanted, one lacks a dataset, one is blank; {sites.DATASETS} datasets each"
    )


def _growth(name: str, seconds: Sequence[float]) -> Row:
    """What a further host costs in the larger step against the smaller one: 1 is a straight line."""
    first = (seconds[1] - seconds[0]) / (SIZES[1] - SIZES[0])
    second = (seconds[2] - seconds[1]) / (SIZES[2] - SIZES[1])
    ratio = second / first
    measured_text = f"{1000 * first:.0f} and {1000 * second:.0f} ms a host"
    return Row("fleet", f"{name}: 100 to 300, 300 to 1,000", "linear", measured_text, verdict(ratio <= PER_HOST))


def _live() -> Row:
    """The command and a ping by turns, so that both meet the same neighbours on this machine."""
    with tempfile.TemporaryDirectory(prefix="barestore-bench-") as name:
        folder = Path(name)
        hosts: dict[str, Any] = {f"host{n:02}": {} for n in range(_LIVE_HOSTS)}
        variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "host_storage": {}}
        (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"vars": variables, "hosts": hosts}}))
        inventory = ["-i", str(folder / "hosts.yml")]
        ping = [str(_BIN / "ansible"), *inventory, "all", "-m", "ansible.builtin.ping", "-f", str(_LIVE_HOSTS)]
        plan = [str(_BIN / "barestore"), "plan", *inventory]
        turns = [(measured(plan, (0,)).seconds, measured(ping, (0,)).seconds) for _ in range(_RUNS)]
    ours, theirs = median([turn[0] for turn in turns]), median([turn[1] for turn in turns])
    return Row(
        "fleet",
        f"{_LIVE_HOSTS} hosts, nothing to do: live plan",
        f"<= {TIMES_PING} x ansible -m ping",
        f"{ours:.1f} s, ping {theirs:.1f} s",
        verdict(ours <= TIMES_PING * theirs, f"{ours / theirs:.1f} x"),
    )


def measured(argv: Sequence[str], good: Sequence[int]) -> Cost:
    """Run a command to its end.

    :raises Unmeasured: it ended with another exit code than those that are good.
    """
    environment: Mapping[str, str] = {**os.environ, "PATH": f"{_BIN}{os.pathsep}{os.environ['PATH']}"}
    before, start, most = os.times(), time.monotonic(), 0.0
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=said)
        while process.poll() is None:
            most = max(most, _memory(process.pid))
            time.sleep(_LOOK_SECONDS)
        seconds, after = time.monotonic() - start, os.times()
        said.seek(0)
        if process.returncode not in good:
            raise Unmeasured(f"{' '.join(argv[:2])} ended with {process.returncode}: {said.read()[-500:]!r}")
    processors = (after.children_user - before.children_user) + (after.children_system - before.children_system)
    return Cost(seconds, processors, most)


def _memory(pid: int) -> float:
    """MiB of a process and all below it, by their proportional sets."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it ended meanwhile
        return 0.0
    own = next((int(line.split()[1]) / 1024 for line in rollup.splitlines() if line.startswith("Pss:")), 0.0)
    return own + sum(_memory(int(child)) for child in children)
