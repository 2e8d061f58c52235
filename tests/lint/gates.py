# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs every static gate, two at a time, and prints one line for each; the whole output where one fails."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = ROOT / ".venv" / "bin"
# The oldest Python that mypy still checks for. Managed hosts run 3.9: ruff and ansible-test cover that.
PLUGIN_PYTHON = "3.10"


@dataclass(frozen=True)
class Gate:
    name: str
    argv: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    gate: Gate
    code: int
    output: str
    seconds: float

    def line(self) -> str:
        lines = [line for line in self.output.splitlines() if line.strip()]
        last = lines[-1].strip() if lines and not self.code else ""
        return f"{'FAIL' if self.code else 'ok':<4} {self.gate.name:<16} {self.seconds:5.1f} s  {last}".rstrip()


def environment() -> dict[str, str]:
    keep = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**keep, "PATH": path, "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def files() -> list[Path]:
    argv = ["git", "ls-files", "-coz", "--exclude-standard", "--", ":!collections"]
    names = subprocess.run(argv, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return [Path(name) for name in names if name and (ROOT / name).is_file()]


def is_shell(path: Path) -> bool:
    if path.suffix in (".sh", ".bash"):
        return True
    if path.suffix:
        return False
    with (ROOT / path).open("rb") as stream:
        first = stream.readline(80)
    return first.startswith(b"#!") and first.rstrip().endswith(b"sh")


def gates() -> list[Gate]:
    here = files()
    shell = tuple(str(path) for path in here if is_shell(path))
    github = tuple(str(path) for path in sorted((ROOT / "examples/gitops/github").glob("*.yml")))
    gitlab = ("examples/gitops/gitlab/.gitlab-ci.yml",)
    plugin_package = "ansible_collections.barestore.storage.plugins"
    python = sys.executable
    # The slow ones first, so that the two lanes end together.
    return [
        Gate("ansible-test", (python, "tests/sanity/run.py")),
        Gate("ansible-lint", ("ansible-lint", "--offline", "--nocolor", "--strict")),
        Gate("galaxy", (python, "tests/build/collection.py", "check")),
        Gate("mypy plugins", ("mypy", f"--python-version={PLUGIN_PYTHON}", "-p", plugin_package)),
        Gate("mypy src", ("mypy", "-p", "barestore")),
        Gate(
            "mypy tests",
            ("mypy", "tests/run.py", "tests/lint", "tests/build", "tests/sanity", "tests/bench", "tests/cluster"),
        ),
        Gate("ruff check", ("ruff", "check", "--no-fix", "--output-format=concise", ".")),
        Gate("ruff format", ("ruff", "format", "--check", ".")),
        Gate("yamllint", ("yamllint", "--strict", ".")),
        Gate("shellcheck", ("shellcheck", "--severity=style", "--external-sources", *shell)),
        Gate("actionlint", ("tests/lint/actionlint.sh", *github)),
        Gate("GitHub schema", ("check-jsonschema", "--builtin-schema=vendor.github-workflows", *github)),
        Gate("GitLab schema", ("check-jsonschema", "--builtin-schema=vendor.gitlab-ci", *gitlab)),
        Gate("schemas", (python, "tests/lint/schemas.py")),
        Gate("links", (python, "tests/lint/links.py")),
        Gate("changelog", ("antsibull-changelog", "lint")),
    ]


def run(gate: Gate) -> Result:
    started = time.monotonic()
    done = subprocess.run(
        gate.argv,
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return Result(gate, done.returncode, done.stdout, time.monotonic() - started)


def main() -> int:
    failed = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        for future in as_completed([pool.submit(run, gate) for gate in gates()]):
            result = future.result()
            print(result.line(), flush=True)
            # What a gate could not run is said when it passes too.
            output = result.output.rstrip().splitlines()
            if not result.code:
                output = [line for line in output if line.startswith("not run: ")]
            for line in output:
                print(f"     | {line}", flush=True)
            if result.code:
                failed.append(result.gate.name)
    if failed:
        print(f"lint: {len(failed)} failed: {', '.join(sorted(failed))}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
