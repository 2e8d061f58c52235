# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which file a host's variable comes from, and where in it each part of the value stands.

The files are found as Ansible finds them and read again with places. A variable that comes from
elsewhere (the command line, a play, a template) has no place, or only that of the variable.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..module_utils.host.problems import Path, Problem
from .fragments import VARIABLE, Merged, document_of
from .located_yaml import Duplicate, LocatedYaml, Place, YamlSyntaxError, locate_yaml

_YAML = (".yml", ".yaml", ".json", "")


class Loader(Protocol):
    """The part of Ansible's DataLoader that is needed here."""

    def find_vars_files(self, path: str, name: str) -> list[str]:
        """The files of one group or host in one directory."""


def shown(file: str) -> str:
    """A file as people write it: relative to where they stand, if it is below."""
    relative = os.path.relpath(file)
    return file if relative.startswith("..") else relative


@functools.lru_cache(maxsize=4096)
def _locate(file: str, _stamp: tuple[int, int]) -> LocatedYaml | YamlSyntaxError | None:
    with open(file, encoding="utf-8") as stream:
        text = stream.read()
    if text.startswith("$ANSIBLE_VAULT;"):
        return None
    try:
        return locate_yaml(text, shown(file))
    except YamlSyntaxError as error:
        return error


def located(file: str) -> LocatedYaml | YamlSyntaxError | None:
    """The places of a file, read once for each version of it; None when it cannot be read."""
    try:
        status = os.stat(file)
        return _locate(file, (status.st_mtime_ns, status.st_size))
    except (OSError, UnicodeDecodeError):
        return None


def origin_file(value: object) -> str | None:
    """The file that Ansible tagged a value with; None where it did not, or does not any more."""
    try:
        from ansible._internal._datatag._tags import Origin

        path: str | None = Origin.get_tag(value).path
    except (ImportError, AttributeError):
        return None
    return path


@dataclass(frozen=True)
class Definition:
    """One variable in one file, at ``root`` (longer than one step in an inventory file)."""

    yaml: LocatedYaml
    root: Path


@dataclass
class HostFiles:
    """The files that Ansible reads for one host, in the order in which a later one wins."""

    host: str
    groups: Sequence[str]
    inventory: Sequence[str]
    files: Sequence[str]

    @classmethod
    def find(
        cls,
        loader: Loader,
        host: str,
        groups: Sequence[str],
        inventory: Sequence[str],
        play: str | None = None,
    ) -> HostFiles:
        """``groups`` in Ansible's order, ``all`` first; ``inventory`` the sources; ``play`` its directory."""
        bases = [each if os.path.isdir(each) else os.path.dirname(each) for each in inventory if "," not in each]
        bases = list(dict.fromkeys(os.path.realpath(base) for base in [*bases, *([play] if play else [])]))
        files: list[str] = []
        for kind, names in (("group_vars", groups[:1]), ("group_vars", groups[1:]), ("host_vars", [host])):
            for base in bases:
                folder = os.path.join(base, kind)
                for name in names if os.path.isdir(folder) else ():
                    files.extend(loader.find_vars_files(folder, name))
        return cls(host, groups, [each for each in inventory if os.path.exists(each)], files)

    def define(self, variable: str, value: object = None) -> Definition | None:
        """Where the variable that won is written."""
        found = [
            Definition(each, (variable,))
            for each in map(_readable, self.files)
            if each is not None and (variable,) in each.keys
        ]
        if not found:
            found = list(self._in_inventory(variable))
        if len(found) > 1:
            file = origin_file(value)
            named = [each for each in found if file is not None and each.yaml.file == shown(file)]
            found = named or found
        return found[-1] if found else None

    def _in_inventory(self, variable: str) -> Iterable[Definition]:
        for source in self.inventory:
            for file in inventory_files(source):
                each = _readable(file)
                if each is None:
                    continue
                paths = each.ending(variable)
                yield from (Definition(each, path) for path in paths if self._of_group(path))
                yield from (Definition(each, path) for path in paths if path[-3:-1] == ("hosts", self.host))

    def _of_group(self, path: Path) -> bool:
        return len(path) > 2 and path[-2] == "vars" and path[-3] in self.groups

    def duplicates(self) -> list[Duplicate]:
        """Keys that a file has twice, in our variables only."""
        return [
            duplicate
            for each in map(_readable, self.files)
            if each is not None
            for duplicate in each.duplicates
            if is_ours(duplicate.path[0])
        ]


def is_ours(variable: object) -> bool:
    """Whether a variable of this name is read by barestore."""
    if not isinstance(variable, str):
        return False
    return document_of(variable) is not None or variable in ("host_storage_consent", "rack")


def _readable(file: str) -> LocatedYaml | None:
    found = located(file)
    return found if isinstance(found, LocatedYaml) else None


def inventory_files(source: str) -> list[str]:
    """The files that make one inventory source, without those of group_vars and host_vars."""
    if not os.path.isdir(source):
        return [source]
    names = sorted(os.listdir(source))
    return [
        os.path.join(source, name)
        for name in names
        if os.path.isfile(os.path.join(source, name)) and os.path.splitext(name)[1] in _YAML
    ]


@dataclass
class HostSource:
    """The source of one host's merged document, or of one other variable of the host."""

    definitions: Mapping[str, Definition | None]
    merged: Merged | None = None
    name: str = VARIABLE
    _roots: dict[str, Path] = field(default_factory=dict)

    def variable(self, path: Path) -> str:
        """The variable that set ``path``."""
        return self.merged.variable(path) if self.merged is not None else self.name

    def place(self, path: Path, key: bool) -> Place | None:
        """Where ``path`` stands in the file of its variable."""
        definition = self.definitions.get(self.variable(path))
        if definition is None:
            return None
        full = (*definition.root, *path)
        return definition.yaml.key_place(full) if key else definition.yaml.value_place(full)

    def text(self, path: Path) -> str | None:
        """What was typed at ``path``."""
        definition = self.definitions.get(self.variable(path))
        return definition.yaml.texts.get((*definition.root, *path)) if definition is not None else None


def source_of(files: HostFiles, merged: Merged, variables: Mapping[str, Any]) -> HostSource:
    """The source of a merged document whose fragments are among ``variables`` (as Ansible holds them)."""
    names = [name for name in variables if document_of(name) == merged.name]
    return HostSource({name: files.define(name, variables[name]) for name in names}, merged, merged.name)


def duplicate_problem(duplicate: Duplicate) -> Problem:
    """A key that is written twice, as a problem at its second place."""
    key, line = duplicate.path[-1], duplicate.first.line
    return Problem(
        duplicate.path,
        f"the key '{key}' is written twice in this mapping, first in line {line}",
        "YAML would silently drop the first; keep one",
    )
