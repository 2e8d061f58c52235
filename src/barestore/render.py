# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans as people read them: a block a host, a line an action, a last line that sums up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from barestore import picture
from barestore.hostplan import HostPlan
from barestore.words import CHANGES, CREATES, DESTROYS, GROWS, Disks, Line, line

_STYLES = {CREATES: "green", CHANGES: "yellow", GROWS: "cyan", DESTROYS: "bold red"}
_WIDE = 130


def one(host: HostPlan, width: int, verbose: bool = False) -> Iterator[RenderableType]:
    """One host: its name, its actions, what they come to."""
    name = Text(no_wrap=True).append(host.host, "bold")
    if host.rack:
        name.append(f"  {host.rack}", "dim")
    if host.status == "nothing":
        yield name.append(f"  {host.message or 'nothing to do'}", "green")
        return
    yield name
    if host.status in ("unreachable", "error", "held"):
        yield _sentence(host.message)
    for refusal in host.refusals:
        yield _sentence(refusal)
    if host.status == "refused":
        yield Text("  Nothing is written on this host while this stands.", "dim")
    if host.actions:
        disks = Disks(host.disks)
        lines = [line(action, disks) for action in host.actions]
        drawn = picture.drawings(host.disks, host.actions)
        if drawn:
            yield Padding(picture.table(drawn), (0, 0, 1, 2))
        yield from _actions(lines, width, verbose)
        yield Text(f"  {counted(lines)}", no_wrap=True)
    for note in host.notes:
        yield Text(f"  note: {note}", "dim")
    if host.actions:
        yield Text(f"  {host.digest}", "dim", no_wrap=True)
    yield Text("")


def result(host: HostPlan, width: int) -> Iterator[RenderableType]:
    """What ran on one host; a host that did nothing reads as its plan does."""
    if not host.executed:
        yield from one(replace(host, actions=()), width)
        return
    yield Text(host.host, "bold", no_wrap=True).append(f"  {host.rack}" if host.rack else "", "dim not bold")
    disks = Disks(host.disks)
    seconds: dict[str, float] = {}
    failed = set()
    for step in host.executed:
        seconds[step["action"]] = seconds.get(step["action"], 0.0) + step["seconds"]
        if step["rc"]:
            failed.add(step["action"])
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for action in host.actions:
        if action["id"] in seconds:
            sign = Text("✗", "bold red") if action["id"] in failed else Text("✓", "green")
            said = line(action, disks)
            table.add_row(sign, Text(f"{seconds[action['id']]:.1f} s", "dim"), said.what, Text(said.target, "bold"))
    yield Padding(table, (0, 0, 0, 2))
    if host.message:
        yield _sentence(host.message)
    rest = sum(action["id"] not in seconds for action in host.actions)
    ran = f"{sum(action['id'] in seconds for action in host.actions)} actions ran"
    yield Text(f"  {ran}" + (f", {rest} did not start" if rest else ""), no_wrap=True)
    for note in host.notes:
        yield Text(f"  note: {note}", "dim")
    yield Text(f"  journal on the host: {host.journal}", "dim", no_wrap=True)
    yield Text("")


def counted(lines: Iterable[Line]) -> str:
    """``12 to create, 1 to change, 2 to grow, 0 destroyed``."""
    found = Counter(each.sign for each in lines)
    words = [(CREATES, "to create"), (CHANGES, "to change"), (GROWS, "to grow")]
    said = [f"{found[sign]} {word}" for sign, word in words if found[sign]]
    return ", ".join([*said, f"{found[DESTROYS]} destroyed"])


def _sentence(text: str) -> RenderableType:
    return Padding(Text(text, "red"), (0, 0, 0, 2))


def _actions(lines: Sequence[Line], width: int, verbose: bool) -> Iterator[RenderableType]:
    """Columns as wide as what is in them; the disk is left out where there is no room for it; commands below."""
    where = width >= _WIDE
    widths = [
        max(len(text) for text in column) for column in zip(*(_cells(each, where) for each in lines), strict=True)
    ]
    for each in lines:
        style = _STYLES[each.sign]
        table = Table.grid(padding=(0, 2, 0, 0))
        for column in widths:
            table.add_column(no_wrap=True, width=column)
        table.add_column(overflow="fold")
        detail = Text(each.detail)
        for lost in each.lost:
            detail.append(f"{', ' if detail else ''}destroys {lost}", _STYLES[DESTROYS])
        styles = (style, style if each.lost else "", "bold", "dim")
        cells = [Text(cell, how) for cell, how in zip(_cells(each, where), styles, strict=False)]
        table.add_row(*cells, detail)
        yield Padding(table, (0, 0, 0, 2))
        for command in each.commands if verbose else ():
            yield Padding(Text(f"$ {command}", "dim", overflow="fold"), (0, 0, 0, 7))


def _cells(each: Line, where: bool) -> tuple[str, ...]:
    return (each.sign, each.what, each.target, *((each.where,) if where else ()))


def total(found: Counter[str]) -> Text:
    """How many hosts there are of each status."""
    words = [
        ("changes", "to change", ""),
        ("done", "done", "green"),
        ("nothing", "with nothing to do", "green"),
        ("refused", "refused", "red"),
        ("unreachable", "unreachable", "red"),
        ("error", "with an error", "red"),
        ("held", "not begun", "yellow"),
    ]
    hosts = found.total()
    text = Text(f"{hosts} {'host' if hosts == 1 else 'hosts'}: ", "bold", no_wrap=True)
    for index, (word, style) in enumerate((f"{found[key]} {word}", style) for key, word, style in words if found[key]):
        text.append(f"{', ' if index else ''}{word}", style or "not bold")
    return text
