# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Before and after of a plan as text, in the form that ``--diff`` of Ansible shows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .model import Action


def diff(actions: Iterable[Action]) -> list[dict[str, str]]:
    """One entry an action: its header, and both sides as lines of ``key: value``."""
    return [
        {
            "before_header": action.target,
            "after_header": action.id,
            "before": _lines(action.before),
            "after": _lines(action.after),
        }
        for action in actions
    ]


def _lines(value: Any, indent: str = "") -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return "".join(_entry(f"{indent}{key}:", value[key], indent) for key in sorted(value))
    if isinstance(value, (list, tuple)):
        return "".join(_entry(f"{indent}-", one, indent) for one in value)
    return f"{indent}{value}\n"


def _entry(head: str, value: Any, indent: str) -> str:
    if isinstance(value, (dict, list, tuple)) and value:
        return f"{head}\n{_lines(value, indent + '  ')}"
    return f"{head} {value}\n"
