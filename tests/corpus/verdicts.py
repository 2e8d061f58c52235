# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of verdicts: what tests/loop/test_corpus.py found, kept in verdicts.json, and docs/corpus.md made of it.

usage: python -m tests.corpus.verdicts     writes docs/corpus.md anew
"""

from __future__ import annotations

import fcntl
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.corpus.recipes import NO_TOOL, RECIPES

_HERE = Path(__file__).resolve().parent
FILE = _HERE / "verdicts.json"
_HEAD = _HERE / "page.txt"
PAGE = _HERE.parent.parent / "docs" / "corpus.md"
_AFTER = {
    "wiped": ("refused; wiped with its consent", "nothing"),
    "kept": ("refused; not wiped: members of its group are missing", "all of it"),
    "blank": ("taken as blank", ""),
}


def load() -> dict[str, dict[str, Any]]:
    with FILE.open() as handle:
        fcntl.flock(handle, fcntl.LOCK_SH)
        return dict(json.loads(handle.read()))


def keep(rows: dict[str, dict[str, Any]]) -> None:
    """Put rows into the file; others may do so at the same time."""
    with FILE.open("a+") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        handle.seek(0)
        merged = {**json.loads(handle.read() or "{}"), **rows}
        handle.truncate(0)
        handle.write(json.dumps({name: merged[name] for name in RECIPES if name in merged}, indent=1) + "\n")


def page(rows: dict[str, dict[str, Any]]) -> str:
    """docs/corpus.md."""
    count = Counter(row["verdict"] for row in rows.values())
    refused = count["wiped"] + count["kept"]
    head = _HEAD.read_text().format(images=len(rows), refused=refused, blank=count["blank"], wiped=count["wiped"])
    return head + "\n".join((*_tables(rows), *_left_out())) + "\n"


def _tables(rows: dict[str, dict[str, Any]]) -> Iterator[str]:
    for family in dict.fromkeys(row["family"] for row in rows.values()):
        yield f"## {family[0].upper()}{family[1:]}\n"
        yield "| image | made by | seen by | verdict | seen after the wipe |\n| --- | --- | --- | --- | --- |"
        for name, row in rows.items():
            if row["family"] == family:
                verdict, after = _AFTER[row["verdict"]]
                yield f"| {name} | {_code(row['made_by'])} | {_seen(row)} | {verdict} | {after} |"
        yield ""


def _code(text: str) -> str:
    escaped = text.replace("|", "\\|")
    return f"`{escaped}`" if text else "nothing was written"


def _seen(row: dict[str, Any]) -> str:
    lines = [f"{name}: {', '.join(found)}" for name, found in row["seen"].items() if name != "unknown"]
    lines = lines or ["bytes"] * bool(row["seen"])
    lines += [
        f"in {place}, {name}: {', '.join(found)}"
        for place, seen in row["inside"].items()
        for name, found in seen.items()
        if name != "unknown"
    ]
    if row["owners"]:
        lines.append(f"*{', '.join(row['owners'])}*")
    return "<br>".join(lines) or "nobody"


def _left_out() -> Iterator[str]:
    yield "## No image of these\n\n| what | why |\n| --- | --- |"
    for what, why in NO_TOOL.items():
        yield f"| {what} | {why} |"


if __name__ == "__main__":
    PAGE.write_text(page(load()))
