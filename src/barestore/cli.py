# SPDX-License-Identifier: GPL-3.0-or-later
"""The command ``barestore``: every option on one page. What each does is in ``commands/``."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from barestore import __version__, examples
from barestore.errors import Failed
from barestore.exits import LINE as _EXIT_CODES
from barestore.lab.cli import app as lab
from barestore.screen import say

if TYPE_CHECKING:
    from barestore.commands.common import Options

_EXAMPLES = """
Turn an inventory into working storage.

Examples:

\b
  barestore validate                              # no host is touched
  barestore disks -i inventories/lab              # what is there, and which group takes it
  barestore plan                                  # what apply would do
  barestore plan --out plan.json                  # ... kept, to be approved
  barestore apply --plan plan.json                # exactly that, or nothing
  barestore plan --against origin/main --markdown - # what a branch changes, as a comment
  barestore drift --prometheus drift.prom         # which hosts are not as documented
  barestore observe --save recordings/            # record the hosts once
  barestore plan --observed recordings/           # plan where nobody reaches them
  barestore report --out report.html              # the site as a page: racks, disks, capacity, plan
  barestore lab up -i inventories/lab             # virtual hosts to try it on

"""

app = typer.Typer(
    help=f"{_EXAMPLES}\n{_EXIT_CODES}",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(lab, name="lab")

Inventory = Annotated[
    Path | None,
    typer.Option("-i", "--inventory", help="A folder or a file.", show_default="that of ansible.cfg"),
]
Limit = Annotated[
    str, typer.Option("-l", "--limit", help="Hosts or groups, as Ansible takes them.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Observed = Annotated[Path | None, typer.Option(help="Plan from the recordings in this folder.")]
MaxAge = Annotated[
    str, typer.Option(help="Refuse recordings older than this, such as 90min, 24h or 7d.", show_default=False)
]
Markdown = Annotated[Path | None, typer.Option(help="Write a comment for a forge to this file, or to - .")]
MarkdownLimit = Annotated[int, typer.Option(min=1000, help="Characters that the comment may have.")]
Workers = Annotated[
    list[str] | None,
    typer.Option(
        help="Runs a share of the hosts elsewhere, such as 'ssh controller2 ansible-runner worker'; repeatable."
    ),
]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Show the commands of each action.")]


def main() -> None:
    """The entry point."""
    app()


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Show the version and end.")] = False,
) -> None:
    if version:
        print(f"barestore {__version__}")
        raise typer.Exit


@app.command()
def validate(inventory: Inventory = None, limit: Limit = "", as_json: AsJson = False) -> None:
    """Check the documents of all hosts; no host is contacted. Exit code 1 with one sentence for each mistake."""

    def run() -> int:
        from barestore.commands.validate import validate as command
        from barestore.inventory import chosen

        command(chosen(inventory), limit or None, as_json)
        return 0

    _end(run, as_json)


@app.command()
def disks(
    inventory: Inventory = None,
    limit: Limit = "",
    observed: Annotated[Path | None, typer.Option(help="Look at the recordings in this folder.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show each disk, the group that takes it, or why none does; nothing is written."""

    def run() -> int:
        from barestore.commands import disks as command

        return command.disks(_options(inventory, limit, as_json), observed)

    _end(run, as_json)


@app.command()
def plan(
    inventory: Inventory = None,
    limit: Limit = "",
    observed: Observed = None,
    max_age: MaxAge = "",
    against: Annotated[
        str, typer.Option(help="Only hosts of which something else is wanted than at this git revision.")
    ] = "",
    out: Annotated[Path | None, typer.Option(help="Keep the plan in this file, for apply --plan.")] = None,
    markdown: Markdown = None,
    markdown_limit: MarkdownLimit = 65_536,
    worker: Workers = None,
    verbose: Verbose = False,
    as_json: AsJson = False,
) -> None:
    """Show what apply would do; nothing is written."""

    def run() -> int:
        from barestore.commands import plan as command

        options = _options(inventory, limit, as_json, verbose, worker)
        sources = command.Sources(observed, _seconds(max_age))
        return command.plan(options, sources, command.Outputs(out, markdown, markdown_limit), against)

    _end(run, as_json)


@app.command()
def drift(
    inventory: Inventory = None,
    limit: Limit = "",
    observed: Observed = None,
    max_age: MaxAge = "",
    markdown: Markdown = None,
    markdown_limit: MarkdownLimit = 65_536,
    prometheus: Annotated[
        Path | None, typer.Option(help="Write metrics for the textfile collector of the node exporter.")
    ] = None,
    worker: Workers = None,
    verbose: Verbose = False,
    as_json: AsJson = False,
) -> None:
    """Show which hosts are not as their documents say: exit code 0 when all are, 2 when some are not."""

    def run() -> int:
        from barestore.commands import drift as command
        from barestore.commands.plan import Outputs, Sources

        options = _options(inventory, limit, as_json, verbose, worker)
        sources = Sources(observed, _seconds(max_age))
        return command.drift(options, sources, Outputs(None, markdown, markdown_limit), prometheus)

    _end(run, as_json)


@app.command()
def apply(
    inventory: Inventory = None,
    limit: Limit = "",
    plan: Annotated[Path | None, typer.Option(help="Run exactly the plan in this file, or nothing.")] = None,
    digest: Annotated[str, typer.Option(help="Only if the plan in the file is the one with this digest.")] = "",
    batch: Annotated[int, typer.Option(min=0, help="Hosts of a rack at once.", show_default="all of a rack")] = 0,
    stop_after: Annotated[
        int, typer.Option(min=0, help="Begin no other host after so many failed; 0 goes on in any case.")
    ] = 1,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask; nobody is asked without a terminal.")] = False,
    worker: Workers = None,
    verbose: Verbose = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: what happens, a line each.")] = False,
) -> None:
    """Make the hosts' storage what the inventory says, rack after rack. Ctrl-C stops it; run again to go on."""

    def run() -> int:
        from barestore.commands import apply as command
        from barestore.rollout import Pace

        order = command.Order(plan, digest, yes, Pace(batch, stop_after))
        return command.apply(_options(inventory, limit, as_json, verbose, worker), order)

    _end(run, as_json)


@app.command()
def observe(
    save: Annotated[Path, typer.Option(help="The folder: one file a host.")],
    inventory: Inventory = None,
    limit: Limit = "",
    as_json: AsJson = False,
) -> None:
    """Record the hosts, so that plans can be made elsewhere; nothing is written on them."""

    def run() -> int:
        from barestore.commands import observe as command

        return command.observe(_options(inventory, limit, as_json), save)

    _end(run, as_json)


@app.command()
def report(
    out: Annotated[Path, typer.Option(help="The HTML file to write.")],
    inventory: Inventory = None,
    limit: Limit = "",
    observed: Annotated[Path | None, typer.Option(help="Report from the recordings in this folder.")] = None,
    plan: Annotated[Path | None, typer.Option(help="Report from this plan file; no host is contacted.")] = None,
    runs: Annotated[
        list[Path] | None, typer.Option(help="Journals (HOST/*.jsonl) or answers of apply --json; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write one HTML file: racks, disks before and after the plan, capacity, health, runs; nothing else is written."""

    def run() -> int:
        from barestore.commands import report as command

        return command.report(_options(inventory, limit, as_json), out, observed, plan, runs or ())

    _end(run, as_json)


def _options(
    inventory: Path | None, limit: str, as_json: bool, verbose: bool = False, workers: list[str] | None = None
) -> Options:
    from barestore.commands.common import Options

    return Options(inventory, limit, as_json, verbose, tuple(workers or ()))


def _seconds(age: str) -> float | None:
    """``24h`` as seconds; None for nothing.

    :raises Failed: it is no such text.
    """
    units = {"min": 60, "h": 3600, "d": 86400}
    found = re.fullmatch(r"(\d{1,6}) ?(min|h|d)", age)
    if age and not found:
        raise Failed(f"--max-age is '{age}'; write a number and min, h or d, such as 24h.")
    return int(found[1]) * units[found[2]] if found else None


def _end(run: Callable[[], int], as_json: bool) -> None:
    """Run a command; whatever a person can act upon ends it with sentences and not with a traceback."""
    try:
        code = int(run())
        sys.stdout.flush()
    except Failed as error:
        if as_json:
            print(json.dumps({"exit": 1, "error": str(error)}, ensure_ascii=False))
        else:
            say(str(error))
        code = 1
    except KeyboardInterrupt:
        say("Interrupted.")
        code = 1
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python would complain when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    raise typer.Exit(code)


examples.attach(app)

if __name__ == "__main__":
    main()
