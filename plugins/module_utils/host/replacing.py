# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Disks that leave a group: ``replace: {OLD: NEW}`` puts another one in the place, ``retire: [OLD]`` none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from .state import Former


class Known(Protocol):
    """What a disk is known by."""

    @property
    def id(self) -> str: ...

    @property
    def told_serial(self) -> str: ...

    @property
    def wwn(self) -> str: ...


class Replacing:
    """The words of one group, with what is known of the disks that they name: some of them are gone."""

    def __init__(self, group: Mapping[str, Any], pins: Sequence[Mapping[str, Any]], disks: Iterable[Known]) -> None:
        self._pairs: Mapping[str, str] = group.get("replace", {})
        self._retired = frozenset(group.get("retire", ()))
        known = [Former(pin["id"], pin["serial"], pin["wwn"]) for pin in pins]
        known += [Former(one["id"], one["serial"], one["wwn"]) for pin in pins for one in pin.get("replaces", ())]
        known += [Former(disk.id, disk.told_serial, disk.wwn) for disk in disks if _names(disk) & set(self._pairs)]
        self._known = known

    @property
    def newcomers(self) -> dict[str, str]:
        """The disks that come and stay, each with the one whose place it takes."""
        return {self._last(old): old for old in self._pairs}

    def successor(self, pin: Mapping[str, Any]) -> str | None:
        """The name of the disk that takes the place of a pinned one."""
        return next((self._last(old) for old in self._pairs if old in (pin["serial"], pin["wwn"])), None)

    def retires(self, pin: Mapping[str, Any]) -> bool:
        return bool({pin["serial"], pin["wwn"]} & self._retired)

    def brings(self, disk: Known) -> bool:
        return bool(_names(disk) & set(self.newcomers))

    def leaves(self, disk: Known) -> str:
        """Why a disk is no longer of the group; empty when it is not named as leaving."""
        for old, new in self._pairs.items():
            if old in _names(disk) and old != new:
                return f"{new} takes its place"
        return "it is retired" if _names(disk) & self._retired else ""

    def formers(self, disk: Known) -> tuple[Former, ...]:
        """The disks whose place this one takes, in the order of their names."""
        olds = sorted(old for old in self._pairs if self._last(old) in _names(disk))
        return tuple(self._former(old) for old in olds)

    def _former(self, name: str) -> Former:
        return next((one for one in self._known if name in (one.serial, one.wwn)), Former("", name, ""))

    def _last(self, old: str) -> str:
        """Who takes the place in the end: a newcomer may have been replaced in its turn."""
        seen = {old}
        new = self._pairs[old]
        while new in self._pairs and new not in seen:
            seen.add(new)
            new = self._pairs[new]
        return new


def _names(disk: Known) -> set[str]:
    return {name for name in (disk.told_serial, disk.wwn) if name}
