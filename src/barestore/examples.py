# SPDX-License-Identifier: GPL-3.0-or-later
"""An example or two of each subcommand: what ``--help``, the man page and the reference show."""

from __future__ import annotations

import typer

from barestore.exits import LINE

# The words of a subcommand; for each example the rest of its line, and what it is good for.
EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "validate": (
        ("-i inventories/production", "all documents of a site"),
        ("--limit rack3 --json", "those of one rack, for a program"),
    ),
    "disks": (
        ("-i inventories/lab", "each disk, and the group that takes it"),
        ("--observed recordings/ --limit ss1", "the same where ss1 cannot be reached"),
    ),
    "plan": (
        ("--limit ss1 -v", "what apply would do on ss1, with the commands"),
        ("--out plan.json", "keep the plan, to have it approved"),
        ("--observed recordings/ --json", "plan offline, for a program"),
        ("--against origin/main --markdown plan.md", "what a branch changes, as a comment"),
    ),
    "apply": (
        ("--limit ss1", "plan, show, ask, and run it"),
        ("--plan plan.json", "exactly the plan that was approved, or nothing"),
    ),
    "drift": (
        ("-i inventories/production", "which hosts and clusters are not as documented"),
        ("--markdown drift.md --prometheus drift.prom", "for people, and for the node exporter"),
    ),
    "audit": (
        ("-i inventories/production", "two owners of one disk, on all hosts and clusters"),
        ("--prometheus audit.prom --json", "for the node exporter, and for a program"),
    ),
    "report": (("--out report.html", "the site as a page: racks, disks, capacity"),),
    "observe": (
        ("--save recordings/", "record all hosts and clusters"),
        ("--save recordings/ --limit ss1", "one host, after its document asks something new"),
    ),
    "bundle list": (("-i inventories/production", "images, charts, binaries and packages with their versions"),),
    "bundle build": (("/srv/bundle -i inventories/production", "bring them into a folder; run again to go on"),),
    "bundle check": (
        ("/srv/bundle -i inventories/production", "all that the folder lacks, at once"),
        ("/srv/bundle --thorough", "and whether each file is what its digest says"),
    ),
    "lab up": (("-i inventories/lab", "start all virtual hosts of an inventory"),),
    "lab down": (
        ("lab1 -i inventories/lab", "power one off; its disks stay"),
        ("--wipe -i inventories/lab", "remove all of them with their disks"),
    ),
    "lab ssh": (("-i inventories/lab lab1 lsblk", "run a command on a host"),),
    "lab list": (("-i inventories/lab --json", "processes, ports and disks, for a program"),),
    "lab image": (("--refresh", "build anew if Debian has newer packages"),),
}


def lines(command: str) -> list[tuple[str, str]]:
    """Whole command lines with what they are good for."""
    return [(f"barestore {command} {rest}", why) for rest, why in EXAMPLES.get(command, ())]


def attach(app: typer.Typer, before: str = "") -> None:
    """Put its examples at the end of the help of each subcommand that has some, and the exit codes below them."""
    for info in app.registered_commands:
        name = info.name or str(getattr(info.callback, "__name__", "")).replace("_", "-")
        shown = lines(f"{before}{name}")
        if shown:
            width = max(len(line) for line, _why in shown)
            text = "\n".join(f"  {line:<{width}}  # {why}" for line, why in shown)
            # \b keeps the lines as they are.
            info.epilog = f"\b\nExamples:\n{text}" + ("" if before else f"\n\n{LINE}")
    for group in app.registered_groups:
        if group.typer_instance is not None:
            attach(group.typer_instance, f"{before}{group.name} ")
