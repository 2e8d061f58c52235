# SPDX-License-Identifier: GPL-3.0-or-later
"""``barestore bundle``: what a site without internet needs, brought into one folder and checked there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer

from ..errors import Failed
from ..inventory import chosen

Found = TypeVar("Found")
app = typer.Typer(help="Everything that a site gets from outside, in one folder.", no_args_is_help=True)

Inventory = Annotated[Path | None, typer.Option("--inventory", "-i", help="The inventory, a file or a directory.")]
Folder = Annotated[Path, typer.Argument(help="The folder of the bundle.")]


@app.command("list")
def list_(
    inventory: Inventory = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List each image, chart, binary and package that the site needs, with its version."""
    from .contents import of_inventory

    found = _or_end(lambda: of_inventory(chosen(inventory)))
    if as_json:
        keys = ("kind", "name", "version", "reference", "digest", "reason")
        print(json.dumps([{key: getattr(each, key) for key in keys} for each in found], indent=2))
        return
    for each in found:
        reason = f"  ({each.reason})" if each.reason else ""
        print(f"{each.kind:8} {each.name:26} {each.reference}{reason}")


@app.command()
def build(folder: Folder, inventory: Inventory = None) -> None:
    """Bring all of it into a folder, on a machine with internet. What is there already is not fetched again."""
    from . import build as builder
    from .contents import of_inventory
    from .layout import Layout

    found = _or_end(lambda: of_inventory(chosen(inventory)))
    failed = builder.build(found, Layout(folder), print)
    if failed:
        _end([*failed, f"{len(failed)} of {len(found)} could not be brought; run again to go on."])


@app.command()
def check(
    folder: Folder,
    inventory: Inventory = None,
    thorough: Annotated[bool, typer.Option(help="Read everything, and see that it is what its digest says.")] = False,
) -> None:
    """Say everything that a bundle lacks for this site. Exit code 1 when it lacks something."""
    from .contents import lacking, of_inventory
    from .layout import Layout

    found = _or_end(lambda: of_inventory(chosen(inventory)))
    if not folder.is_dir():
        _end([f"There is no folder {folder}; make it with: barestore bundle build {folder}"])
    sentences = list(lacking(found, Layout(folder), thorough))
    if sentences:
        advice = f"bring them with: barestore bundle build {folder}"
        _end([*sentences, f"{len(sentences)} things are missing or damaged; {advice}"])
    print(f"{folder} has all {len(found)} things that the site needs")


def _or_end(read: Callable[[], Found]) -> Found:
    try:
        return read()
    except Failed as error:
        _end([str(error)])


def _end(sentences: list[str]) -> NoReturn:
    for sentence in sentences:
        typer.echo(sentence, err=True)
    raise typer.Exit(1)
