# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lines of mdadm.conf: an array that is named there comes back under its name after a boot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...plan.model import EditLine, Refusal, Step
from ..lines import differing
from ..observation import Observation, ReadFile, StatPath
from .request import NODES, node_of
from .superblock import spelled

# Debian's mdadm reads the first and the RHEL family's the second; each brings what tells them apart.
_DEBIAN, _OTHER = "/etc/mdadm/mdadm.conf", "/etc/mdadm.conf"
_FOLDER = StatPath("/etc/mdadm")
_ABBREVIATED = 3  # letters that are enough of a keyword, in either case (mdadm.conf(5), as all that is read here)


@dataclass(frozen=True)
class _Entry:
    """What mdadm.conf says of an array: its lines, without comments, and what they mean to mdadm."""

    lines: tuple[str, ...]
    node: str
    uuid: str


def edit(observation: Observation, name: str, uuid: str) -> tuple[Step, ...]:
    """The step that makes the line of an array ours; none when it is. ``uuid`` is in mdadm's spelling."""
    wanted = f"ARRAY {node_of(name)} metadata=1.2 UUID={uuid}"
    path = _path(observation)
    for entry in _entries(observation):
        if entry.uuid == uuid:
            return () if entry.node == node_of(name) else (EditLine(path, entry.lines[0], wanted),)
    return (EditLine(path, None, wanted),)


def foreign(observation: Observation, name: str, uuid: str, others: Iterable[str]) -> Iterator[Refusal]:
    """Lines that are not ours to rewrite: ``uuid`` is that of the array, ``others`` those of other arrays here."""
    target, path = f"array {name}", _path(observation)
    entries, taken = list(_entries(observation)), set(others)
    ours = [entry for entry in entries if entry.uuid == uuid]
    yield from differing(target, path, ("\n".join(entry.lines) for entry in ours))
    if any(len(entry.lines) > 1 for entry in ours):
        yield Refusal(target, f"{path} gives it another name, on more than one line", "write that on one line")
    if any(entry.node == node_of(name) and entry.uuid in taken for entry in entries):
        why = f"{path} gives this name to another array that is here"
        yield Refusal(target, why, "choose another name, or correct that line")


def _path(observation: Observation) -> str:
    return _DEBIAN if observation.ask(_FOLDER) else _OTHER


def _entries(observation: Observation) -> Iterator[_Entry]:
    told: list[list[str]] = []
    for line in (observation.ask(ReadFile(_path(observation))) or "").splitlines():
        if not _words(line):
            continue
        if line[0].isspace() and told:
            told[-1].append(line)
        else:
            told.append([line])
    for lines in told:
        keyword, *words = (word for line in lines for word in _words(line))
        if len(keyword) >= _ABBREVIATED and "array".startswith(keyword.lower()):
            nodes = (word for word in words if word.startswith("/") or "=" not in word)
            uuids = (word.partition("=")[2] for word in words if word.lower().startswith("uuid="))
            node = next(nodes, "")
            yield _Entry(
                tuple(lines), node if node.startswith("/") else f"{NODES.path}/{node}", spelled(next(uuids, ""))
            )


def _words(line: str) -> list[str]:
    words = line.split()
    comment = next((place for place, word in enumerate(words) if word.startswith("#")), len(words))
    return words[:comment]
