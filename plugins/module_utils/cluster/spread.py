# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How CRUSH spreads copies over failure domains of different weight: the share of all copies that each domain gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

EXACT = 12
"""Up to so many domains the draws are followed one by one; with more, the first draw is nearly all that counts."""


def shares(weights: Mapping[str, float], copies: int) -> dict[str, float]:
    """Share of all copies by domain, 1.0 together; a domain never holds two copies of one object.

    :raises ValueError: fewer domains have weight than there are copies.
    """
    names = sorted(name for name, weight in weights.items() if weight > 0)
    if len(names) < copies or copies < 1:
        raise ValueError(f"{copies} copies need {copies} domains and {len(names)} have weight")
    values = [weights[name] for name in names]
    if len(names) == copies:
        chances: Sequence[float] = [1.0] * copies
    elif len(names) <= EXACT:
        chances = _drawn(values, copies)
    else:
        chances = _filled(values, copies)
    return {name: chance / copies for name, chance in zip(names, chances)}


def _drawn(weights: Sequence[float], copies: int) -> list[float]:
    """Chance that each domain is among ``copies`` draws without putting back, as straw2 does it."""
    whole = sum(weights)
    chances = {0: 1.0}
    for _draw in range(copies):
        further: dict[int, float] = {}
        for taken, chance in chances.items():
            left = whole - sum(weight for place, weight in enumerate(weights) if taken >> place & 1)
            for place, weight in enumerate(weights):
                if not taken >> place & 1:
                    key = taken | 1 << place
                    further[key] = further.get(key, 0.0) + chance * weight / left
        chances = further
    return [sum(chance for taken, chance in chances.items() if taken >> place & 1) for place in range(len(weights))]


def _filled(weights: Sequence[float], copies: int) -> list[float]:
    """By weight, and never more than one copy each: what is over is spread over the others."""
    chances = [0.0] * len(weights)
    open_places = set(range(len(weights)))
    left = float(copies)
    while open_places:
        whole = sum(weights[place] for place in open_places)
        full = {place for place in open_places if left * weights[place] / whole >= 1.0}
        if not full:
            for place in open_places:
                chances[place] = left * weights[place] / whole
            break
        for place in full:
            chances[place] = 1.0
        left -= len(full)
        open_places -= full
    return chances
