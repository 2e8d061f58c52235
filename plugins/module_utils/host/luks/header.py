# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a LUKS header says of its device, without anything that could help to open it.

Offsets of struct luks2_hdr_disk and keys of its JSON area (LUKS2 On-Disk Format Specification 1.1).
"""

from __future__ import annotations

import json
import struct
from typing import Any

MAGIC = b"LUKS\xba\xbe"
UUID_AT = 168
FIRST = 4096  # the binary header; the JSON area follows
_MOST = 4 * 1024**2  # the largest header that the format knows


def length(raw: bytes) -> int:
    """Bytes of the whole header, of its first 4096; 0 when there is none of version 2."""
    if len(raw) < FIRST or raw[:6] != MAGIC or struct.unpack_from(">H", raw, 6)[0] != 2:
        return 0
    return int(min(struct.unpack_from(">Q", raw, 8)[0], _MOST))


def public(raw: bytes) -> dict[str, Any] | None:
    """``{"version", "uuid", "offset", "sector", "cipher", "tokens"}``; None when there is no header.

    Salts, key slots and wrapped keys are left out: what is recorded of a host opens nothing.
    """
    if len(raw) < FIRST or raw[:6] != MAGIC:
        return None
    version = struct.unpack_from(">H", raw, 6)[0]
    out: dict[str, Any] = {
        "version": version,
        "uuid": raw[UUID_AT : UUID_AT + 40].split(b"\0")[0].decode(errors="replace"),
        "offset": 0,
        "sector": 0,
        "cipher": "",
        "tokens": [],
    }
    if version != 2:
        return out
    try:
        area = json.loads(raw[FIRST:].split(b"\0")[0])
        (segment,) = area["segments"].values()
        out.update(
            offset=int(segment["offset"]),
            sector=int(segment["sector_size"]),
            cipher=str(segment["encryption"]),
            tokens=sorted({str(one["type"]) for one in area["tokens"].values()}),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        out["cipher"] = "unreadable"
    return out
