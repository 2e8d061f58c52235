# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns what ``ansible-doc --json`` says of a module, lookup or role into a page of Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Fields = Mapping[str, Any]

# Ansible's markup: C(code), V(value), O(option), RV(returned), E(variable), M(module), P(plugin#type), B(bold), I(italic).
_CODE = re.compile(r"\b(?:C|V|O|RV|E|M)\(([^)]*)\)")
_PLUGIN = re.compile(r"\bP\(([^)#]*)#?[^)]*\)")
_STRONG = re.compile(r"\b[BI]\(([^)]*)\)")


def page(kind: str, name: str, found: str) -> str:
    """The page of one plugin, from the whole JSON text of ansible-doc."""
    (about,) = json.loads(found).values()
    if kind == "role":
        parts = [_role(entry) for entry in about["entry_points"].values()]
    else:
        parts = [_plugin(about)]
    return "\n".join([f"# {kind.capitalize()} {name}", *(line for part in parts for line in part)]) + "\n"


def _plugin(about: Fields) -> Iterator[str]:
    doc = about["doc"]
    yield from ("", f"{doc['short_description']}.", "", *(f"- {_text(line)}" for line in _lines(doc["description"])))
    if doc.get("requirements"):
        yield from ("", "Needs:", "", *(f"- {_text(line)}" for line in doc["requirements"]))
    yield from _options("Options", doc.get("options") or {})
    if about.get("examples"):
        yield from ("", "## Examples", "", "```yaml", about["examples"].strip(), "```")
    returned = about.get("return") or {}
    if returned:
        yield from ("", "## Returns", "", "| key | type | returned | meaning |", "| --- | --- | --- | --- |")
        for name, field in sorted(returned.items()):
            meaning = _cell(field["description"])
            yield f"| `{name}` | {_type(field)} | {_text(field.get('returned', ''))} | {meaning} |"


def _role(entry: Fields) -> Iterator[str]:
    yield from ("", *(f"- {_text(line)}" for line in _lines(entry.get("description", entry["short_description"]))))
    yield from _options("Variables", entry.get("options") or {})


def _options(title: str, options: Mapping[str, Fields]) -> Iterator[str]:
    if not options:
        return
    yield from ("", f"## {title}", "", "| name | type | default | meaning |", "| --- | --- | --- | --- |")
    yield from _rows("", options)


def _rows(before: str, options: Mapping[str, Fields]) -> Iterator[str]:
    for name, field in sorted(options.items()):
        default = f"`{json.dumps(field['default'])}`" if "default" in field else ""
        default = "must be given" if field.get("required") else default
        choices = ": " + ", ".join(f"`{one}`" for one in field["choices"]) if field.get("choices") else ""
        yield f"| `{before}{name}` | {_type(field)}{choices} | {default} | {_cell(field['description'])} |"
        yield from _rows(f"{before}{name}.", field.get("options") or {})


def _type(field: Fields) -> str:
    kind = str(field.get("type", "str"))
    return f"{kind} of {field['elements']}" if field.get("elements") else kind


def _lines(value: str | Sequence[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _cell(value: str | Sequence[str]) -> str:
    return " ".join(_text(line) for line in _lines(value)).replace("|", "\\|")


def _text(value: str | Sequence[str]) -> str:
    text = " ".join(" ".join(_lines(value)).split())
    text = _CODE.sub(r"`\1`", _PLUGIN.sub(r"`\1`", text))
    return _STRONG.sub(r"**\1**", text)
