# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""YAML with places: which line and column of a file each path of a document comes from."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from ..module_utils.host.problems import Path

# The C loader is ten times faster and gives the same marks; not every PyYAML has it.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Place:
    """A spot in a file; lines and columns count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class YamlSyntaxError(ValueError):
    """A file that is no YAML; ``place`` says where, the text says what."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place


@dataclass(frozen=True)
class Duplicate:
    """A key that a mapping has twice; YAML would silently keep the second."""

    path: Path
    first: Place
    second: Place


@dataclass
class LocatedYaml:
    """Places of the keys and values of one file, and the text of each plain scalar as it was typed."""

    file: str
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    texts: dict[Path, str] = field(default_factory=dict)
    duplicates: list[Duplicate] = field(default_factory=list)

    @functools.cached_property
    def _endings(self) -> dict[object, list[Path]]:
        endings: dict[object, list[Path]] = {}
        for path in self.keys:
            endings.setdefault(path[-1], []).append(path)
        return endings

    def ending(self, key: str) -> list[Path]:
        """Every path whose last key this is."""
        return self._endings.get(key, [])

    def resolve(self, path: Path) -> Path:
        """The nearest path that the file has: steps that it lacks are left out.

        So ``data[0].mirror`` finds ``data.mirror`` where a person wrote one vdev instead of a list.
        """
        found: Path = ()
        for step in path:
            if (*found, step) in self.values:
                found = (*found, step)
        return found

    def key_place(self, path: Path) -> Place | None:
        """Where the last key of ``path`` stands; for an element of a list, the element."""
        found = self.resolve(path)
        return self.keys.get(found) or self.values.get(found)

    def value_place(self, path: Path) -> Place | None:
        """Where the value of ``path`` starts; for a value on lines of its own, the key."""
        found = self.resolve(path)
        value, key = self.values.get(found), self.keys.get(found)
        return key if value and key and value.line != key.line else value


def locate_yaml(text: str, file: str, only: tuple[str, ...] | None = None) -> LocatedYaml:
    """Places of everything in ``text``; with ``only``, below these top-level keys.

    :raises YamlSyntaxError: the text is no YAML, or has more than one document.
    """
    located = LocatedYaml(file)
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if root is not None:
            _Walk(located, loader, only).visit(root, (), ())
    except yaml.MarkedYAMLError as error:
        unclosed = "quoted scalar" in (error.context or "")
        mark = (error.context_mark if unclosed else error.problem_mark) or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file, 1, 1)
        raise YamlSyntaxError(place, _syntax_sentence(error, text, place)) from None
    except yaml.YAMLError as error:
        position = getattr(error, "position", 0)
        line = text.count("\n", 0, position) + 1
        column = position - (text.rfind("\n", 0, position) + 1) + 1
        raise YamlSyntaxError(Place(file, line, column), "a character that YAML does not allow") from None
    finally:
        loader.dispose()
    return located


def _syntax_sentence(error: yaml.MarkedYAMLError, text: str, place: Place) -> str:
    problem = (error.problem or error.context or "this cannot be read").replace("\n", " ")
    line = (text.splitlines()[place.line - 1 : place.line] or [""])[0]
    character = line[place.column - 1 : place.column]
    if "quoted scalar" in (error.context or ""):
        return "a quote opens here and is not closed"
    if "cannot start any token" in problem and character == "\t":
        return "YAML does not allow tabs here; indent with spaces"
    if "cannot start any token" in problem:
        return f"no text can start with '{character}' in YAML; put it in quotes"
    if "mapping values are not allowed" in problem:
        return "a ':' stands where YAML expects no key; quote the text, or check the indentation"
    if "could not find expected ':'" in problem:
        return "a key without ':', or a line that is indented too little"
    if "did not find expected key" in problem or "expected <block end>" in problem:
        return "YAML expects a key of the block above; check the indentation"
    if "expected ',' or" in problem:
        return "a ',' or the closing bracket is missing"
    if "undefined alias" in problem:
        return "this alias (*name) has no anchor; define the anchor (&name) above its use"
    if "expected a single document" in (error.context or "") or "another document" in problem:
        return "a second document starts here; keep one document in a file"
    return f"this is no YAML: {problem}"


@dataclass
class _Walk:
    located: LocatedYaml
    loader: Any
    only: tuple[str, ...] | None

    def visit(self, node: yaml.Node, path: Path, above: tuple[int, ...]) -> None:
        mark = node.start_mark
        self.located.values[path] = Place(self.located.file, mark.line + 1, mark.column + 1)
        if id(node) in above:  # an anchor that holds its own alias has no end
            return
        inside = (*above, id(node))
        if isinstance(node, yaml.ScalarNode):
            if not node.style:  # None from the Python loader, '' from the C one
                self.located.texts[path] = node.value
        elif isinstance(node, yaml.SequenceNode):
            for index, child in enumerate(node.value):
                self.visit(child, (*path, index), inside)
        elif isinstance(node, yaml.MappingNode):
            self._mapping(node, path, inside)

    def _mapping(self, node: yaml.MappingNode, path: Path, inside: tuple[int, ...]) -> None:
        for merged in self._merged(node):
            self._mapping(merged, path, inside)  # the keys of this mapping come after and win
        seen: dict[object, Place] = {}
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self._key(key_node)
            place = Place(self.located.file, key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            if not path and self.only is not None and key not in self.only:
                continue
            here = (*path, key)
            if key in seen:
                self.located.duplicates.append(Duplicate(here, seen[key], place))
                continue
            seen[key] = place
            self.located.keys[here] = place
            if isinstance(key_node, yaml.ScalarNode) and not isinstance(key, str):
                self.located.texts[here] = key_node.value
            self.visit(value_node, here, inside)

    def _merged(self, node: yaml.MappingNode) -> Iterator[yaml.MappingNode]:
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                sources = value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
                yield from (each for each in reversed(sources) if isinstance(each, yaml.MappingNode))

    def _key(self, node: yaml.Node) -> str | int:
        if isinstance(node, yaml.ScalarNode) and node.tag in (
            "tag:yaml.org,2002:bool",
            "tag:yaml.org,2002:int",
        ):
            value: int = self.loader.construct_object(node)
            return value
        return str(node.value)
