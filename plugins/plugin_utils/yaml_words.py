# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a value is called in a sentence, with what YAML made of the text that was typed."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping

import yaml

_LONGEST = 60


def article(value: object) -> str:
    """The type of a value with its article, and the value where it is short."""
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, (datetime.date, datetime.datetime)):
        return "a date"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list" if value else "an empty list"
    if value is None:
        return "nothing"
    return "a value that is no text"


def describe(value: object, typed: str | None) -> str:
    """What was found: ``'abc'``, ``the number 16``, ``0755, which YAML reads as the number 493``."""
    if isinstance(value, str):
        text = value if len(value) <= _LONGEST else value[:_LONGEST] + "..."
        return f"'{text}'" if value else "an empty text"
    named = article(value)
    if isinstance(value, Mapping) and value:
        keys = ", ".join(f"'{key}'" for key in list(value)[:4])
        return f"a mapping with {keys}" + (", ..." if len(value) > 4 else "")
    if typed is not None and not isinstance(value, (Mapping, list)) and typed.lower() != str(value).lower():
        return f"{typed}, which YAML reads as {named}"
    return named


def quoted_scalar(value: object, typed: str | None, pattern: object) -> str:
    """Advice to quote a text that YAML took for something else; empty where that would not help."""
    if isinstance(value, (Mapping, list)) or value is None:
        return ""
    text = typed
    if text is None:
        return ""
    if isinstance(pattern, str) and not re.search(pattern, text):
        return ""
    return f"put it in quotes: '{text}'"


def flow(value: object) -> str:
    """A value as a person would write it in one line of YAML, with quotes only where YAML needs them."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(each) for each in value) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    if value in ("on", "off"):  # which YAML reads as booleans, and which mean the same for ZFS
        return value
    try:
        plain = yaml.safe_load(f"[{value}]") == [value]
    except yaml.YAMLError:
        plain = False
    return value if plain else f"'{value}'"
