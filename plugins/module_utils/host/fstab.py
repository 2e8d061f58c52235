# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lines of /etc/fstab: found by mount point, or by source for swap, and never rewritten but by their own line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..plan.model import Action, Command, EditLine, Refusal, Step
from .lines import differing
from .observation import Observation, ReadFile, StatPath

FSTAB = "/etc/fstab"
RESOURCE = "fstab"  # what each action that edits it provides
PROBE = ReadFile(FSTAB)
SYSTEMD = StatPath("/run/systemd/system")


@dataclass(frozen=True)
class Entry:
    """One line: what is mounted where, as what and how."""

    source: str
    path: str
    type: str
    options: str
    line: str = ""


def entries(observation: Observation) -> tuple[Entry, ...]:
    """The lines that say something, with the exact text of each."""
    out = []
    for line in (observation.ask(PROBE) or "").splitlines():
        fields = line.split()
        if len(fields) >= 3 and not fields[0].startswith("#"):
            options = fields[3] if len(fields) > 3 else "defaults"  # mount(8) does without
            out.append(Entry(fields[0], _plain(fields[1]), fields[2], options, line))
    return tuple(out)


def line(source: str, path: str, kind: str, options: str, check: int) -> str:
    return f"{source} {_escaped(path)} {kind} {options} 0 {check}"


def doubled(observation: Observation, path: str) -> Iterator[Refusal]:
    """Several lines for a mount point: systemd takes the first, ``mount -a`` all of them."""
    yield from differing(path, FSTAB, (one.line for one in observation.once(entries) if one.path == path))


def edit(observation: Observation, found: Callable[[Entry], bool], wanted: str) -> tuple[Step, ...]:
    """The step that makes ``wanted`` the line of an entry; none when it is there already."""
    old = next((one.line for one in observation.once(entries) if found(one)), None)
    if old is not None and old.split() == wanted.split():
        return ()
    return (EditLine(FSTAB, old, wanted),)


def reload(observation: Observation, edits: tuple[Step, ...]) -> Iterator[Action]:
    """systemd makes its units from fstab when it is told to: once, after all edits. Every kind that edits yields it."""
    if edits and observation.ask(SYSTEMD):
        yield Action(
            "fstab", "reload", FSTAB, steps=(Command(("systemctl", "daemon-reload")),), needs=frozenset((RESOURCE,))
        )


def _escaped(path: str) -> str:
    return path.replace("\\", "\\134").replace(" ", "\\040").replace("\t", "\\011")


def _plain(path: str) -> str:
    """As the kernel shows it; systemd makes one unit of all spellings."""
    path = path.replace("\\011", "\t").replace("\\040", " ").replace("\\134", "\\")
    return re.sub("/+", "/", path).rstrip("/") or "/"
