# SPDX-License-Identifier: GPL-3.0-or-later
"""The cases of `make bench ONLY=safety`: each can be asked of barestore and of the other systems."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.barestore.storage.plugins.plugin_utils.validation import validate
from tests.bench.safety_cases import CASES, Case

_PLAYBOOKS = Path(__file__).resolve().parents[1] / "bench" / "safety"


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_the_document_is_valid_and_the_playbook_is_there(case: Case) -> None:
    serials = [f"DISK{number}" for number in range(case.disks + case.absent)]
    assert validate(case.document(f"{case.name}b", serials)) == []
    assert (_PLAYBOOKS / f"{case.playbook or case.name}.yml").is_file()


def test_no_playbook_is_left_over() -> None:
    assert {path.stem for path in _PLAYBOOKS.iterdir()} == {case.playbook or case.name for case in CASES}
