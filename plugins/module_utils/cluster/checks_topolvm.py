# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Device classes and StorageClasses that TopoLVM would refuse, or that mean nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..host.problems import Problem, did_you_mean
from .versions import chart_problems


def check_topolvm(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Problems of ``topolvm``."""
    if "chart" in document:
        for said in chart_problems(document["chart"]):
            yield Problem(("chart",), *said)
    classes = document["device_classes"]
    yield from _defaults(classes)
    places: dict[tuple[str, Any], str] = {}
    for name, entry in classes.items():
        here = ("device_classes", name)
        place = (entry["volume_group"], entry.get("thin_pool"))
        other = places.setdefault(place, name)
        if other != name:
            message = f"device class '{other}' is made of the same volume group already"
            yield Problem(here, message, "name another volume group or a thin pool, or remove one of the two")
        if "overprovision" in entry and "thin_pool" not in entry:
            hint = "remove it, or name a thin_pool"
            yield Problem((*here, "overprovision"), "only a thin pool can promise more than it has", hint)
        if "stripes" in entry and "thin_pool" in entry:
            hint = "remove it: the thin pool is striped where host_storage says so"
            yield Problem((*here, "stripes"), "volumes of a thin pool are not striped themselves", hint)
    for name, entry in document.get("storage_classes", {}).items():
        if entry["device_class"] not in classes:
            where = ("storage_classes", name, "device_class")
            message = f"'{entry['device_class']}' is no device class"
            yield Problem(where, message, did_you_mean(entry["device_class"], classes))


def _defaults(classes: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    named = [name for name, entry in classes.items() if entry.get("default")]
    if not named and len(classes) > 1:
        yield Problem(("device_classes",), "no device class is the default", "write default: true at one of them")
    for name in named[1:]:
        where = ("device_classes", name, "default")
        yield Problem(where, f"device class '{named[0]}' is the default already", "let one be the default")
