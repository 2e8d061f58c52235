# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Maintenance windows: ``Sa 22:00-06:00`` or ``Mo-Fr 20:00-24:00``, in the local time of the module's host."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..plan.errors import SpecError

DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_FORM = re.compile(r"^(?:([A-Z][a-z])(?:-([A-Z][a-z]))? +)?(\d\d):(\d\d)-(\d\d):(\d\d)$")
_DAY = 24 * 60


def is_open(windows: Iterable[str], day: int, minute: int) -> bool:
    """Whether one of the windows holds ``minute`` of ``day`` (0 is Monday); always when there are none.

    :raises SpecError: a window cannot be read.
    """
    spans = [span for text in windows for span in _spans(text)]
    now = day * _DAY + minute
    # A window that begins on Sunday night ends in the next week.
    return not spans or any(start <= moment < end for start, end in spans for moment in (now, now + 7 * _DAY))


def told(windows: Iterable[str]) -> str:
    """What a plan says that may have to wait for one."""
    return f"A run begins only in a maintenance window: {', '.join(windows)}."


def _spans(text: str) -> list[tuple[int, int]]:
    found = _FORM.match(text.strip())
    first, last = (found.group(1) or "Mo", found.group(2) or found.group(1) or "Su") if found else ("", "")
    if found is None or first not in DAYS or last not in DAYS:
        raise _bad(text)
    hours = [int(found.group(number)) for number in (3, 4, 5, 6)]
    start, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
    if start >= _DAY or end > _DAY or hours[1] > 59 or hours[3] > 59 or start == end:
        raise _bad(text)
    length = end - start if end > start else end - start + _DAY
    count = (DAYS.index(last) - DAYS.index(first)) % 7 + 1
    starts = [((DAYS.index(first) + number) % 7) * _DAY + start for number in range(count)]
    return [(one, one + length) for one in starts]


def _bad(text: str) -> SpecError:
    return SpecError(
        f"the maintenance window {text!r} cannot be read",
        f"write it as 'Sa 22:00-06:00' or 'Mo-Fr 20:00-24:00', with the days {', '.join(DAYS)}",
    )
