# SPDX-License-Identifier: GPL-3.0-or-later
"""Two layouts by community.general and ansible.posix in loops, beside barestore: a first and a second run."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from apply import Layout, layouts
from guest import HERE, ROOT, Run, Unmeasured, guest, say
from table import Row, verdict

FASTER, FEWER = 10, 15
VENV = ROOT / ".venv-bench"


@dataclass(frozen=True)
class Compared:
    """A layout, and the playbook of community modules for it; ``groups`` are its variables: serials by their group."""

    layout: Layout
    playbook: str
    groups: Mapping[str, tuple[str, ...]]


def compared() -> tuple[Compared, ...]:
    """The two layouts of the measurement against a script."""
    small, many = layouts()
    hdds = tuple(str(disk["serial"]) for disk in many.machine["disks"])
    small_groups = {
        "logs": ("NVME0001", "NVME0002"),
        "pool": ("HDD0001", "HDD0002"),
        "osd": tuple(f"HDD000{number}" for number in (3, 4, 5, 6)),
    }
    return (Compared(small, "site.yml", small_groups), Compared(many, "disks.yml", {"all_disks": hdds}))


def rows(notes: list[str]) -> Iterator[Row]:
    """Seconds, processes and module launches of both, side by side, for both layouts."""
    tools = bundle()
    for one in compared():
        yield from _rows(one, tools)
    notes.append("programs: successful execve of all modules of a run, their own Python included")


def _rows(one: Compared, tools: Path) -> Iterator[Row]:
    layout, playbook = one.layout, HERE / "community" / one.playbook
    variables = {"host_storage": layout.document}
    with guest(layout.machine) as host:
        ours = [host.playbook(HERE / "host_storage.yml", variables).must_be_good() for _ in range(2)]
        ours_counted = host.playbook(HERE / "host_storage.yml", variables, counted=True).must_be_good()
    with guest(layout.machine) as host:
        links = host.links
        groups = {name: [links[serial] for serial in serials] for name, serials in one.groups.items()}
        theirs = []
        for name in ("first", "second"):
            theirs.append(host.playbook(playbook, groups, tools=tools, collections=""))
            say(f"community.general, {layout.name}, {name} run: {theirs[-1].seconds:.0f} s")
        theirs_counted = host.playbook(playbook, groups, tools=tools, collections="", counted=True)
    first = _failures(theirs[0])
    if theirs[0].code or first:
        raise Unmeasured(f"the first run of community.general fails: {first or theirs[0].output[-2000:]}")
    for number, run in enumerate(("first run", "second run")):
        mine, other = ours[number], theirs[number]
        ratio = other.seconds / mine.seconds
        name = f"{layout.name}, {run}"
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
        f"{layout.name}, nothing to do: programs started by modules (strace)",
        f">= {FEWER} times fewer",
        f"{mine_programs} / {their_programs}",
        verdict(ratio >= FEWER, f"{ratio:.1f} times"),
    )
    failed = _failures(theirs[1])
    yield Row(
        "community",
        f"{layout.name}, second run changes nothing and fails nowhere",
        "yes",
        f"{'changed' if ours[1].module.answer['changed'] else 'yes'} / {failed or 'yes'}",
    )


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
