# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documents of a site as a whole: read from each host's variables, and checked against the hosts."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..module_utils.cluster.checks import check_section
from ..module_utils.cluster.checks_site import check_site
from ..module_utils.cluster.document import HostFacts, SiteFacts
from .fragments import CLUSTER_VARIABLES
from .merged_document import Template, read_document
from .schema import load_schemas
from .validation import Finding, Source, located, validate_with
from .variable_files import HostFiles, HostSource


@dataclass(frozen=True)
class ClusterDocument:
    """The documents by their variable (``kubernetes``, ``ceph``, ...); those that nobody wrote are left out."""

    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    sources: Mapping[str, HostSource] = field(default_factory=dict)


@dataclass(frozen=True)
class SiteMember:
    """One host of the inventory: what of it counts for the clusters."""

    facts: HostFacts
    cluster: ClusterDocument
    findings: tuple[Finding, ...] = ()


def cluster_document(
    variables: Mapping[str, Any], template: Template, files: HostFiles, names: Iterable[str] = CLUSTER_VARIABLES
) -> ClusterDocument:
    """Read, merge and validate what the variables of one host say of the site. Nothing is raised.

    :param names: the documents to read.
    """
    sections: dict[str, Mapping[str, Any]] = {}
    sources: dict[str, HostSource] = {}
    findings: list[Finding] = []
    for name in names:
        read = read_document(name, variables, template, files, functools.partial(validate_section, name))
        findings += read.findings
        if read.value is not None:
            sections[name], sources[name] = read.value, read.source
    return ClusterDocument(sections, tuple(findings), sources)


def validate_section(name: str, document: object, source: Source) -> list[Finding]:
    """Every mistake of one document by itself."""
    return validate_with(f"{name}.schema.json", functools.partial(check_section, name), document, source)


def site_findings(members: Sequence[SiteMember]) -> list[Finding]:
    """What the documents ask for that the hosts of the inventory cannot give; all hosts must be in ``members``."""
    found: list[Finding] = []
    sections: dict[str, Mapping[str, Any]] = {}
    sources: dict[str, HostSource] = {}
    faulty = any(member.findings for member in members)
    for member in members:
        faulty = faulty or bool(member.cluster.findings)
        for name, value in member.cluster.sections.items():
            source = member.cluster.sources[name]
            if name not in sections:
                sections[name], sources[name] = value, source
            elif value != sections[name]:
                found.append(_differs(name, member, source, sources[name]))
    if found or faulty or not sections:
        return list(dict.fromkeys(found))
    site = SiteFacts(sections, tuple(member.facts for member in members))
    for name, problems in _by_section(check_site(site)).items():
        found += located(problems, sections[name], sources[name])
    return list(dict.fromkeys(found))


def with_defaults(name: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the schema's default wherever a key that has one is left out."""
    filled = _filled({"$ref": f"{name}.schema.json"}, f"{name}.schema.json", document)
    return filled if isinstance(filled, dict) else {}


def _filled(schema: Mapping[str, Any], base: str, value: object) -> object:
    schema, base = _resolved(schema, base)
    if isinstance(value, list):
        return [_filled(schema["items"], base, each) for each in value] if "items" in schema else value
    if not isinstance(value, Mapping):
        return value
    known = schema.get("properties", {})
    extra = schema.get("additionalProperties")
    filled = {}
    for key, each in value.items():
        inner = known.get(key, extra if isinstance(extra, Mapping) else {})
        filled[key] = _filled(inner, base, each)
    for key, inner in known.items():
        if key in filled:
            continue
        full, where = _resolved(inner, base)
        if "default" in full:
            filled[key] = full["default"]
        elif _has_defaults_below(full):
            below = _filled(full, where, {})
            if below:
                filled[key] = below
    return filled


def _has_defaults_below(schema: Mapping[str, Any]) -> bool:
    """Whether an object that nobody wrote is there with its defaults: what is switched on by being written is not."""
    if schema.get("type") != "object" or schema.get("required") or schema.get("onlyWhenWritten"):
        return False
    return "properties" in schema


def _resolved(schema: Mapping[str, Any], base: str) -> tuple[Mapping[str, Any], str]:
    if "$ref" not in schema:
        return schema, base
    name, _hash, pointer = str(schema["$ref"]).partition("#")
    base = name or base
    target: Any = load_schemas()[base]
    for step in filter(None, pointer.split("/")):
        target = target[step]
    full, base = _resolved(target, base)
    return {**full, **{key: each for key, each in schema.items() if key != "$ref"}}, base


def _by_section(problems: Iterable[Any]) -> dict[str, list[Any]]:
    """Problems whose path starts with the name of the document, by that name and without it."""
    sorted_in: dict[str, list[Any]] = {}
    for name, problem in problems:
        sorted_in.setdefault(name, []).append(problem)
    return sorted_in


def _differs(name: str, member: SiteMember, source: HostSource, first: HostSource) -> Finding:
    """Where the host has what others do not: at the variable that they lack, or else at its own."""
    own = [each for each in source.definitions if each not in first.definitions]
    variable = own[0] if own else name
    definition = source.definitions.get(variable)
    message = f"host '{member.facts.name}' has another {name} than the hosts before it"
    place = definition.yaml.key_place(definition.root) if definition else None
    return Finding((variable,), message, f"a site has one {name}: write it in group_vars/all", place)
