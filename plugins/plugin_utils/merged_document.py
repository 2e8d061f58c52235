# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One document read from a host's variables: its fragments templated, merged, and what is wrong in the reading."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible.errors import AnsibleError

from ..module_utils.host.problems import Path
from .fragments import Conflict, document_of, looks_like_fragment, merge, plain
from .located_yaml import Place
from .validation import Finding, Source
from .variable_files import HostFiles, HostSource, source_of

Template = Callable[[object], object]
Validate = Callable[[object, Source], "list[Finding]"]


@dataclass(frozen=True)
class ReadDocument:
    """``value`` is None when no variable is a part of the document."""

    value: Mapping[str, Any] | None
    source: HostSource
    findings: tuple[Finding, ...]


def read_document(
    name: str, variables: Mapping[str, Any], template: Template, files: HostFiles, validate: Validate
) -> ReadDocument:
    """The document ``name`` from its fragments. Nothing is raised for what they say."""
    names = [each for each in variables if document_of(each) == name]
    fragments, findings = templated(names, variables, template, files)
    merged = merge(fragments, name)
    source = source_of(files, merged, variables)
    findings += [_conflict(conflict, source, files) for conflict in merged.conflicts]
    findings += [_ignored(each, name, files) for each in variables if looks_like_fragment(each, variables[each], name)]
    for each, value in fragments.items():
        if not isinstance(value, Mapping):
            findings += validate(value, single_source(each, files, variables))
    if fragments and not findings:
        findings += validate(merged.document, source)
    return ReadDocument(merged.document if fragments else None, source, tuple(findings))


def templated(
    names: Iterable[str], variables: Mapping[str, Any], template: Template, files: HostFiles
) -> tuple[dict[str, object], list[Finding]]:
    """The values of variables with their templates filled, and those that cannot be."""
    values: dict[str, object] = {}
    findings = []
    for name in sorted(names):
        try:
            values[name] = plain(template(variables[name]))
        except AnsibleError as error:
            place = _place(files, name, ())
            reason = str(error).splitlines()[0].rstrip(".")
            message = f"the template cannot be filled: {reason}"
            findings.append(Finding((name,), message, "define what it asks for", place))
    return values, findings


def single_source(name: str, files: HostFiles, variables: Mapping[str, Any]) -> HostSource:
    """The source of one variable by itself."""
    return HostSource({name: files.define(name, variables[name])}, None, name)


def _conflict(conflict: Conflict, source: HostSource, files: HostFiles) -> Finding:
    first = _place(files, conflict.first, conflict.path)
    second = _place(files, conflict.second, conflict.path)
    there = f" ({first})" if first else ""
    return Finding(
        (conflict.second, *conflict.path),
        f"{conflict.first} sets this already{there}, and fragments never override each other",
        "keep it in one of the two",
        second,
    )


def _place(files: HostFiles, variable: str, path: Path) -> Place | None:
    definition = files.define(variable)
    return definition.yaml.key_place((*definition.root, *path)) if definition else None


def _ignored(name: str, document: str, files: HostFiles) -> Finding:
    definition = files.define(name)
    word = name[len(document) :].lstrip("_-") or "name"
    return Finding(
        (name,),
        "no part of the document has this name, so it would be ignored",
        f"call it {document}__{word}, with two underscores, or {document}",
        definition.yaml.key_place(definition.root) if definition else None,
    )
