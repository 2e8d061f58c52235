# SPDX-License-Identifier: GPL-3.0-or-later
"""The command ``barestore``: every option on one page. What each does is in ``commands/``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from barestore import __version__, examples
from barestore.bundle.cli import app as bundle
from barestore.errors import Failed
from barestore.exits import LINE as _EXIT_CODES
from barestore.lab.cli import app as lab
from barestore.options import Options, sharing

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
  barestore drift --prometheus drift.prom         # what is not as documented
  barestore audit                                 # whether a disk has two owners
  barestore observe --save recordings/            # record hosts and clusters once
  barestore plan --observed recordings/           # plan where nobody reaches them
  barestore report --out report.html              # the site as a page: racks, disks, capacity, plan
  barestore lab up -i inventories/lab             # virtual hosts to try it on
  barestore bundle build /srv/bundle              # what a site without internet needs

"""

app = typer.Typer(
    help=f"{_EXAMPLES}\n{_EXIT_CODES}",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(lab, name="lab")
app.add_typer(bundle, name="bundle")

Observed = Annotated[Path | None, typer.Option(help="Plan from the recordings in this folder.")]
MaxAge = Annotated[
    str, typer.Option(help="Refuse recordings older than this, such as 90min, 24h or 7d.", show_default=False)
]
Prometheus = Annotated[Path | None, typer.Option(help="Write metrics for the textfile collector of the node exporter.")]
Markdown = Annotated[Path | None, typer.Option(help="Write a comment for a forge to this file, or to - .")]
MarkdownLimit = Annotated[int, typer.Option(min=1000, help="Characters that the comment may have.")]


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
@sharing()
def validate(options: Options) -> int:
    """Check the documents of all hosts; no host is contacted. Exit code 1 with one sentence for each mistake."""
    from barestore.commands.validate import validate as command
    from barestore.inventory import chosen

    command(chosen(options.inventory), options.limit or None, options.as_json)
    return 0


@app.command()
@sharing()
def disks(
    options: Options,
    observed: Annotated[Path | None, typer.Option(help="Look at the recordings in this folder.")] = None,
) -> int:
    """Show each disk, the group that takes it, or why none does; nothing is written."""
    from barestore.commands import disks as command

    return command.disks(options, observed)


@app.command()
@sharing(runs=True)
def plan(
    options: Options,
    observed: Observed = None,
    max_age: MaxAge = "",
    against: Annotated[
        str, typer.Option(help="Only hosts and clusters of which something else is wanted than at this git revision.")
    ] = "",
    out: Annotated[Path | None, typer.Option(help="Keep the plan in this file, for apply --plan.")] = None,
    markdown: Markdown = None,
    markdown_limit: MarkdownLimit = 65_536,
) -> int:
    """Show what apply would do to hosts and to the OSDs of Ceph clusters; nothing is written."""
    from barestore.commands import plan as command

    sources = command.Sources(observed, _seconds(max_age))
    return command.plan(options, sources, command.Outputs(out, markdown, markdown_limit), against)


@app.command()
@sharing(runs=True)
def drift(
    options: Options,
    observed: Observed = None,
    max_age: MaxAge = "",
    markdown: Markdown = None,
    markdown_limit: MarkdownLimit = 65_536,
    prometheus: Prometheus = None,
) -> int:
    """Show which hosts and clusters are not as their documents say: exit code 0 when all are, 2 when some are not."""
    from barestore.commands import drift as command
    from barestore.commands.plan import Outputs, Sources

    sources = Sources(observed, _seconds(max_age))
    return command.drift(options, sources, Outputs(None, markdown, markdown_limit), prometheus)


@app.command()
@sharing()
def audit(options: Options, prometheus: Prometheus = None) -> int:
    """Look for two owners of one disk, on the nodes and in the Ceph clusters: exit code 0 when there is no sign of any.

    Nothing is written, and no disk is opened exclusively.
    """
    from barestore.commands import audit as command

    return command.audit(options, prometheus)


@app.command()
@sharing(runs=True, json_help="For programs: what happens, a line each.")
def apply(
    options: Options,
    plan: Annotated[Path | None, typer.Option(help="Run exactly the plan in this file, or nothing.")] = None,
    digest: Annotated[str, typer.Option(help="Only if the plan in the file is the one with this digest.")] = "",
    batch: Annotated[int, typer.Option(min=0, help="Hosts of a rack at once.", show_default="all of a rack")] = 0,
    stop_after: Annotated[
        int, typer.Option(min=0, help="Begin no other host after so many failed; 0 goes on in any case.")
    ] = 1,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask; nobody is asked without a terminal.")] = False,
) -> int:
    """Make the hosts' storage what the inventory says, rack after rack, and then the OSDs of its Ceph clusters.

    Ctrl-C stops it; run again to go on.
    """
    from barestore.commands import apply as command
    from barestore.rollout import Pace

    return command.apply(options, command.Order(plan, digest, yes, Pace(batch, stop_after)))


@app.command()
@sharing()
def observe(options: Options, save: Annotated[Path, typer.Option(help="The folder: one file each.")]) -> int:
    """Record the hosts and Ceph clusters, so that plans can be made elsewhere; nothing is written on them."""
    from barestore.commands import observe as command

    return command.observe(options, save)


@app.command()
@sharing()
def report(
    options: Options,
    out: Annotated[Path, typer.Option(help="The HTML file to write.")],
    observed: Annotated[Path | None, typer.Option(help="Report from the recordings in this folder.")] = None,
    plan: Annotated[Path | None, typer.Option(help="Report from this plan file; no host is contacted.")] = None,
    runs: Annotated[
        list[Path] | None, typer.Option(help="Journals (HOST/*.jsonl) or answers of apply --json; may be repeated.")
    ] = None,
) -> int:
    """Write one HTML file: racks, disks before and after the plan, capacity, health, runs; nothing else is written."""
    from barestore.commands import report as command

    return command.report(options, out, observed, plan, runs or ())


def _seconds(age: str) -> float | None:
    """``24h`` as seconds; None for nothing.

    :raises Failed: it is no such text.
    """
    units = {"min": 60, "h": 3600, "d": 86400}
    found = re.fullmatch(r"(\d{1,6}) ?(min|h|d)", age)
    if age and not found:
        raise Failed(f"--max-age is '{age}'; write a number and min, h or d, such as 24h.")
    return int(found[1]) * units[found[2]] if found else None


examples.attach(app)

if __name__ == "__main__":
    main()
