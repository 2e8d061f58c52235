# SPDX-License-Identifier: GPL-3.0-or-later
"""A run as somebody watches it: one line a host on a terminal, a line for each change elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack

from rich.console import Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from barestore.estimates import Estimates, takes_long
from barestore.estimates import words as words_of
from barestore.fleet import Call
from barestore.hostplan import HostPlan
from barestore.lines import lines
from barestore.rollout import Events
from barestore.screen import Screen, say
from barestore.watch import Seen, Watch

_MOST_LINES = 12
_PLAIN_EVERY_SECONDS = 15.0
_MOST_LONG = 2


class Progress:
    """Use as a context; :meth:`tick` is called several times a second."""

    def __init__(self, screen: Screen, call: Call, plans: Mapping[str, HostPlan], events: Events | None = None) -> None:
        self.watch = Watch(call, any(takes_long(plans[host].actions) for host in call.hosts))
        self._screen = screen
        self._events = events or Events()
        self._estimates = Estimates()
        self._before: dict[str, Seen] = {}
        self._call = call
        self._words = {host: _words(plan) for host, plan in plans.items() if host in call.hosts}
        racks = {plans[host].rack for host in call.hosts}
        self._where = f" {racks.pop()}" if len(racks) == 1 else ""
        self._start = time.monotonic()
        self._said: set[str] = set()
        self._last = self._start
        self._stack = ExitStack()
        self._live: Live | None = None

    def __enter__(self) -> Progress:
        if self._screen.live and not self._events.on:
            self._live = self._stack.enter_context(
                Live(get_renderable=self._draw, console=self._screen.console, refresh_per_second=6, transient=True)
            )
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def tick(self) -> None:
        """Look at the hosts; say what is new."""
        new = self.watch.tick()
        if new and self._events.on:
            self._tell()
        if self._live is not None:
            return
        for host in self._call.hosts:
            if host in self._call.answers and host not in self._said:
                self._said.add(host)
                say(f"{host}: ended after {self._seconds()}")
        if new and time.monotonic() - self._last > _PLAIN_EVERY_SECONDS:
            self._last = time.monotonic()
            for host, seen in self.watch.seen.items():
                if host not in self._said:
                    say(f"{host}: {self._of(host, seen)}, {self._seconds()}")

    def stop(self) -> None:
        """Somebody pressed Ctrl-C once."""
        self.watch.stop()
        text = (
            "Stopping: each host ends the actions that it runs and starts no more. "
            "Press Ctrl-C again to leave them to it."
        )
        if self._live is not None:
            self._screen.console.print(Text(text, "yellow"))
        else:
            say(text)

    def _tell(self) -> None:
        """What hosts did since the last look, as events."""
        for host, seen in self.watch.seen.items():
            before = self._before.get(host, Seen())
            for action in (*seen.done, *seen.running):
                if action not in before.done and action not in before.running:
                    self._events("action", host=host, action=action, state="started")
            for action in seen.done:
                if action not in before.done:
                    self._events("action", host=host, action=action, state="ended")
            for what, percent in seen.long.items():
                left = self._estimates.left(host, what, percent)
                self._events("progress", host=host, what=what, percent=percent, seconds_left=left and round(left))
            self._before[host] = seen

    def _draw(self) -> Group:
        waiting = [host for host in self._call.hosts if host not in self._call.answers]
        ended = len(self._call.hosts) - len(waiting)
        head = ("Stopping" if self.watch.stopping else "Applying") + self._where
        if len(self._call.hosts) > 1:
            head += f": {ended} of {len(self._call.hosts)} hosts ended"
        table = Table.grid(padding=(0, 2, 0, 0))
        for host in waiting[:_MOST_LINES]:
            table.add_row("", Text(host, "bold"), Text(self._of(host, self.watch.seen.get(host, Seen())), "dim"))
        return Group(Spinner("dots", Text(f"{head}, {self._seconds()}")), table)

    def _of(self, host: str, seen: Seen) -> str:
        words = self._words.get(host, {})
        if not seen.done and not seen.running:
            return f"{len(words)} actions to do"
        now = ", ".join(words.get(action, action) for action in seen.running[:3])
        long = [words_of(what, each, self._estimates.left(host, what, each)) for what, each in seen.long.items()]
        return ", ".join(
            [f"{len(seen.done)} of {len(words)} done", *([f"now {now}"] if now else []), *long[:_MOST_LONG]]
        )

    def _seconds(self) -> str:
        seconds = int(time.monotonic() - self._start)
        return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"


def _words(plan: HostPlan) -> dict[str, str]:
    said = zip(plan.actions, lines(plan), strict=True)
    return {str(action["id"]): f"{each.what} {each.target}" for action, each in said}
