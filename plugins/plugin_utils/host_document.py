# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The document of one host from its variables, and everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..module_utils.host.normal_form import plain_values
from .fragments import VARIABLE, Merged, is_fragment, merge
from .merged_document import Template, read_document, single_source, templated
from .validation import CONSENT, Finding, validate, validate_consent, validate_rack
from .variable_files import HostFiles, HostSource, duplicate_problem


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
    doubled = _doubled_keys(files)
    read = read_document(VARIABLE, variables, template, files, validate)
    others, findings = templated((name for name in (CONSENT, "rack") if name in variables), variables, template, files)
    consent, rack = others.get(CONSENT, {}), others.get("rack")
    if CONSENT in others:
        findings += validate_consent(consent, single_source(CONSENT, files, variables))
    if "rack" in others:
        findings += validate_rack(rack, single_source("rack", files, variables))
    return HostDocument(
        plain_values(read.value) if read.value is not None else None,
        consent if isinstance(consent, Mapping) else {},
        rack if isinstance(rack, str) else None,
        (*doubled, *read.findings, *findings),
        read.source,
    )


def _doubled_keys(files: HostFiles) -> list[Finding]:
    findings = []
    for duplicate in files.duplicates():
        problem = duplicate_problem(duplicate)
        findings.append(Finding(problem.path, problem.message, problem.hint, duplicate.second))
    return findings
