# SPDX-License-Identifier: GPL-3.0-or-later
"""Hundreds of invalid cluster documents, each giving a sentence at the place of the mistake.

The sentences are in ``cases/invalid_sites.txt``, to be read as a person would read them.
``python tests/unit/test_invalid_sites.py`` writes that file anew.
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
from site_cases import SECTIONS, findings_of  # noqa: E402

from ansible_collections.barestore.storage.plugins.plugin_utils.located_yaml import locate_yaml  # noqa: E402
from ansible_collections.barestore.storage.plugins.plugin_utils.validation import Finding  # noqa: E402

CASES = HERE / "cases"
GOLDEN = CASES / "invalid_sites.txt"


@functools.cache
def site() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((CASES / "sites/whole.yml").read_text())
    return found


@dataclass(frozen=True)
class Case:
    """One invalid site and what was found in it."""

    mutation: Mutation
    findings: list[Finding]


@functools.cache
def cases() -> tuple[Case, ...]:
    kinds: dict[str, Case] = {}
    documents = {name: site()[name] for name in SECTIONS}
    for mutation in mutations(documents):
        if mutation.kind() in kinds:
            continue
        changed = {**mutation.document, "hosts": site()["hosts"]}
        text = json.dumps(changed, indent=1)
        kinds[mutation.kind()] = Case(mutation, findings_of(changed, locate_yaml(text, "site.json")))
    return tuple(kinds.values())


def sentences() -> Iterator[str]:
    for case in cases():
        yield f"# {case.mutation.name}"
        yield from (finding.sentence() for finding in case.findings)


def test_the_sample_is_valid() -> None:
    assert [finding.sentence() for finding in findings_of(site(), locate_yaml("{}", "site.yml"))] == []


def test_there_are_hundreds_of_distinct_invalid_documents() -> None:
    assert len({json.dumps(case.mutation.document) for case in cases()}) >= 300


def test_each_has_a_sentence_at_the_place_of_the_mistake() -> None:
    wrong = []
    for case in cases():
        path, found = case.mutation.path, case.findings
        if not found:
            wrong.append(f"{case.mutation.name}: no sentence")
            continue
        near = [each for each in found if each.path[: len(path)] == path or path[: len(each.path)] == each.path]
        if not near or near[0].place is None:
            wrong.append(f"{case.mutation.name}: {found[0].sentence()}")
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
