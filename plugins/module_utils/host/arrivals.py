# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which actions may start, as far as the devices are concerned that they wait for. It looks at names and opens nothing.

A device that was not there when the run began is there once its name is: its disk is held, so that it stays. The name
of a partition that was there may be left over from a table that is gone, until udev has settled.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..plan.model import Action
from .first_look import UDEV_IS_BUSY
from .holding import disk_of

_MOST_TIMES = 20


@dataclass(frozen=True)
class Ready:
    """Actions whose needs are met: those that can ``start``, that wait for a device, and that wait for a settle."""

    start: tuple[Action, ...]
    coming: tuple[Action, ...]
    behind: tuple[Action, ...]


class Arrivals:
    """``seconds`` is how long a device is waited for while udev has no work; then its action says what is missing.

    A host with sixty new tables keeps udev busy for minutes: that is progress, up to twenty times as long.
    """

    def __init__(self, actions: Iterable[Action], seconds: float) -> None:
        self._old = {path for action in actions for path in action.waits if disk_of(path)}
        self._seconds = seconds
        self._first: dict[str, float] = {}
        self._idle: dict[str, float] = {}
        self._is_settled = not self._old

    def sort(self, ready: Sequence[Action]) -> Ready:
        behind = [one for one in ready if not self._is_settled and self._old & set(one.waits)]
        coming = [one for one in ready if one not in behind and self._is_coming(one)]
        return Ready(
            tuple(one for one in ready if one not in behind and one not in coming), tuple(coming), tuple(behind)
        )

    def note(self, done: Action) -> None:
        """An action ended, and udev may have work."""
        self._is_settled = self._is_settled and not (done.settles and self._old)

    def settled(self) -> None:
        """udev has no work left."""
        self._is_settled = True

    def _is_coming(self, action: Action) -> bool:
        if all(map(os.path.exists, action.waits)):
            return False
        now = time.monotonic()
        if os.path.exists(UDEV_IS_BUSY):
            self._idle[action.id] = now
        first, idle = self._first.setdefault(action.id, now), self._idle.setdefault(action.id, now)
        return now < min(idle + self._seconds, first + _MOST_TIMES * self._seconds)
