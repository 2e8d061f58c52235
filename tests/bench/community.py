# SPDX-License-Identifier: GPL-3.0-or-later
"""The README's layout by community.general and ansible.posix in loops, beside barestore: a first and a second run."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from guest import HERE, ROOT, Run, Unmeasured, guest, lab_document, lab_machine, say
from table import Row, verdict

FASTER, FEWER = 10, 15
VENV = ROOT / ".venv-bench"


def rows(notes: list[str]) -> Iterator[Row]:
    """Seconds, processes and module launches of both, side by side."""
    tools = bundle()
    variables = {"host_storage": lab_document()}
    with guest(lab_machine()) as host:
        ours = [host.playbook(HERE / "host_storage.yml", variables).must_be_good() for _ in range(2)]
        ours_counted = host.playbook(HERE / "host_storage.yml", variables, counted=True).must_be_good()
    with guest(lab_machine()) as host:
        links = {disk.serial: f"/dev/disk/by-id/{disk.link}" for disk in host.vm.machine.disks}
        groups = {
            "logs": [links["NVME0001"], links["NVME0002"]],
            "pool": [links["HDD0001"], links["HDD0002"]],
            "osd": [links[f"HDD000{number}"] for number in (3, 4, 5, 6)],
        }
        theirs = []
        for name in ("first", "second"):
            theirs.append(host.playbook(HERE / "community" / "site.yml", groups, tools=tools, collections=""))
            say(f"community.general, {name} run: {theirs[-1].seconds:.0f} s")
        theirs_counted = host.playbook(
            HERE / "community" / "site.yml", groups, tools=tools, collections="", counted=True
        )
    first = _failures(theirs[0])
    if theirs[0].code or first:
        raise Unmeasured(f"the first run of community.general fails: {first or theirs[0].output[-2000:]}")
    for number, name in enumerate(("first run", "second run")):
        mine, other = ours[number], theirs[number]
        ratio = other.seconds / mine.seconds
        yield Row(
            "community",
            f"{name}, seconds: barestore / community.general",
            f">= {FASTER} times" if number else "",
            f"{mine.seconds:.1f} / {other.seconds:.1f}",
            verdict(ratio >= FASTER, f"{ratio:.1f} times") if number else f"{ratio:.1f} times",
        )
        yield Row(
            "community",
            f"{name}, module launches",
            "",
            f"{len(mine.launches)} / {len(other.launches)}",
            f"{len(other.launches) / max(1, len(mine.launches)):.0f} times",
        )
        yield Row(
            "community",
            f"{name}, forks of the whole host (threads, SSH and udev too)",
            "",
            f"{mine.forks} / {other.forks}",
            f"{other.forks / max(1, mine.forks):.1f} times",
        )
    mine_programs, their_programs = programs(ours_counted), programs(theirs_counted)
    ratio = their_programs / max(1, mine_programs)
    yield Row(
        "community",
        "run with nothing to do, programs started by modules (strace)",
        f">= {FEWER} times fewer",
        f"{mine_programs} / {their_programs}",
        verdict(ratio >= FEWER, f"{ratio:.1f} times"),
    )
    failed = _failures(theirs[1])
    yield Row(
        "community",
        "second run changes nothing and fails nowhere",
        "yes",
        f"{'changed' if ours[1].module.answer['changed'] else 'yes'} / {failed or 'yes'}",
    )
    notes.append("programs: successful execve of all modules of a run, their own Python included")


def programs(run: Run) -> int:
    """Programs of a run: those that modules start, and the Python of each module."""
    return sum(launch.programs + 1 for launch in run.launches)


def bundle() -> Path:
    """The community bundle in an environment of its own, as it is large; quick when it is there."""
    if not (VENV / "bin" / "ansible-playbook").exists():
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        extra = project["optional-dependencies"]["bench"]
        say("installing the extra bench (ansible's community bundle): a few minutes the first time")
        for argv in (
            [sys.executable, "-m", "venv", str(VENV)],
            [str(VENV / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *extra],
        ):
            done = subprocess.run(argv, capture_output=True, text=True, check=False)
            if done.returncode:
                raise Unmeasured(f"the community bundle cannot be installed: {done.stderr.strip()[-500:]}")
    return VENV / "bin"


def _failures(run: Run) -> str:
    """The first failed task in a few words; empty when all went well."""
    found = re.search(r"^TASK \[([^\]]+)\][^\n]*\n(?:(?!^TASK).*\n)*?.*(?:FAILED!|failed:).*?\"msg\": \"([^\"]{0,160})",
                      run.output, re.MULTILINE)  # fmt: skip
    return f"task '{found[1]}' fails: {found[2]}" if found else ""
