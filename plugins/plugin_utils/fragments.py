# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The fragments of a document: ``host_storage`` and each ``host_storage__<word>``, merged into one.

Ansible replaces dictionaries instead of merging them, so a host in two groups would silently lose
what one of them asks for. Fragments have names of their own and are merged here; a key that two of
them set is an error, because no order between them would be anything but a guess.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..module_utils.host.problems import Path, path_text

VARIABLE = "host_storage"
_FRAGMENT = re.compile(r"^host_storage__[A-Za-z0-9_]+$")
_ALMOST = re.compile(r"^host_?storage[_-]*\w*$", re.IGNORECASE)
SECTIONS = frozenset({"disks", "partitions", "lvm", "zfs", "filesystems", "swap", "local_volumes"})


def is_fragment(name: str) -> bool:
    """Whether a variable of this name is a part of the document."""
    return name == VARIABLE or _FRAGMENT.match(name) is not None


def looks_like_fragment(name: str, value: object) -> bool:
    """Whether somebody meant a fragment but gave it a name that is silently ignored."""
    if is_fragment(name) or not _ALMOST.match(name) or not isinstance(value, Mapping) or not value:
        return False
    return all(key in SECTIONS for key in value)


@dataclass(frozen=True)
class Conflict:
    """A path that two fragments set."""

    path: Path
    first: str
    second: str

    def sentence(self) -> str:
        """What, where and what to do, without the files (the caller may know them)."""
        return (
            f"{path_text(self.path)} is set by both {self.first} and {self.second}; fragments are merged and "
            "never override each other: keep it in one of them"
        )


@dataclass
class Merged:
    """One document, and which variable each part came from."""

    document: dict[str, object] = field(default_factory=dict)
    owners: dict[Path, str] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)

    def variable(self, path: Path) -> str:
        """The variable that set ``path``, or the nearest part above it."""
        for length in range(len(path), -1, -1):
            owner = self.owners.get(path[:length])
            if owner is not None:
                return owner
        return VARIABLE


def plain(value: object) -> object:
    """A copy in plain dictionaries and lists: whatever Ansible put into the containers is left behind."""
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value


def merge(fragments: Mapping[str, object]) -> Merged:
    """Merge fragments by variable name; mappings are merged at every level, anything else is set once.

    A fragment that is no mapping becomes a conflict-free document only when it is alone, so that
    the schema can say what is wrong with it.
    """
    merged = Merged()
    for name in sorted(fragments):
        value = plain(fragments[name])
        if isinstance(value, dict):
            _merge_into(merged, merged.document, value, (), name)
    return merged


def _merge_into(merged: Merged, target: dict[str, object], source: dict[str, object], above: Path, name: str) -> None:
    merged.owners.setdefault(above, name)
    for key, value in source.items():
        path = (*above, key)
        if key not in target:
            target[key] = value
            _own(merged, value, path, name)
            continue
        present = target[key]
        if isinstance(present, dict) and isinstance(value, dict):
            _merge_into(merged, present, value, path, name)
        else:
            merged.conflicts.append(Conflict(path, merged.variable(path), name))


def _own(merged: Merged, value: object, path: Path, name: str) -> None:
    merged.owners[path] = name
    if isinstance(value, dict):
        for key, each in value.items():
            _own(merged, each, (*path, key), name)
