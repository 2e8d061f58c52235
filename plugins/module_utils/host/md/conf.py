# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lines of mdadm.conf: an array that is named there comes back under its name after a boot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...plan.model import EditLine, Refusal, Step
from ..lines import differing
from ..observation import Observation, ReadFile, StatPath
from .request import node_of

# Debian's mdadm reads the first and the RHEL family's the second; each brings what tells them apart.
_DEBIAN, _OTHER = "/etc/mdadm/mdadm.conf", "/etc/mdadm.conf"
_FOLDER = StatPath("/etc/mdadm")


def edit(observation: Observation, name: str, uuid: str) -> tuple[Step, ...]:
    """The step that makes the line of an array ours; none when it is. ``uuid`` is in mdadm's spelling."""
    wanted = f"ARRAY {node_of(name)} metadata=1.2 UUID={uuid}"
    path = _path(observation)
    for line in _lines(observation):
        if _is_of(line, uuid):
            return () if line.split()[1] == node_of(name) else (EditLine(path, line, wanted),)
    return (EditLine(path, None, wanted),)


def foreign(observation: Observation, name: str, uuid: str, others: Iterable[str]) -> Iterator[Refusal]:
    """Lines that are not ours to rewrite: ``uuid`` is that of the array, ``others`` those of other arrays here."""
    target, path = f"array {name}", _path(observation)
    yield from differing(target, path, (line for line in _lines(observation) if _is_of(line, uuid)))
    for line in _lines(observation):
        if line.split()[1] == node_of(name) and any(_is_of(line, other) for other in others):
            why = f"{path} gives this name to another array that is here"
            yield Refusal(target, why, "choose another name, or correct that line")


def _is_of(line: str, uuid: str) -> bool:
    return f"uuid={uuid}" in line.lower().split()


def _path(observation: Observation) -> str:
    return _DEBIAN if observation.ask(_FOLDER) else _OTHER


def _lines(observation: Observation) -> Iterator[str]:
    for line in (observation.ask(ReadFile(_path(observation))) or "").splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "ARRAY":
            yield line
