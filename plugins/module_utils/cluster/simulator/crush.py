# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Placement as CRUSH does it: straws by weight, deterministic, so that a change of one weight moves little."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from hashlib import blake2b

_TRIES = 50


def straw(seed: str, item: str, weight: float) -> float:
    """The length of an item's straw: the longest wins, in proportion to weight."""
    number = int.from_bytes(blake2b(f"{seed}/{item}".encode(), digest_size=6).digest(), "big")
    return math.log((number + 1) / 2**48) / weight


def draw(seed: str, weights: Mapping[str, float]) -> str:
    """The item with the longest straw; empty when none has weight."""
    found = max(
        ((straw(seed, item, weight), item) for item, weight in weights.items() if weight > 0), default=(0.0, "")
    )
    return found[1]


def place(seed: str, tree: Mapping[str, Mapping[int, float]], copies: int, out: Iterable[int] = ()) -> tuple[int, ...]:
    """OSDs of one placement group: one in each of ``copies`` domains of ``tree``, or in fewer.

    OSDs that are ``out`` keep their weight in the tree and are drawn again, as in Ceph.
    """
    gone = frozenset(out)
    weights = {name: sum(osds.values()) for name, osds in tree.items()}
    chosen: dict[str, int] = {}
    for attempt in range(_TRIES):
        if len(chosen) == copies:
            break
        name = draw(f"{seed}#{attempt}", weights)
        if not name or name in chosen:
            continue
        leaf = draw(f"{seed}#{attempt}@{name}", {str(osd): weight for osd, weight in tree[name].items()})
        if leaf and int(leaf) not in gone:
            chosen[name] = int(leaf)
    return tuple(chosen.values())
