# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The host's memory of wipes: one line a disk, so that one that was cut off goes on, and no consent is used twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from ...plan.digest import canonical
from ...plan.errors import ObserveError
from ..observation import Observation, ReadFile
from .contents import Contents

FILE = "/var/lib/barestore/wipes"
PROBE = ReadFile(FILE)


@dataclass(frozen=True)
class Record:
    """Of one disk: ``done`` counts its wipes; ``begun`` is the consent of the one under way, or empty.

    ``marks`` is what that one found on the disk; ``line`` is the record as the file has it, None when it has none.
    """

    done: int = 0
    begun: str = ""
    marks: frozenset[tuple[str, str, str]] = frozenset()
    line: str | None = None

    def agreed(self, contents: Contents) -> str:
        """The digest that a consent must name for these contents."""
        if self.goes_on(contents):
            return self.begun
        return contents.digest(self.done + bool(self.begun))

    def goes_on(self, contents: Contents) -> bool:
        """Whether the disk carries nothing but what an unfinished wipe has left of it."""
        return bool(self.begun) and contents.is_left_of(self.marks)


def begin(record: Record, contents: Contents) -> str:
    """The line for a wipe before its first write; the one that is there when it goes on."""
    if record.line is not None and record.goes_on(contents):
        return record.line
    return canonical(
        {
            "disk": contents.disk.seed,
            "done": record.done + bool(record.begun),
            "begun": record.agreed(contents),
            "marks": sorted({one.mark for one in contents.things}),
        }
    )


def end(record: Record, contents: Contents) -> str:
    """The line for a wipe that was read back."""
    done = record.done + (0 if record.goes_on(contents) else bool(record.begun)) + 1
    return canonical({"disk": contents.disk.seed, "done": done})


def read(observation: Observation) -> Mapping[str, Record]:
    """The records by the seed of their disk.

    :raises ObserveError: the file is damaged, so that a consent could be used twice.
    """
    try:
        return dict(_record(line) for line in (observation.ask(PROBE) or "").splitlines() if line)
    except (ValueError, KeyError, TypeError) as error:
        raise ObserveError(
            f"{FILE} is damaged, so nobody knows which consents to wipe were used before",
            "restore it from a backup, or remove it and every line under wipe in host_storage_consent",
        ) from error


def _record(line: str) -> tuple[str, Record]:
    one = json.loads(line)
    marks = frozenset((str(place), str(kind), str(offset)) for place, kind, offset in one.get("marks", ()))
    return str(one["disk"]), Record(int(one["done"]), one.get("begun", ""), marks, line)
