# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The document of one host from its variables, and everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible.errors import AnsibleError

from ..module_utils.host.normal_form import plain_values
from ..module_utils.host.problems import Path
from .fragments import Merged, is_fragment, looks_like_fragment, merge, plain
from .located_yaml import Place
from .validation import CONSENT, Finding, validate, validate_consent, validate_rack
from .variable_files import HostFiles, HostSource, duplicate_problem, is_ours, source_of

Template = Callable[[object], object]


@dataclass(frozen=True)
class HostDocument:
    """What one host's variables ask for; ``findings`` is empty when that can be planned."""

    document: dict[str, object] | None
    consent: Mapping[str, object]
    rack: str | None
    findings: tuple[Finding, ...]
    places: HostSource | None = None


def merged_document(variables: Mapping[str, Any], template: Template) -> tuple[Merged, dict[str, object]]:
    """The fragments of a host merged, and each fragment as it was after templating."""
    fragments = {name: template(variables[name]) for name in sorted(variables) if is_fragment(name)}
    return merge(fragments), fragments


def host_document(variables: Mapping[str, Any], template: Template, files: HostFiles) -> HostDocument:
    """Read, merge and validate what the variables of one host say. Nothing is raised for what they say."""
    values, findings = _templated(variables, template, files)
    fragments = {name: value for name, value in values.items() if is_fragment(name)}
    merged = merge(fragments)
    source = source_of(files, merged, variables)
    findings += _doubled_keys(files)
    findings += [_conflict(conflict, source, files) for conflict in merged.conflicts]
    findings += [_ignored(name, files) for name in variables if looks_like_fragment(name, variables[name])]
    for name, value in fragments.items():
        if not isinstance(value, Mapping):
            findings += validate(value, _single(name, files, variables))
    if fragments and not findings:
        findings += validate(merged.document, source)
    consent = plain(values.get(CONSENT, {}))
    if CONSENT in values:
        findings += validate_consent(consent, _single(CONSENT, files, variables))
    rack = values.get("rack")
    if "rack" in values:
        findings += validate_rack(rack, _single("rack", files, variables))
    return HostDocument(
        plain_values(merged.document) if fragments else None,
        consent if isinstance(consent, Mapping) else {},
        rack if isinstance(rack, str) else None,
        tuple(findings),
        source,
    )


def _templated(
    variables: Mapping[str, Any], template: Template, files: HostFiles
) -> tuple[dict[str, object], list[Finding]]:
    values: dict[str, object] = {}
    findings = []
    for name in sorted(variables):
        if not is_ours(name):
            continue
        try:
            values[name] = plain(template(variables[name]))
        except AnsibleError as error:
            place = _place(files, name, ())
            reason = str(error).splitlines()[0].rstrip(".")
            findings.append(
                Finding((name,), f"the template cannot be filled: {reason}", "define what it asks for", place)
            )
    return values, findings


def _single(name: str, files: HostFiles, variables: Mapping[str, Any]) -> HostSource:
    return HostSource({name: files.define(name, variables[name])}, None, name)


def _doubled_keys(files: HostFiles) -> list[Finding]:
    findings = []
    for duplicate in files.duplicates():
        problem = duplicate_problem(duplicate)
        findings.append(Finding(problem.path, problem.message, problem.hint, duplicate.second))
    return findings


def _conflict(conflict: Any, source: HostSource, files: HostFiles) -> Finding:
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


def _ignored(name: str, files: HostFiles) -> Finding:
    definition = files.define(name)
    word = name[len("host_storage") :].lstrip("_-") or "name"
    return Finding(
        (name,),
        "no part of the document has this name, so it would be ignored",
        f"call it host_storage__{word}, with two underscores, or host_storage",
        definition.yaml.key_place(definition.root) if definition else None,
    )
