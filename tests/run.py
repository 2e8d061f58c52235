# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the layers of tests, and says which of them it left out and why.

usage: run.py lint|unit|property|browser|loop|lab|cluster|bench|test|docs|build
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
PYTEST_NOTHING_COLLECTED = 5


@dataclass(frozen=True)
class Outcome:
    layer: str
    state: str  # passed, failed, left out, or no time
    seconds: float = 0.0
    reason: str = ""


def environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}", "NO_COLOR": "1"}


def call(*argv: str) -> int:
    return subprocess.run(argv, cwd=ROOT, env=environment(), check=False).returncode


def no_reason() -> str:
    return ""


def why_no_loop() -> str:
    if os.geteuid() != 0:
        return "needs root for loop devices and mounts; run: sudo make loop"
    if not Path("/dev/loop-control").exists():
        return "this machine has no /dev/loop-control"
    return script_words("loop-host.sh")


def why_no_lab() -> str:
    return script_words("lab-host.sh")


def why_no_cluster() -> str:
    return script_words("venv.sh", "dev,cluster") or script_words("cluster-host.sh")


def why_no_browser() -> str:
    for name in ("playwright", "axe_playwright_python"):
        if not any((ROOT / ".venv/lib").glob(f"python3*/site-packages/{name}")):
            return f"needs {name} in .venv; run: make setup"
    return script_words("browser-host.sh")


def script_words(name: str, *words: str) -> str:
    """Run a script of tests/setup that installs what a layer needs: empty, or its last words when it failed."""
    script = ROOT / "tests" / "setup" / name
    last = ""
    with subprocess.Popen(
        [str(script), *words],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            sys.stdout.write(line)
            sys.stdout.flush()
            last = line.strip() or last
    return last or f"{script.name}: exit code {process.returncode}" if process.returncode else ""


WHY_NOT: dict[str, Callable[[], str]] = {
    "browser": why_no_browser,
    "loop": why_no_loop,
    "lab": why_no_lab,
    "cluster": why_no_cluster,
}
MARKED = ("browser", "loop", "lab", "cluster")
# The lab is not among them: two emulated hosts beside each other were a fifth faster, and each test took twice as long.
WORKERS = dict.fromkeys(("unit", "property"), ("--numprocesses=2", "--dist=loadfile"))
CI_MINUTES = 85  # of 90: some are gone before this begins
# What a layer may take where nothing is cached: CI begins it only while so much of its time is left.
LONGEST_MINUTES = {"cluster": 36}


def pytest_layer(layer: str) -> Outcome:
    if not any((ROOT / "tests" / layer).glob("**/test_*.py")):
        return Outcome(layer, "left out", reason=f"tests/{layer} has no tests yet")
    started = time.monotonic()
    if reason := WHY_NOT.get(layer, no_reason)():
        return Outcome(layer, "left out", time.monotonic() - started, reason)
    marker = ["-m", layer] if layer in MARKED else []
    slow = ["--durations=12", "--durations-min=20"]  # where the minutes go
    code = call(str(BIN / "pytest"), "-q", "-rs", *slow, *WORKERS.get(layer, ()), f"tests/{layer}", *marker)
    seconds = time.monotonic() - started
    if code == PYTEST_NOTHING_COLLECTED:
        return Outcome(layer, "left out", seconds, f"no test in tests/{layer} was selected")
    return Outcome(layer, "failed" if code else "passed", seconds, f"pytest exit code {code}" if code else "")


def script_layer(layer: str, *argv: str) -> Outcome:
    started = time.monotonic()
    code = call(sys.executable, *argv)
    return Outcome(
        layer,
        "failed" if code else "passed",
        time.monotonic() - started,
        "see the gates above" if code else "",
    )


_WITHOUT_LAB = {"plan", "fleet", "report", "cluster"}


def bench_layer() -> Outcome:
    """Measurements are no tests: ONLY=plan,noop chooses among them, and no number makes them fail."""
    wanted = set(os.environ.get("ONLY", "").replace(",", " ").split())
    if (not wanted or wanted - _WITHOUT_LAB) and (reason := why_no_lab()):
        return Outcome("bench", "left out", reason=reason)
    if (not wanted or "report" in wanted) and (reason := why_no_browser()):
        return Outcome("bench", "left out", reason=reason)
    if "cluster" in wanted and (reason := why_no_cluster()):
        return Outcome("bench", "left out", reason=reason)
    started = time.monotonic()
    code = call(sys.executable, "tests/bench/run.py")
    reason = "something could not be measured; the table says why" if code else ""
    return Outcome("bench", "failed" if code else "passed", time.monotonic() - started, reason)


def run_layer(layer: str) -> Outcome:
    print(f"== {layer}", flush=True)
    if layer == "lint":
        return script_layer(layer, "tests/lint/gates.py")
    if layer == "bench":
        return bench_layer()
    if layer in ("docs", "build"):
        return script_layer(layer, "tests/build/collection.py", layer)
    return pytest_layer(layer)


def on_ci() -> bool:
    return os.environ.get("CI", "").lower() == "true"


def in_time(layer: str, started: float) -> Outcome:
    """Run a layer; on CI only where there is time for the longest that it may take, since CI ends hard."""
    gone = (time.monotonic() - started) / 60
    longest = LONGEST_MINUTES.get(layer, 0)
    if longest and on_ci() and gone + longest > CI_MINUTES:
        why = f"{gone:.0f} of {CI_MINUTES} minutes are gone, and it may take {longest}; run: make {layer}"
        return Outcome(layer, "no time", reason=why)
    return run_layer(layer)


def verdict(outcomes: list[Outcome]) -> int:
    strict = on_ci()
    print("== summary")
    for outcome in outcomes:
        reason = f"  {outcome.reason}" if outcome.reason else ""
        print(f"{outcome.state:<9} {outcome.layer:<9} {outcome.seconds:6.1f} s{reason}")
    bad = [outcome for outcome in outcomes if outcome.state == "failed"]
    if strict:
        bad += [outcome for outcome in outcomes if outcome.state == "left out"]
        if any(outcome.state == "left out" for outcome in outcomes):
            print("CI=true: a layer that was left out is a failure.")
    return 1 if bad else 0


def main() -> int:
    layers = ("lint", "unit", "property", "browser", "loop", "lab", "cluster", "bench", "docs", "build")
    if len(sys.argv) != 2 or sys.argv[1] not in (*layers, "test"):
        print(__doc__, file=sys.stderr)
        return 2
    if sys.argv[1] == "test":
        started = time.monotonic()
        outcomes = [
            in_time(layer, started) for layer in ("lint", "unit", "property", "browser", "loop", "lab", "cluster")
        ]
    else:
        outcomes = [run_layer(sys.argv[1])]
    return verdict(outcomes)


if __name__ == "__main__":
    sys.exit(main())
