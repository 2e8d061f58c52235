# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When certificates end, read from their own bytes: the standard library has no parser for them."""

from __future__ import annotations

import base64
import os
import re
import time
from calendar import timegm

FOLDER = "/etc/kubernetes/pki"

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
_UTC, _GENERALIZED = 0x17, 0x18
_DAY = 86400


def ends(pem: str) -> float:
    """The second since 1970 at which the first certificate of a PEM text ends.

    :raises ValueError: there is no certificate in it.
    """
    found = _PEM.search(pem)
    if not found:
        raise ValueError("no certificate")
    der = base64.b64decode("".join(found.group(1).split()))
    # A validity is two times in a row: the second one is the end.
    times = [(place, der[place], der[place + 1]) for place in range(len(der) - 2) if _is_time(der, place)]
    for (first, _tag, length), (second, tag, size) in zip(times, times[1:]):
        if second == first + 2 + length:
            return _seconds(tag, der[second + 2 : second + 2 + size].decode())
    raise ValueError("no validity")


def days_left(folder: str, now: float | None = None) -> int | None:
    """Whole days until the first leaf certificate below a folder ends; authorities, which last long, are left out."""
    found = []
    for where, _folders, names in os.walk(folder):
        for name in names:
            if name.endswith(".crt") and not name.endswith("ca.crt"):
                with open(os.path.join(where, name), encoding="ascii", errors="replace") as handle:
                    found.append(ends(handle.read()))
    return int((min(found) - (time.time() if now is None else now)) // _DAY) if found else None


def _is_time(der: bytes, place: int) -> bool:
    tag, length = der[place], der[place + 1]
    digits = der[place + 2 : place + 1 + length]
    return (
        (tag, length) in ((_UTC, 13), (_GENERALIZED, 15)) and digits.isdigit() and der[place + 1 + length] == ord("Z")
    )


def _seconds(tag: int, text: str) -> float:
    if tag == _UTC:  # two digits of the year: 50 to 99 are of the last century
        text = ("19" if int(text[:2]) >= 50 else "20") + text
    return float(timegm(time.strptime(text, "%Y%m%d%H%M%SZ")))
