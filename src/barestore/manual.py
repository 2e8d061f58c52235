# SPDX-License-Identifier: GPL-3.0-or-later
"""The manual of the command, from what its own ``--help`` is made of: ``python -m barestore.manual man|markdown``.

Only what Typer offers to all its versions is used: usage lines, help texts and help records.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import typer

from barestore import __version__, examples, exits

FILES = (
    ("ansible.cfg", "names the inventory where -i does not, and how hosts are reached"),
    ("inventories/SITE/", "hosts, groups and what each asks for, in host_storage"),
    ("/var/lib/barestore/state.json", "on a host: which disk was chosen for which group"),
    ("/var/lib/barestore/journal/", "on a host: what each run was about to do and did"),
)


@dataclass(frozen=True)
class Page:
    """One subcommand: its words, its usage line, what it does, and its options with their help."""

    name: str
    usage: str
    text: str
    options: tuple[tuple[str, str], ...]


def pages() -> Iterator[Page]:
    """All subcommands, those of a group after one another, in the order of ``--help``."""
    from barestore.cli import app

    root: Any = typer.main.get_command(app)
    yield from _below(root, root.make_context("barestore", [], resilient_parsing=True), "")


def _below(group: Any, context: Any, before: str) -> Iterator[Page]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        inner = type(context)(command, info_name=name, parent=context)
        if hasattr(command, "list_commands"):
            yield from _below(command, inner, f"{before}{name} ")
            continue
        records = [one.get_help_record(inner) for one in command.get_params(inner)]
        options = tuple((str(what), _flow(why)) for what, why in filter(None, records) if "--help" not in what)
        usage = _flow(command.get_usage(inner)).removeprefix("Usage: ")
        yield Page(f"{before}{name}", usage, _flow(command.help or ""), options)


def _flow(text: str) -> str:
    return " ".join(text.split())


def man() -> str:
    """The page ``barestore(1)``, in the macros of man(7)."""
    out = [
        f'.TH BARESTORE 1 "" "barestore {__version__}" "User Commands"',
        ".SH NAME",
        "barestore \\- turn an inventory into working storage",
        ".SH SYNOPSIS",
        ".B barestore",
        ".I COMMAND",
        "[\\fIOPTIONS\\fR]",
        ".SH COMMANDS",
    ]
    for page in pages():
        out += [".SS", _roff(page.usage), ".PP", _roff(page.text)]
        for what, why in page.options:
            out += [".TP", f"\\fB{_roff(what)}\\fR", _roff(why)]
        for line, why in examples.lines(page.name):
            out += [".PP", f"{_roff(why[:1].upper() + why[1:])}:", ".PP", ".EX", _roff(f"    {line}"), ".EE"]
    out.append(".SH EXIT STATUS")
    for code, meaning in exits.MEANING.items():
        out += [".TP", f"\\fB{int(code)}\\fR", _roff(meaning)]
    out += [".PP", _roff(exits.WORST), ".SH FILES"]
    for path, what in FILES:
        out += [".TP", f"\\fI{_roff(path)}\\fR", _roff(what)]
    return "\n".join(out) + "\n"


def _roff(text: str) -> str:
    """Text as it is: no macro at the start of a line, no escape, and hyphens that can be copied."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^(\s*)([.'])", r"\1\\&\2", text, flags=re.MULTILINE)


def markdown() -> str:
    """The same as a page of the site."""
    out = ["# barestore", "", "Each command ends with one of these:", "", "| exit code | means |", "| --- | --- |"]
    out += [f"| {int(code)} | {meaning} |" for code, meaning in exits.MEANING.items()]
    out += ["", exits.WORST]
    for page in pages():
        out += [
            "",
            f"## {page.name}",
            "",
            f"    {page.usage}",
            "",
            page.text,
            "",
            "| option | meaning |",
            "| --- | --- |",
        ]
        out += [f"| `{what}` | {_cell(why)} |" for what, why in page.options]
        shown = examples.lines(page.name)
        if shown:
            width = max(len(line) for line, _why in shown)
            out += ["", *(f"    {line:<{width}}  # {why}" for line, why in shown)]
    return "\n".join(out) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    writers = {"man": man, "markdown": markdown}
    if len(sys.argv) != 2 or sys.argv[1] not in writers:
        sys.exit("usage: python -m barestore.manual man|markdown")
    print(writers[sys.argv[1]](), end="")
