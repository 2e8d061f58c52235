# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Quantities of Kubernetes as whole bytes, and bytes as text for sentences."""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from ..plan.errors import ObserveError

_UNITS: dict[str, Decimal] = {
    "": Decimal(1), "m": Decimal("0.001"),
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTP", 1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTP", 1)},
}  # fmt: skip


@lru_cache(maxsize=256)
def quantity(text: object) -> int:
    """Bytes of ``5Gi``, ``1e3`` or ``100``, rounded up.

    :raises ObserveError: it is none.
    """
    word = str(text).strip()
    unit = word.lstrip("+-0123456789.eE") if not word.endswith(("E", "Ei")) else ""
    number = word[: len(word) - len(unit)]
    try:
        return math.ceil(Decimal(number) * _UNITS[unit])
    except (KeyError, InvalidOperation) as error:
        raise ObserveError(f"{text!r} is no quantity of Kubernetes", "look at the object that has it") from error


def human(size: float) -> str:
    """``1.5 TiB``: three digits at most, for sentences."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(size) < 1024:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} PiB"
