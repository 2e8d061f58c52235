# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs on the hosts right now, read from their journals through a second, light connection.

A module says nothing until it ends; its journal is on the host's disk before each action starts.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from barestore import estimates
from barestore.fleet import Call

# Only a process that holds the lock open, or for a cluster, which has a lease instead, its journal, is the run of now:
# its id names its journal. Nothing here needs Python.
_RUNNING = r"""
cd /var/lib/barestore 2>/dev/null || exit 0
holds() { [ -n "$1" ] && ls -l "/proc/$1/fd" 2>/dev/null | grep -q "/var/lib/barestore/$2\$"; }
pid=$(cat lock 2>/dev/null)
newest=$(ls -t journal/*.jsonl 2>/dev/null | head -n 1)
holds "$pid" lock || { pid=${newest##*-}; pid=${pid%.jsonl}; holds "$pid" "$newest"; } || exit 0
"""
_READ = (
    _RUNNING
    + """
journal=$(ls -t journal/*-"$pid".jsonl 2>/dev/null | head -n 1)
[ -n "$journal" ] || exit 0
tr -d '\\000' <"$journal" | sed -nE 's/^.*"action": "([^"]+)".*"event": "(start|done|failed)".*$/\\2 \\1/p'
"""
)
_STOP = _RUNNING + 'kill -INT "$pid"\n' + _READ

_EVERY_SECONDS = 3.0
_LINE = re.compile(r"^(start|done|failed) (.+)$")


@dataclass(frozen=True)
class Seen:
    """How far a host is: the ids of actions that ended, of those that run, and percentages of what takes long."""

    done: tuple[str, ...] = ()
    running: tuple[str, ...] = ()
    long: Mapping[str, float] = field(default_factory=dict)


def read(text: str) -> Seen:
    """The journal's events, as the script above prints them."""
    events = [found.groups() for found in map(_LINE.match, text.splitlines()) if found]
    ended = {action for event, action in events if event != "start"}
    started = [action for event, action in events if event == "start"]
    return Seen(
        tuple(action for action in started if action in ended),
        tuple(action for action in started if action not in ended),
        estimates.read(text),
    )


@dataclass
class Watch:
    """Asks the hosts that have not ended how far they are, and asks them to stop when told to.

    ``long`` says that some of them do what takes long, so that it is worth a few more processes to ask about it.
    """

    call: Call
    long: bool = False
    seen: dict[str, Seen] = field(default_factory=dict)
    stopping: bool = False
    _asking: Call | None = None
    _next: float = field(default_factory=lambda: time.monotonic() + _EVERY_SECONDS)
    _began: float = 0.0

    def tick(self) -> bool:
        """Look, and never wait; True when something new is known."""
        now = time.monotonic()
        if self._asking is not None:
            if self._asking.running():
                return False
            new = self._learn(self._asking)
            # However many hosts there are, asking takes at most a quarter of this machine's time.
            self._next = now + max(_EVERY_SECONDS, 3 * (now - self._began))
            self._asking = None
            return new
        if now >= self._next and self._waiting():
            self._ask(now)
        return False

    def stop(self) -> None:
        """Ask the hosts to start nothing more: now, and again until each has ended."""
        self.stopping = True
        self._asking = None  # what is being asked may take seconds, and nobody needs the answer now
        self._next = 0.0

    def _waiting(self) -> Sequence[str]:
        return [host for host in self.call.hosts if host not in self.call.answers]

    def _ask(self, now: float) -> None:
        script = (_STOP if self.stopping else _READ) + (estimates.SCRIPT if self.long else "")
        task: Mapping[str, Any] = {"ansible.builtin.raw": script}
        self._began = now
        self._asking = Call(self.call.sources, self._waiting(), task, workers=self.call.workers)
        self._asking.start()

    def _learn(self, asked: Call) -> bool:
        before = dict(self.seen)
        for host, answer in asked.answers.items():
            found = read(str(answer.result.get("stdout", "")))
            # Nothing printed: not begun, or ended meanwhile; what was known stays.
            if answer.how == "ok" and (found.done or found.running):
                self.seen[host] = found
        return self.seen != before
