# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans as people read them: a block a host or cluster, a line an action, a last line that sums up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from barestore import picture, spread
from barestore.hostplan import HostPlan
from barestore.lines import lines as lines_of
from barestore.osds import changes
from barestore.tally import KINDS, Tally, many
from barestore.words import CHANGES, CREATES, DESTROYS, GROWS, Line

_STYLES = {CREATES: "green", CHANGES: "yellow", GROWS: "cyan", DESTROYS: "bold red"}
_WIDE = 130


def one(host: HostPlan, width: int, verbose: bool = False) -> Iterator[RenderableType]:
    """One host or cluster: its name, its actions, what they come to."""
    name = Text(no_wrap=True).append(host.key, "bold")
    if host.rack:
        name.append(f"  {host.rack}", "dim")
    if host.status == "nothing":
        yield name.append(f"  {host.message or 'nothing to do'}", "green")
        return
    yield name
    if host.status in ("unreachable", "error", "held"):
        yield _sentence(host.message)
    if host.status == "later":
        yield Padding(Text(host.message, "yellow"), (0, 0, 0, 2))
    for refusal in host.refusals:
        yield _sentence(refusal)
    if host.status == "refused":
        where = "in this cluster" if host.kind == "cluster" else "on this host"
        yield Text(f"  Nothing is written {where} while this stands.", "dim")
    if host.actions:
        lines = lines_of(host)
        yield from (Padding(drawn, (0, 0, 1, 2)) for drawn in _drawn(host))
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
    yield Text(host.key, "bold", no_wrap=True).append(f"  {host.rack}" if host.rack else "", "dim not bold")
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
    for action, said in zip(host.actions, lines_of(host), strict=True):
        if action["id"] in seconds:
            sign = Text("✗", "bold red") if action["id"] in failed else Text("✓", "green")
            table.add_row(sign, Text(f"{seconds[action['id']]:.1f} s", "dim"), said.what, Text(said.target, "bold"))
    yield Padding(table, (0, 0, 0, 2))
    reached = spread.table(spread.rows(host.spread))
    if reached is not None:
        yield Padding(reached, (0, 0, 0, 2))
    if host.message:
        yield _sentence(host.message)
    rest = sum(action["id"] not in seconds for action in host.actions)
    ran = f"{many(sum(action['id'] in seconds for action in host.actions), 'action')} ran"
    yield Text(f"  {ran}" + (f", {rest} did not start" if rest else ""), no_wrap=True)
    for note in host.notes:
        yield Text(f"  note: {note}", "dim")
    yield Text(f"  journal on the host: {host.journal}", "dim", no_wrap=True)
    yield Text("")


def _drawn(host: HostPlan) -> Iterator[Table]:
    """What the actions come to: disks before and after, or failure domains and the OSDs that come and go."""
    if host.kind == "host":
        drawn = picture.drawings(host.disks, host.actions)
        if drawn:
            yield picture.table(drawn)
        return
    found = changes(host.disks, host.actions)
    if not found:
        return
    domains = spread.table(spread.rows(host.spread, found))
    if domains is not None:
        yield domains
    table = Table.grid(padding=(0, 2, 0, 0))
    for _column in range(6):
        table.add_column(no_wrap=True)
    for one in found:
        cells = (one.sign, one.osd or "new OSD", one.device_set, one.rack, one.host, one.disk)
        style = _STYLES[one.sign]
        said = "" if one.what in ("new", "removed") else one.what
        table.add_row(Text(cells[0], style), Text(cells[1], "bold"), *map(Text, cells[2:]), Text(said, style))
    yield table


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


def total(found: Tally) -> Text:
    """How many hosts and clusters there are of each status."""
    text = Text(no_wrap=True)
    for kind in KINDS:
        statuses = found.of[kind]
        if not statuses:
            continue
        text.append(f"{'; ' if text else ''}{many(statuses.total(), kind)}: ", "bold")
        said = [(f"{statuses[key]} {word}", style) for key, word, style in _TOTALS if statuses[key]]
        for index, (word, style) in enumerate(said):
            text.append(f"{', ' if index else ''}{word}", style)
    return text


_TOTALS = [
    ("changes", "to change", ""),
    ("later", "to plan later", "yellow"),
    ("done", "done", "green"),
    ("nothing", "with nothing to do", "green"),
    ("refused", "refused", "red"),
    ("unreachable", "unreachable", "red"),
    ("error", "with an error", "red"),
    ("held", "not begun", "yellow"),
]
