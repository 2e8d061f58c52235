# SPDX-License-Identifier: GPL-3.0-or-later
"""Mistakes of whole sites as people make them, each with its exact sentences.

``cases/site_mistakes.documents`` holds the sites, ``cases/site_mistakes.txt`` the sentences that they give.
``python tests/unit/test_site_mistakes.py`` writes the sentences anew; read them before you commit them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent.parent / "collections"))
sys.path.insert(0, str(HERE))

from site_cases import findings_of  # noqa: E402

from ansible_collections.barestore.storage.plugins.plugin_utils.located_yaml import locate_yaml  # noqa: E402

CASES = HERE / "cases/site_mistakes.documents"
GOLDEN = CASES.with_suffix(".txt")
# What a case does not say: six hosts in three racks, each with three HDDs and two NVMe disks of 1 TB.
HOSTS: dict[str, Any] = {
    "racks": ["rack1", "rack2", "rack3"],
    "each": 2,
    "document": {
        "disks": {
            "osd": {"match": {"rotational": True}, "count": 3},
            "flash": {"match": {"transport": "nvme", "size": "1 TB"}, "count": 2},
        },
        "lvm": {"flash": {"physical_volumes": ["flash"]}},
        "local_volumes": {"osd": {"storage_class": "local-storage"}},
    },
}
KUBERNETES = {"version": "1.34.4", "api": {"host": "api.example.net"}}


def sentences() -> Iterator[str]:
    for text in CASES.read_text().split("\n---\n"):
        case = {"kubernetes": KUBERNETES, "hosts": HOSTS, **yaml.safe_load(text)}
        site = {name: value for name, value in case.items() if value is not None}
        yield text.lstrip().splitlines()[0]
        yield from (finding.sentence() for finding in findings_of(site, locate_yaml(text, "site.yml")))


def test_each_mistake_gives_its_sentences() -> None:
    assert list(sentences()) == GOLDEN.read_text().splitlines()


def test_no_site_goes_without_a_sentence() -> None:
    lines = list(sentences())
    silent = [line for line, after in zip(lines, [*lines[1:], "#"], strict=True) if line[0] == "#" == after[0]]
    assert silent == []


if __name__ == "__main__":
    GOLDEN.write_text("\n".join(sentences()) + "\n")
