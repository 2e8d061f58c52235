# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sizes as people write them: exact text with units, never floats.

``16 GiB`` is bytes, ``70%`` a share of what holds the object, ``rest`` what the others leave.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

_UNITS = {"B": 1}
for _power, _prefix in enumerate("KMGTP", start=1):
    _UNITS[_prefix + "iB"] = 1024**_power
    _UNITS[("k" if _prefix == "K" else _prefix) + "B"] = 1000**_power

_SIZE = re.compile(r"^(?P<number>[0-9]+(?:\.[0-9]+)?) ?(?P<unit>B|[KMGTP]iB|[kMGTP]B)$")
_PERCENT = re.compile(r"^(?P<number>[0-9]+(?:\.[0-9]+)?) ?%$")
_RANGE = re.compile(r"^(?P<low>[^.].*?)\.\.(?P<high>.+)$")
_BOUND = re.compile(r"^(?P<op>>=|<=|>|<|=) ?(?P<size>.+)$")

MIB = 1024**2


class SizeError(ValueError):
    """A size that cannot be read; its text is a sentence without place."""


@dataclass(frozen=True)
class Size:
    """One wanted size: exactly one of ``bytes``, ``share`` (0 to 1) or ``rest`` is set."""

    bytes: int | None = None
    share: Fraction | None = None
    rest: bool = False

    def of(self, whole: int) -> int:
        """Bytes that this size means inside ``whole`` bytes, rounded down; ``rest`` is the whole."""
        if self.bytes is not None:
            return self.bytes
        if self.share is not None:
            return int(whole * self.share)
        return whole


def parse_bytes(text: object) -> int:
    """Bytes of a size with a unit, such as ``16 GiB`` or ``4 TB``.

    :raises SizeError: no unit, an unknown unit, or a size that is not a whole number of bytes.
    """
    match = _SIZE.match(text) if isinstance(text, str) else None
    if match is None:
        raise SizeError(f"{text!r} is not a size; write a number and a unit, such as '16 GiB' or '4 TB'")
    value = Fraction(match["number"]) * _UNITS[match["unit"]]
    if value.denominator != 1:
        raise SizeError(f"{text!r} is not a whole number of bytes")
    return int(value)


def parse_size(text: object) -> Size:
    """A :class:`Size` from ``16 GiB``, ``70%`` or ``rest``.

    :raises SizeError: the text is none of them, or a share is not above 0 and at most 100.
    """
    if text == "rest":
        return Size(rest=True)
    percent = _PERCENT.match(text) if isinstance(text, str) else None
    if percent is None:
        return Size(bytes=parse_bytes(text))
    share = Fraction(percent["number"]) / 100
    if not 0 < share <= 1:
        raise SizeError(f"{text!r} is not a share; write more than 0% and at most 100%")
    return Size(share=share)


@dataclass(frozen=True)
class SizeRange:
    """Bounds in bytes, both included; ``high`` is None where there is none."""

    low: int
    high: int | None

    def __contains__(self, value: int) -> bool:
        return self.low <= value and (self.high is None or value <= self.high)


def parse_range(text: object) -> SizeRange:
    """A :class:`SizeRange` from ``400 GB..1 TB``, ``>= 10 TB``, ``< 1 TiB`` or one exact size.

    :raises SizeError: a bound cannot be read, or the low bound is above the high one.
    """
    if not isinstance(text, str):
        raise SizeError(f"{text!r} is not a size range; write '400 GB..1 TB', '>= 10 TB' or one size")
    span = _RANGE.match(text)
    if span is not None:
        low, high = parse_bytes(span["low"].strip()), parse_bytes(span["high"].strip())
        if low > high:
            raise SizeError(f"{text!r} starts above its end")
        return SizeRange(low, high)
    bound = _BOUND.match(text)
    if bound is None:
        exact = parse_bytes(text)
        return SizeRange(exact, exact)
    value = parse_bytes(bound["size"].strip())
    return {
        ">=": SizeRange(value, None),
        ">": SizeRange(value + 1, None),
        "<=": SizeRange(0, value),
        "<": SizeRange(0, value - 1),
        "=": SizeRange(value, value),
    }[bound["op"]]


def human(value: int) -> str:
    """Exact where a binary unit divides it, else rounded to one decimal: ``16 GiB``, ``931.5 GiB``."""
    for unit in ("PiB", "TiB", "GiB", "MiB", "KiB"):
        size = _UNITS[unit]
        if value >= size:
            if value % size == 0:
                return f"{value // size} {unit}"
            if unit in ("KiB", "MiB") or value >= 10 * size:
                return f"{value / size:.1f} {unit}"
    return f"{value} B"
