# SPDX-License-Identifier: GPL-3.0-or-later
"""Hundreds of invalid documents, each giving a sentence at the place of the mistake.

The sentences are in ``cases/invalid_documents.txt``, to be read as a person would read them.
``python tests/unit/test_invalid_documents.py`` writes that file anew.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

import yaml

HERE = File(__file__).resolve().parent
if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent.parent / "collections"))
sys.path.insert(0, str(HERE))

from mutations import Mutation, mutations  # noqa: E402
from sources import OneFile  # noqa: E402

from ansible_collections.barestore.storage.plugins.plugin_utils.located_yaml import (  # noqa: E402
    locate_yaml,
)
from ansible_collections.barestore.storage.plugins.plugin_utils.validation import Finding, validate  # noqa: E402

CASES = HERE / "cases"
GOLDEN = CASES / "invalid_documents.txt"


def samples() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((CASES / "documents").glob("*.yml")):
        yield path.stem, yaml.safe_load(path.read_text())["host_storage"]


@dataclass(frozen=True)
class Case:
    """One invalid document and what was found in it."""

    name: str
    mutation: Mutation
    findings: list[Finding]


@functools.cache
def cases() -> tuple[Case, ...]:
    """One document for each kind of mistake; they are written as JSON, which is YAML that is fast to write."""
    kinds: dict[str, Case] = {}
    for name, document in samples():
        for mutation in mutations(document):
            if mutation.kind() not in kinds:
                text = json.dumps({"host_storage": mutation.document}, indent=1)
                found = validate(mutation.document, OneFile(locate_yaml(text, f"{name}.json")))
                kinds[mutation.kind()] = Case(name, mutation, found)
    return tuple(kinds.values())


def sentences() -> Iterator[str]:
    for case in cases():
        yield f"# {case.name}: {case.mutation.name}"
        yield from (finding.sentence() for finding in case.findings)


def test_the_samples_are_valid() -> None:
    for _name, document in samples():
        assert [finding.sentence() for finding in validate(document)] == []


def test_there_are_hundreds_of_distinct_invalid_documents() -> None:
    distinct = {json.dumps(case.mutation.document) for case in cases()}
    assert len(distinct) >= 300


def test_each_has_a_sentence_at_the_place_of_the_mistake() -> None:
    wrong = []
    for case in cases():
        path, found = case.mutation.path, case.findings
        if not found:
            wrong.append(f"{case.name}: {case.mutation.name}: no sentence")
            continue
        first = found[0].path[1:]
        near = first[: len(path)] == path or path[: len(first)] == first
        if not near or found[0].place is None:
            wrong.append(f"{case.name}: {case.mutation.name}: {found[0].sentence()}")
    assert wrong == []


def test_the_list_of_sentences_is_current() -> None:
    assert GOLDEN.read_text().splitlines() == list(sentences()), f"run: python tests/unit/{File(__file__).name}"


def test_no_sentence_has_the_words_of_a_library() -> None:
    foreign = (
        "is not of type",
        "does not match",
        "is not valid under",
        "Additional properties",
        "is a required",
        "see the",
    )
    assert [line for line in sentences() if any(words in line for words in foreign)] == []


if __name__ == "__main__":
    GOLDEN.write_text("\n".join(sentences()) + "\n")
