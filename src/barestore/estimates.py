# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the long things are that a host does by itself: resilver, pvmove, the synchronisation of arrays.

The tools say a percentage; how long it takes yet comes from how much it grew since it was first seen.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

# Each line: long, what, percent. Reading takes no lock, since the command that is watched holds it.
SCRIPT = r"""
zpool status 2>/dev/null | awk '/^ *pool:/ {p = $2}
  / (resilvered|repaired|copied),? .*% done/ {for (i = 1; i < NF; i++) if ($(i+1) ~ /^done/) print "long zpool:" p, $i}'
lvm lvs -a --nolocking --noheadings --separator ' ' -o vg_name,lv_name,copy_percent 2>/dev/null |
  awk 'NF == 3 && $3 + 0 < 100 {gsub(/[][]/, "", $2); print "long lvm:" $1 "/" $2, $3}'
awk '/^md/ {d = $1} match($0, /(resync|recovery|reshape|check) *= *[0-9.]+%/) {
  t = substr($0, RSTART, RLENGTH); sub(/.*= */, "", t); print "long md:" d, t}' /proc/mdstat 2>/dev/null
"""
# What takes long enough to be asked about. Where no plan has it, nothing is asked.
_LONG = {
    ("pvmove",), ("lvconvert",), ("zpool", "replace"), ("zpool", "attach"), ("zpool", "remove"), ("mdadm",),
}  # fmt: skip
_LINE = re.compile(r"^long (\S+) ([\d.]+)%?$")


def takes_long(actions: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a plan has actions whose progress a host can tell."""
    steps = (tuple(step.get("argv", ())) for action in actions for step in action.get("commands", ()))
    return any(argv[: len(start)] == start for argv in steps for start in _LONG)


def read(text: str) -> dict[str, float]:
    """Percentages by what they are of, as the script prints them."""
    found = (_LINE.match(line.strip()) for line in text.splitlines())
    return {match[1]: float(match[2]) for match in found if match}


@dataclass
class Estimates:
    """Remembers when each percentage was first seen."""

    clock: Callable[[], float] = time.monotonic
    _first: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)

    def left(self, host: str, what: str, percent: float) -> float | None:
        """Seconds until it is done, if it goes on as it did; None while nothing can be said."""
        now = self.clock()
        began, at = self._first.setdefault((host, what), (now, percent))
        if percent < at:  # another one of the same name
            self._first[host, what] = now, percent
            return None
        if percent == at or now == began:
            return None
        return (100 - percent) * (now - began) / (percent - at)


def words(what: str, percent: float, left: float | None) -> str:
    """``zpool:tank 25 %, 12 min left``."""
    return f"{what} {percent:.0f} %" + (f", {duration(left)} left" if left is not None else "")


def duration(seconds: float) -> str:
    """``40 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
