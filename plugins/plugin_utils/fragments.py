# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The fragments of a document, such as ``host_storage`` and each ``host_storage__<word>``, merged into one.

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
# The documents of a site as a whole, by the variable that holds them.
CLUSTER_VARIABLES = ("ceph", "kubernetes", "sources", "topolvm")
_FRAGMENT = re.compile(rf"^({'|'.join((VARIABLE, *CLUSTER_VARIABLES))})(__[A-Za-z0-9_]+)?$")
# Of words that other roles use too, only the name with two underscores is ours.
_ALMOST = {
    VARIABLE: re.compile(r"^host_?storage[_-]*\w*$", re.IGNORECASE),
    "ceph": re.compile(r"^ceph[_-]+\w*$", re.IGNORECASE),
    "topolvm": re.compile(r"^topolvm[_-]+\w*$", re.IGNORECASE),
}
_SECTIONS = {
    VARIABLE: frozenset({"disks", "partitions", "lvm", "zfs", "filesystems", "swap", "local_volumes"}),
    "ceph": frozenset({"version", "rook", "clusters"}),
    "topolvm": frozenset({"chart", "device_classes", "storage_classes", "autoresizer"}),
}


def document_of(name: str) -> str | None:
    """The document that a variable of this name is a part of; None when it is none of ours."""
    found = _FRAGMENT.match(name)
    return found[1] if found else None


def is_fragment(name: str, document: str = VARIABLE) -> bool:
    """Whether a variable of this name is a part of the document."""
    return document_of(name) == document


def looks_like_fragment(name: str, value: object, document: str = VARIABLE) -> bool:
    """Whether somebody meant a fragment but gave it a name that is silently ignored."""
    almost = _ALMOST.get(document)
    if document_of(name) or almost is None or not almost.match(name) or not isinstance(value, Mapping) or not value:
        return False
    return all(key in _SECTIONS[document] for key in value)


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
    name: str = VARIABLE

    def variable(self, path: Path) -> str:
        """The variable that set ``path``, or the nearest part above it."""
        for length in range(len(path), -1, -1):
            owner = self.owners.get(path[:length])
            if owner is not None:
                return owner
        return self.name


def plain(value: object) -> object:
    """A copy in plain dictionaries and lists: whatever Ansible put into the containers is left behind."""
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value


def merge(fragments: Mapping[str, object], document: str = VARIABLE) -> Merged:
    """Merge fragments by variable name; mappings are merged at every level, anything else is set once.

    A fragment that is no mapping becomes a conflict-free document only when it is alone, so that
    the schema can say what is wrong with it.
    """
    merged = Merged(name=document)
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
