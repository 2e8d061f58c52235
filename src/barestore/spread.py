# SPDX-License-Identifier: GPL-3.0-or-later
"""How the OSDs of each device set stand in their failure domains, before a plan and after it.

One sign an OSD: it stays, comes, goes, or gets another disk. Where there are many, numbers alone say it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from barestore.osds import REPLACED, OsdChange
from barestore.words import CHANGES, CREATES, DESTROYS

Spread = Mapping[str, Mapping[str, int]]
"""OSDs of each device set by failure domain."""

STAYS = "■"
_STYLES = {STAYS: "blue", CHANGES: "yellow", CREATES: "green", DESTROYS: "bold red"}
_MANY = 48


@dataclass(frozen=True)
class Row:
    """One failure domain of one device set; ``signs`` counts its OSDs by what becomes of them."""

    device_set: str
    domain: str
    signs: Mapping[str, int]

    @property
    def before(self) -> int:
        return sum(self.signs.values()) - self.signs[CREATES]

    @property
    def after(self) -> int:
        return sum(self.signs.values()) - self.signs[DESTROYS]


def rows(spread: Spread, changes: Iterable[OsdChange] = ()) -> list[Row]:
    """All domains of all sets, in the order of ``spread``. A change in a domain that is not in it has no place here."""
    found = {(name, domain): Counter({STAYS: n}) for name, domains in spread.items() for domain, n in domains.items()}
    for one in changes:
        # A host may have the name of its rack.
        places = ((one.device_set, domain) for domain in (one.rack, one.host))
        signs = next((found[place] for place in places if place in found), None)
        if signs is None:
            continue
        if one.sign == CREATES:
            signs[CREATES] += 1
        elif one.counted:
            signs[STAYS] -= 1
            signs[CHANGES if one.what == REPLACED else DESTROYS] += 1
    return [Row(name, domain, signs) for (name, domain), signs in found.items()]


def table(drawn: Iterable[Row]) -> Table | None:
    """Set, domain, its OSDs, and how many they are; None without any."""
    out = Table.grid(padding=(0, 2, 0, 0))
    last = ""
    for row in drawn:
        said = f"{row.before} → {row.after}" if row.before != row.after else str(row.before)
        out.add_row(
            Text(row.device_set if row.device_set != last else "", "bold"),
            Text(row.domain),
            _signs(row),
            Text(said, "dim"),
        )
        last = row.device_set
    return out if out.row_count else None


def _signs(row: Row) -> Text:
    text = Text(no_wrap=True)
    if max(row.before, row.after) <= _MANY:
        for sign, style in _STYLES.items():
            text.append(sign * row.signs[sign], style)
    return text
