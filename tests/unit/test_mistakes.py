# SPDX-License-Identifier: GPL-3.0-or-later
"""Mistakes as people make them, each with its exact sentences.

``cases/mistakes/<topic>.documents`` holds the documents, ``<topic>.txt`` the sentences that they give.
``python tests/unit/test_mistakes.py`` writes the sentences anew; read them before you commit them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).resolve().parent
if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent.parent / "collections"))
sys.path.insert(0, str(HERE))

from sources import OneFile  # noqa: E402

from ansible_collections.barestore.storage.plugins.plugin_utils.located_yaml import locate_yaml  # noqa: E402
from ansible_collections.barestore.storage.plugins.plugin_utils.validation import validate  # noqa: E402

TOPICS = sorted((HERE / "cases/mistakes").glob("*.documents"))


def sentences(topic: Path) -> Iterator[str]:
    for text in topic.read_text().split("\n---\n"):
        located = locate_yaml(text, f"{topic.stem}.yml")
        document = yaml.safe_load(text)["host_storage"]
        yield text.lstrip().splitlines()[0]
        yield from (finding.sentence() for finding in validate(document, OneFile(located)))


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.stem)
def test_each_mistake_gives_its_sentences(topic: Path) -> None:
    assert list(sentences(topic)) == topic.with_suffix(".txt").read_text().splitlines()


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.stem)
def test_no_document_goes_without_a_sentence(topic: Path) -> None:
    lines = list(sentences(topic))
    silent = [line for line, after in zip(lines, [*lines[1:], "#"], strict=True) if line[0] == "#" == after[0]]
    assert silent == []


if __name__ == "__main__":
    for each in TOPICS:
        each.with_suffix(".txt").write_text("\n".join(sentences(each)) + "\n")
