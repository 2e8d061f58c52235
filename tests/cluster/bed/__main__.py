# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.cluster.bed``: the native test bed, by hand. docs/cluster-bed.md tells how it is used."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from barestore.lab.errors import LabError
from tests.cluster.bed import mirror
from tests.cluster.bed.binaries import BedError
from tests.cluster.bed.site import INVENTORY, Bed, cache

app = typer.Typer(
    help="Hosts as containers, and all that a Kubernetes on them needs, on this machine.", no_args_is_help=True
)

Inventory = Annotated[Path, typer.Option("-i", "--inventory", envvar="ANSIBLE_INVENTORY")]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@app.command()
def up(inventory: Inventory = INVENTORY) -> None:
    """Build what is missing, bring the nodes up, and start the mirror of packages and images."""
    Bed(inventory).up(_say)


@app.command()
def down(inventory: Inventory = INVENTORY, keep: Annotated[bool, typer.Option("--keep")] = False) -> None:
    """Take all of it down; --keep leaves the nodes' roots and disks for the next up."""
    Bed(inventory).down(_say, wipe=not keep)


@app.command()
def build() -> None:
    """Only build what is missing, and print where it is."""
    found = cache(_say)
    print(found.images, found.packages, found.charts, *found.programs.values(), sep="\n")


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def kubectl(words: list[str], inventory: Inventory = INVENTORY) -> None:
    """Run kubectl on the first control plane: kubectl get nodes."""
    argv = [
        "ssh",
        "-F",
        str(Bed(inventory).site.ssh_config),
        Bed(inventory).first,
        "kubectl",
        "--kubeconfig",
        "/etc/kubernetes/admin.conf",
    ]
    os.execvp("ssh", [*argv, *(f"'{word}'" for word in words)])


@app.command(hidden=True)
def serve(
    address: Annotated[str, typer.Option()],
    port: Annotated[int, typer.Option()],
    packages: Annotated[Path, typer.Option()],
    charts: Annotated[Path, typer.Option()],
    images: Annotated[list[Path], typer.Option()],
) -> None:
    """Be the mirror."""
    mirror.serve(address, port, {"apt": packages, "charts": charts}, images).serve_forever()


def main() -> int:
    """Errors as sentences, exit code 1."""
    try:
        app()
    except (LabError, BedError) as error:
        _say(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
