# SPDX-License-Identifier: GPL-3.0-or-later
"""What TopoLVM's lvmd asks of its lvmd.yaml before it serves anything, told of chart 17.1.0 (version 0.41).

Source: https://github.com/topolvm/topolvm, ValidateDeviceClasses in internal/lvmd/device_class_manager.go, and what
cmd/lvmd/app/root.go looks for on the host when it starts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_STRIPE_SIZE = re.compile(r"[0-9]*[kmgtpebs]?", re.IGNORECASE)


def broken(text: str, groups: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Each rule that the text of an lvmd.yaml breaks, as a few words.

    :param groups: the volume groups of the host, each with the names of its thin pools.
    """
    classes: list[dict[str, Any]] = (yaml.safe_load(text) or {}).get("device-classes") or []
    if not classes:
        yield "no device class"
    names: list[str] = []
    places: list[str] = []
    for each in classes:
        name, group = each.get("name", ""), each.get("volume-group", "")
        names.append(name)
        if not 0 < len(name) <= 63 or not _NAME.fullmatch(name):
            yield f"name {name!r}"
        if group not in groups:
            yield f"{name}: no volume group {group!r}"
        kind = each.get("type", "")
        if kind not in ("", "thick", "thin"):
            yield f"{name}: type {kind!r}"
        if kind == "thin":
            pool = each.get("thin-pool") or {}
            if pool.get("name", "") not in groups.get(group, ()):
                yield f"{name}: no thin pool {pool.get('name', '')!r} in {group}"
            if not float(pool.get("overprovision-ratio", 0)) >= 1:
                yield f"{name}: overprovision-ratio below 1"
            group = f"{group}/{pool.get('name', '')}"
        places.append(group)
        spare = each.get("spare-gb", 10)
        if isinstance(spare, bool) or not isinstance(spare, int) or spare < 0:
            yield f"{name}: spare-gb {spare!r}"
        if not _STRIPE_SIZE.fullmatch(str(each.get("stripe-size", ""))):
            yield f"{name}: stripe-size"
    yield from (f"{what} twice: {one}" for what, all_ in (("name", names), ("place", places)) for one in _twice(all_))
    if sum(bool(each.get("default")) for each in classes) > 1:
        yield "two defaults"


def _twice(words: Sequence[str]) -> list[str]:
    return sorted({word for word in words if words.count(word) > 1})
