# SPDX-License-Identifier: GPL-3.0-or-later
"""``barestore lab``: hosts with the disks that an inventory describes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from barestore.lab import capability, image
from barestore.lab.errors import LabError
from barestore.lab.inventory import machines, state_dir
from barestore.lab.runtime import Site

app = typer.Typer(
    help="Virtual machines or containers with the disks that an inventory describes.", no_args_is_help=True
)

Inventory = Annotated[
    Path,
    typer.Option("-i", "--inventory", envvar="ANSIBLE_INVENTORY", help="The inventory: a folder or a file."),
]
Hosts = Annotated[list[str] | None, typer.Argument(metavar="[HOST]...", help="All hosts if none is named.")]
DEFAULT_INVENTORY = Path("inventories/lab")


def _say(line: str) -> None:
    """Progress goes to standard error; standard output is for results."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def _sentences() -> Iterator[None]:
    """Errors as sentences, exit code 1."""
    try:
        yield
    except LabError as error:
        _say(f"error: {error}")
        raise typer.Exit(1) from error


@app.command()
def up(hosts: Hosts = None, inventory: Inventory = DEFAULT_INVENTORY) -> None:
    """Start the hosts that have lab_machine; those that run are left alone."""
    with _sentences():
        wanted = machines(inventory, hosts or ())
        site = Site(state_dir(inventory))
        site.up(wanted, _say)
        print(f"ssh -F {site.ssh_config} {wanted[0].name}")


@app.command()
def down(
    hosts: Hosts = None,
    inventory: Inventory = DEFAULT_INVENTORY,
    kill: Annotated[bool, typer.Option("--kill", help="Pull the plug instead of shutting down.")] = False,
    wipe: Annotated[bool, typer.Option("--wipe", help="Also remove the disks and the root file system.")] = False,
) -> None:
    """Power hosts off; their disks and their root file system stay."""
    with _sentences():
        Site(state_dir(inventory)).down(hosts or (), _say, kill=kill, wipe=wipe)


@app.command(
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
    }
)
def ssh(context: typer.Context, host: str, inventory: Inventory = DEFAULT_INVENTORY) -> None:
    """Log in to a host, or run a command there: ssh HOST [COMMAND...]. Own options go before HOST."""
    with _sentences():
        site = Site(state_dir(inventory))
        found = site.hosts().get(host)
        if found is None or not found.running:
            raise LabError(f"host {host} is not running; start it with: barestore lab up {host} -i {inventory}")
    os.execvp("ssh", ["ssh", "-F", str(site.ssh_config), host, *context.args])


@app.command("list")
def list_hosts(
    inventory: Inventory = DEFAULT_INVENTORY,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show the hosts that have been up: kind, state, process, how SSH reaches them, and disks."""
    with _sentences():
        rows = [host.row() for host in Site(state_dir(inventory)).hosts().values()]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    table = Table("name", "kind", "state", "pid", "ssh", "disks")
    for row in rows:
        shown = ", ".join(f"{d['serial']} ({d['type']}, {d['size'] / (1 << 30):g} GiB)" for d in row["disks"])
        reached = row.get("address") or row.get("ssh_port") or ""
        table.add_row(row["name"], row["kind"], row["state"], str(row["pid"] or ""), str(reached), shown)
    Console().print(table)


@app.command("image")
def make_image(
    refresh: Annotated[bool, typer.Option("--refresh", help="Build anew if the mirror has newer versions.")] = False,
) -> None:
    """Build the guest's image if it is not in the cache, and print its folder."""
    with _sentences():
        found = None if refresh else image.find()
        capability.require(build=found is None)
        built = found or image.ensure(_say, refresh=refresh)
        print(built.folder)


if __name__ == "__main__":
    app()
