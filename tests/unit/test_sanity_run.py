# SPDX-License-Identifier: GPL-3.0-or-later
"""What the gate of ansible-test looks at before it starts."""

from __future__ import annotations

from pathlib import Path

from tests.sanity.run import shadows


def test_what_stands_in_for_a_module_of_python_is_named(tmp_path: Path) -> None:
    for name in ("logging.py", "mine.py", "json.txt"):
        (tmp_path / name).touch()
    for name in ("email", "string"):
        (tmp_path / name).mkdir()
    (tmp_path / "email" / "__init__.py").touch()
    assert shadows(tmp_path) == [str(tmp_path / "email"), str(tmp_path / "logging.py")]
