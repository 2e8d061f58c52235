# SPDX-License-Identifier: GPL-3.0-or-later
"""``barestore validate``: is every document of this inventory right? No host is contacted."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from ..errors import Failed
from ..site import Site, SiteError, load_site


def validate(
    inventory: Annotated[Path, typer.Option("--inventory", "-i", help="The inventory, a file or a directory.")],
    limit: Annotated[str | None, typer.Option("--limit", "-l", help="Only these hosts, as Ansible takes it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check the storage documents of all hosts of an inventory. No host is contacted.

    Exit code 0: no mistake; 1: mistakes, one sentence each.
    """
    try:
        site = load_site(inventory, limit)
    except (SiteError, Failed) as error:
        print(json.dumps({"error": str(error)}) if as_json else f"{error}", file=sys.stdout if as_json else sys.stderr)
        raise typer.Exit(1) from None
    if as_json:
        print(json.dumps(as_dict(site), indent=2))
    else:
        _print(site)
    if site.all_findings():
        raise typer.Exit(1)


def as_dict(site: Site) -> dict[str, object]:
    """What ``--json`` prints."""
    findings = [{**finding.as_dict(), "hosts": list(hosts)} for finding, hosts in site.all_findings().items()]
    documents = {host.name: host.document is not None for host in site.hosts}
    return {
        "inventory": str(site.inventory),
        "hosts": [{"name": name, "document": has} for name, has in documents.items()],
        "findings": findings,
    }


def _print(site: Site) -> None:
    console = Console(soft_wrap=True, highlight=False)
    findings = site.all_findings()
    for finding, hosts in findings.items():
        sentence = finding.sentence()
        if not console.is_terminal:
            print(sentence)
            continue
        where, colon, rest = sentence.partition(": ")
        console.print(Text.assemble((where, "bold"), (colon, "dim"), rest, (_of(hosts), "dim")))
    with_document = sum(host.document is not None for host in site.hosts)
    if not findings:
        print(f"{with_document} of {len(site.hosts)} hosts have a storage document; no mistakes")
    elif console.is_terminal:
        console.print(Text(f"{len(findings)} mistakes", "bold red"))


def _of(hosts: tuple[str, ...]) -> str:
    """The hosts that share a mistake, in few words."""
    if not hosts:
        return ""
    return f"  ({hosts[0]})" if len(hosts) == 1 else f"  ({hosts[0]} and {len(hosts) - 1} more)"
