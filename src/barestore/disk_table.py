# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks as people look for them: by serial and slot, with what is on them and who takes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ansible_collections.barestore.storage.plugins.module_utils.host.sizes import human
from barestore.words import short_slot

if TYPE_CHECKING:
    from barestore.commands.disks import HostDisks

_WIDE = 120


def tables(hosts: Sequence[HostDisks], width: int) -> Iterator[RenderableType]:
    """One table a host, by rack."""
    for one in sorted(hosts, key=lambda each: (each.host.rack, each.host.name)):
        size = sum(int(disk["size"]) for disk in one.disks)
        name = Text(one.host.name, "bold", no_wrap=True)
        if one.host.rack:
            name.append(f"  {one.host.rack}", "dim not bold")
        count = len(one.disks)
        yield name.append(f"  {count} {'disk' if count == 1 else 'disks'}, {human(size)}", "dim not bold")
        yield Padding(_table(one, width), (0, 0, 0, 2))
        for refusal in one.refusals:
            yield Padding(Text(refusal, "red"), (0, 0, 0, 2))
        yield Text("")


def _table(one: HostDisks, width: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", show_edge=False)
    for head, justify in (("serial", "left"), ("slot", "left"), ("size", "right"), ("kind", "left")):
        table.add_column(head, justify="right" if justify == "right" else "left", no_wrap=True)
    if width >= _WIDE:
        table.add_column("model", no_wrap=True)
    table.add_column("on it", overflow="fold")
    table.add_column("group", overflow="fold")
    for disk in one.disks:
        cells = [
            Text(str(disk["serial"] or disk["id"]), "bold"),
            Text(short_slot(str(disk["slot"]))),
            Text(human(int(disk["size"]))),
            Text(_kind(disk)),
        ]
        if width >= _WIDE:
            cells.append(Text(" ".join(each for each in (disk["vendor"], disk["model"]) if each), "dim"))
        table.add_row(*cells, _content(disk), _group(one, disk))
    return table


def _kind(disk: Mapping[str, Any]) -> str:
    if disk["transport"] == "nvme":
        return "nvme"
    return " ".join(each for each in ("hdd" if disk["rotational"] else "ssd", str(disk["transport"])) if each)


def _content(disk: Mapping[str, Any]) -> Text:
    held = [
        " ".join(str(each) for each in (part["name"] or part["number"], part["content"]) if each)
        for part in disk["holds"]
    ]
    if held:
        return Text(", ".join(held))
    return Text(str(disk["content"])) if disk["content"] else Text("nothing", "dim")


def _group(one: HostDisks, disk: Mapping[str, Any]) -> Text:
    taken = one.taken.get(str(disk["id"]))
    if taken:
        return Text(taken, "green")
    if disk["out_of_reach"]:
        return Text(f"out of reach: {disk['out_of_reach']}", "dim")
    reasons = one.reasons.get(str(disk["id"]), {})
    said = "; ".join(f"not {name}: {why}" for name, why in reasons.items())
    return Text(said or "no group", "dim")
