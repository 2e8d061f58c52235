# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Validate a document and say each mistake in one sentence with its file, line, column and path."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Callable, Protocol

from ..module_utils.host.checks import check
from ..module_utils.host.problems import Path, Problem, path_text
from .fragments import VARIABLE
from .located_yaml import Place
from .schema import problems

DOCUMENT_SCHEMA = "host_storage.schema.json"
CONSENT = "host_storage_consent"
CONSENT_SCHEMA = "host_storage_consent.schema.json"
RACK_SCHEMA = "inventory_variables.schema.json#/properties/rack"
_KNOWN_VALID: set[bytes] = set()


class Source(Protocol):
    """Where a document was written. Paths start below the variable."""

    def variable(self, path: Path) -> str:
        """The variable that set ``path``."""

    def place(self, path: Path, key: bool) -> Place | None:
        """Where the value, or with ``key`` the key, of ``path`` stands; None when nobody knows."""

    def text(self, path: Path) -> str | None:
        """A plain scalar or key that is no text for YAML, as it was typed."""


@dataclass(frozen=True)
class NoSource:
    """A document from nowhere in particular."""

    name: str = VARIABLE

    def variable(self, path: Path) -> str:
        """The one name that was given."""
        return self.name

    def place(self, path: Path, key: bool) -> Place | None:
        """Unknown."""
        return None

    def text(self, path: Path) -> str | None:
        """Unknown."""
        return None


@dataclass(frozen=True)
class Finding:
    """One mistake with its place; ``path`` starts with the variable."""

    path: Path
    message: str
    hint: str = ""
    place: Place | None = None

    def sentence(self) -> str:
        """``file:line:column: path: what; what to do``."""
        where = f"{self.place}: " if self.place else ""
        what = f"{path_text(self.path)}: " if self.path else ""
        return f"{where}{what}{self.message}" + (f"; {self.hint}" if self.hint else "")

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        place = self.place
        return {
            "file": place.file if place else None,
            "line": place.line if place else None,
            "column": place.column if place else None,
            "path": path_text(self.path),
            "message": self.message,
            "hint": self.hint,
        }


Check = Callable[[Mapping[str, Any]], Iterable[Problem]]


def validate(document: object, source: Source | None = None) -> list[Finding]:
    """Every mistake of a merged ``host_storage``."""
    return validate_with(DOCUMENT_SCHEMA, check, document, source or NoSource())


def validate_with(schema: str, checks: Check, document: object, where: Source) -> list[Finding]:
    """Every mistake of a merged document: those against the schema, or else those that it cannot say."""
    digest = hashlib.sha256(repr((schema, document)).encode()).digest()
    if digest in _KNOWN_VALID:  # a thousand hosts of one group have one document
        return []
    found = problems(schema, document, where.text)
    if not found and isinstance(document, Mapping):
        found = list(dict.fromkeys(checks(document)))
    if not found:
        _KNOWN_VALID.add(digest)
    return located(found, document, where)


def validate_consent(consent: object, source: Source | None = None) -> list[Finding]:
    """Every mistake of a ``host_storage_consent``."""
    where = source or NoSource(CONSENT)
    found = problems(CONSENT_SCHEMA, consent, where.text)
    if not found and isinstance(consent, Mapping):
        found = _doubled_consent(consent)
    return located(found, consent, where)


def validate_rack(rack: object, source: Source | None = None) -> list[Finding]:
    """What is wrong with a host's rack."""
    where = source or NoSource("rack")
    return located(problems(RACK_SCHEMA, rack, where.text), rack, where)


def _doubled_consent(consent: Mapping[str, object]) -> list[Problem]:
    wipe = consent.get("wipe", [])
    seen: dict[tuple[str, str], int] = {}
    found = []
    for index, entry in enumerate(wipe if isinstance(wipe, list) else []):
        name = "serial" if "serial" in entry else "wwn"
        identity = (name, entry[name])
        if identity in seen:
            message = f"the disk with {name} '{entry[name]}' is named by wipe[{seen[identity]}] already"
            found.append(Problem(("wipe", index), message, "keep the entry that the newest plan prints"))
        seen.setdefault(identity, index)
    return found


def located(found: Iterable[Problem], document: object, source: Source) -> list[Finding]:
    """Problems as findings at the places of the source."""
    findings = []
    for problem in found:
        path = problem.path
        is_key = bool(path) and (problem.at_key or _is_key(document, path))
        place = source.place(path, is_key)
        findings.append(Finding((source.variable(path), *path), problem.message, problem.hint, place))
    return sorted(findings, key=_order)


def _is_key(document: object, path: Path) -> bool:
    """Whether the path ends at a mapping: then the key is where to look, not the first key below it."""
    value = document
    for step in path:
        try:
            value = value[step]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            return True
    return isinstance(value, Mapping)


def _order(finding: Finding) -> tuple[str, int, int, str]:
    place = finding.place
    return (place.file, place.line, place.column, "") if place else ("", 0, 0, path_text(finding.path))
