# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of a path, on real files."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host import observer
from ansible_collections.barestore.storage.plugins.module_utils.host.observation import StatPath
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner


def _stat(path: Path) -> Any:
    probe = StatPath(str(path))
    return observer.Observer(Runner()).answers([probe])[probe.key]


def test_a_folder_is_empty_or_not(tmp_path: Path) -> None:
    assert _stat(tmp_path)["empty"] is True
    (tmp_path / "file").touch()
    assert _stat(tmp_path)["empty"] is False
    assert _stat(tmp_path / "file")["empty"] is False
    assert _stat(tmp_path / "nothing") is None


def test_a_folder_that_cannot_be_read_is_there_and_not_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(_path: str) -> list[str]:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(observer.os, "listdir", refuses)
    found = _stat(tmp_path)
    assert (found["type"], found["empty"]) == ("directory", None)
