# SPDX-License-Identifier: GPL-3.0-or-later
"""The page's data, small: texts that many disks share are kept once, and actions are packed until somebody looks.

A site of 1,000 hosts with 60 disks each has to open at once. So what the pictures, the search and the sums need is
plain JSON with numbers for texts; the actions with their commands, the larger part, are gzip in base64, some hosts a
piece.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from barestore.lines import ClusterView
from barestore.report.data import SIGNS, USES, DiskView, HostView, Part, Trouble, counts
from barestore.report.runs import Run
from barestore.words import DESTROYS, Line

_HOSTS_A_PIECE = 20
_UNSAFE = {ord(each): f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"}


def script_json(value: object) -> str:
    """JSON that cannot end the script element that it stands in, whatever its texts say."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_UNSAFE)


class Table:
    """Each different value once; its place is what stands for it."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self._places: dict[Any, int] = {}

    def place(self, value: Any) -> int:
        """Where a value stands; a new one is added."""
        found = self._places.get(value)
        if found is None:
            found = self._places[value] = len(self.rows)
            self.rows.append(value)
        return found


class Encoder:
    """Takes hosts one by one, in the order of the page; :meth:`main` and ``pieces`` are what goes into it."""

    def __init__(self) -> None:
        self.texts = Table()
        self.layouts = Table()
        self.pieces: list[str] = []
        self._hosts: list[dict[str, Any]] = []
        self._clusters: list[dict[str, Any]] = []
        self._details: list[list[Any]] = []
        self._runs: list[list[Any]] = []
        self.texts.place("")

    def host(self, host: HostView) -> None:
        """Add one host."""
        places = {one.id: number for number, one in enumerate(host.disks)}
        found = {
            "n": host.name,
            "r": host.rack,
            "s": host.status,
            "t": host.taken,
            "g": host.digest,
            "m": host.message,
            "f": host.refusals,
            "o": host.notes,
            "c": host.counts if host.lines else (),
            "x": list(_lost(host.lines)),
            "h": [_trouble(one, places) for one in host.troubles],
            "p": [[one.kind, one.name, one.size, one.used, one.state] for one in host.stores],
            "d": [self._disk(one) for one in host.disks],
        }
        self._hosts.append({key: value for key, value in found.items() if value or key in "nrsd"})
        self._details.append(list(self._lines(host)))
        if len(self._details) == _HOSTS_A_PIECE:
            self._pack()

    def cluster(self, one: ClusterView) -> None:
        """Add a cluster, with all its actions: there are few."""
        plan = one.plan
        found = {
            "n": plan.host,
            "s": plan.status,
            "t": plan.observed,
            "g": plan.digest if plan.actions else "",
            "m": plan.message,
            "f": list(plan.refusals),
            "o": list(plan.notes),
            "c": counts(one.lines) if one.lines else (),
            "x": list(_lost(one.lines)),
            "q": [
                [
                    SIGNS.index(each.sign),
                    each.what,
                    each.osd,
                    each.device_set,
                    each.rack,
                    each.host,
                    each.disk,
                    each.volume,
                ]
                for each in one.changes
            ],
            "l": [_line(each, ()) for each in one.lines],
        }
        self._clusters.append({key: value for key, value in found.items() if value or key in "nsq"})

    def runs(self, runs: Iterable[Run]) -> None:
        """Add past runs, the newest first."""
        for run in runs:
            steps = [[step.action, step.command, round(step.seconds, 3), step.rc] for step in run.steps]
            self._runs.append([run.host, run.began, run.status, run.message, steps])

    def main(self, head: Mapping[str, Any]) -> str:
        """Everything but the packed actions, as JSON for a script element."""
        self._pack()
        return script_json(
            {
                **head,
                "signs": SIGNS,
                "uses": USES,
                "piece": _HOSTS_A_PIECE,
                "texts": self.texts.rows,
                "layouts": self.layouts.rows,
                "hosts": self._hosts,
                "clusters": self._clusters,
                "runs": self._runs,
            }
        )

    def _disk(self, one: DiskView) -> list[Any]:
        """``[serial, wwn, slot, model, size, kind, group, why, now, then, mark, trouble]``; empty ends are left out."""
        now = self._layout(one.now)
        row: list[Any] = [
            one.serial or one.id,
            one.wwn,
            *map(self.texts.place, (one.slot, one.model)),
            one.size,
            *map(self.texts.place, (one.kind, one.group, one.why)),
            now,
            self._layout(one.then) if one.then != one.now else now,
            *map(self.texts.place, (one.mark, one.trouble)),
        ]
        while row and not row[-1]:
            row.pop()
        return row

    def _layout(self, parts: Sequence[Part]) -> int:
        text = self.texts.place
        return self.layouts.place(
            tuple((p.number, text(p.name), p.size, text(p.carries), USES.index(p.use), int(p.new)) for p in parts)
        )

    def _lines(self, host: HostView) -> Iterator[list[Any]]:
        return (_line(each, touches) for each, touches in zip(host.lines, host.touches, strict=True))

    def _pack(self) -> None:
        if self._details:
            text = json.dumps(self._details, ensure_ascii=False, separators=(",", ":"))
            # No time in it: the same site gives the same page.
            packed = gzip.compress(text.encode(), 6, mtime=0) if any(self._details) else b""
            self.pieces.append(base64.b64encode(packed).decode())
            self._details = []


def _line(each: Line, touches: Sequence[int]) -> list[Any]:
    return [SIGNS.index(each.sign), each.what, each.target, each.where, each.detail, touches, each.commands, each.lost]


def _lost(lines: Iterable[Line]) -> Iterator[str]:
    return (lost for each in lines if each.sign == DESTROYS for lost in each.lost)


def _trouble(one: Trouble, places: Mapping[str, int]) -> list[Any]:
    return [one.level, one.text, places.get(one.disk, -1)]
