# SPDX-License-Identifier: GPL-3.0-or-later
"""Hundreds of invalid documents, of hosts and of sites, each giving a sentence at the place of the mistake.

The sentences are in ``cases/invalid_documents.txt`` and ``cases/invalid_sites.txt``, to be read as a person would read
them. ``python tests/unit/test_invalid_documents.py`` writes these files anew.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

import pytest
import yaml

HERE = File(__file__).resolve().parent
if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent.parent / "collections"))
sys.path.insert(0, str(HERE))

from mutations import Mutation, mutations  # noqa: E402
from site_cases import SECTIONS, findings_of  # noqa: E402
from sources import OneFile  # noqa: E402

from ansible_collections.barestore.storage.plugins.plugin_utils.located_yaml import locate_yaml  # noqa: E402
from ansible_collections.barestore.storage.plugins.plugin_utils.validation import Finding, validate  # noqa: E402

CASES = HERE / "cases"
FOREIGN = (
    "is not of type",
    "does not match",
    "is not valid under",
    "Additional properties",
    "is a required",
    "see the",
)
Document = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One invalid document and what was found in it, with paths as the mutation has them."""

    name: str
    mutation: Mutation
    findings: list[Finding]
    paths: list[tuple[str | int, ...]]


def _host(document: Document, name: str) -> tuple[list[Finding], int]:
    """What is wrong with a host's document, and how much of a path is the name of its variable."""
    # Written as JSON, which is YAML that is fast to write.
    text = json.dumps({"host_storage": document}, indent=1)
    return validate(document, OneFile(locate_yaml(text, f"{name}.json"))), 1


def _site(document: Document, name: str) -> tuple[list[Finding], int]:
    changed = {**document, "hosts": _whole_site()["hosts"]}
    return findings_of(changed, locate_yaml(json.dumps(changed, indent=1), "site.json")), 0


@functools.cache
def _whole_site() -> Document:
    found: Document = yaml.safe_load((CASES / "sites/whole.yml").read_text())
    return found


def _hosts() -> Iterator[tuple[str, Document]]:
    for path in sorted((CASES / "documents").glob("*.yml")):
        yield path.stem, yaml.safe_load(path.read_text())["host_storage"]


def _sites() -> Iterator[tuple[str, Document]]:
    yield "", {name: _whole_site()[name] for name in SECTIONS}


@dataclass(frozen=True)
class Kind:
    """Valid ``samples`` by name, how one is ``looked`` at, and the file of all sentences.

    ``first``: the first sentence is of the place of the mistake. In a site, others can come of it that stand earlier.
    """

    samples: Callable[[], Iterator[tuple[str, Document]]]
    looked: Callable[[Document, str], tuple[list[Finding], int]]
    golden: File
    first: bool

    def __hash__(self) -> int:
        return hash(self.golden)

    @functools.cache  # noqa: B019 - there are two, and both live as long as the tests
    def cases(self) -> tuple[Case, ...]:
        """One document for each kind of mistake."""
        found: dict[str, Case] = {}
        for name, document in self.samples():
            for mutation in mutations(document):
                if mutation.kind() not in found:
                    findings, skip = self.looked(mutation.document, name)
                    paths = [one.path[skip:] for one in findings]
                    found[mutation.kind()] = Case(name, mutation, findings, paths)
        return tuple(found.values())

    def sentences(self) -> Iterator[str]:
        for case in self.cases():
            yield f"# {case.name}: {case.mutation.name}".replace("# : ", "# ")
            yield from (finding.sentence() for finding in case.findings)


KINDS = {
    "hosts": Kind(_hosts, _host, CASES / "invalid_documents.txt", True),
    "sites": Kind(_sites, _site, CASES / "invalid_sites.txt", False),
}
each = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@each
def test_the_samples_are_valid(kind: Kind) -> None:
    for name, document in kind.samples():
        assert [finding.sentence() for finding in kind.looked(document, name)[0]] == []


@each
def test_there_are_hundreds_of_distinct_invalid_documents(kind: Kind) -> None:
    assert len({json.dumps(case.mutation.document) for case in kind.cases()}) >= 300


@each
def test_each_has_a_sentence_at_the_place_of_the_mistake(kind: Kind) -> None:
    wrong = []
    for case in kind.cases():
        path = case.mutation.path
        near = [
            finding
            for finding, found in zip(case.findings, case.paths, strict=True)
            if found[: len(path)] == path or path[: len(found)] == found
        ]
        if not near or near[0].place is None or (kind.first and near[0] is not case.findings[0]):
            wrong.append(f"{case.name}: {case.mutation.name}: {[one.sentence() for one in case.findings[:1]]}")
    assert wrong == []


@each
def test_the_list_of_sentences_is_current(kind: Kind) -> None:
    assert kind.golden.read_text().splitlines() == list(kind.sentences()), (
        f"run: python tests/unit/{File(__file__).name}"
    )


@each
def test_no_sentence_has_the_words_of_a_library(kind: Kind) -> None:
    assert [line for line in kind.sentences() if any(words in line for words in FOREIGN)] == []


if __name__ == "__main__":
    for one in KINDS.values():
        one.golden.write_text("\n".join(one.sentences()) + "\n")
