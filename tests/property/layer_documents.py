# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Arrays and encrypted devices of random documents, as places for what comes above."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from builder import Builder, Place
from simulated_block import MIB
from simulated_luks import KEY_FILE

_LEAST = {"raid1": 2, "raid5": 3, "raid6": 4, "raid10": 2}


def build(builder: Builder, places: list[tuple[Place, str]]) -> None:
    """An array over each place with that use, encryption on each with that; what they offer are places again."""
    for place, use in list(places):
        if use == "raid" and len(place.disks) >= 2:
            array = _array(builder, place)
            _use(builder, places, _encrypted(builder, array) if builder.maybe() else array)
        elif use == "luks":
            _use(builder, places, _encrypted(builder, place))


def encrypt_volumes(builder: Builder, places: list[tuple[Place, str]]) -> None:
    """Logical volumes on which nothing lies are swap that nobody can read."""
    for group, entry in list(builder.document.get("lvm", {}).items()):
        for name, volume in entry.get("volumes", {}).items():
            if not {"filesystem", "swap"} & set(volume) and builder.maybe():
                swap = builder.name("crypt-")
                builder.put("luks", swap, _entry(builder, f"{group}/{name}"))
                builder.put("swap", swap, {"device": swap})


def _use(builder: Builder, places: list[tuple[Place, str]], place: Place) -> None:
    use = builder.one_of("filesystem", "swap", "local", "nothing", "lvm")
    builder.put_on(place, use)
    places.append((place, use))


def _array(builder: Builder, place: Place) -> Place:
    count = len(place.disks)
    # More disks make an array of another level wider for ever, which asks for consent.
    levels = ["raid1"] if place.more else [level for level, least in _LEAST.items() if least <= count]
    level = builder.one_of("raid1", *levels)
    entry: dict[str, Any] = {"level": level, "devices": [place.ref]}
    if level != "raid1" and builder.maybe():
        entry["chunk_size"] = builder.one_of("64 KiB", "512 KiB", "1 MiB")
    if builder.maybe():
        entry["bitmap"] = builder.one_of("internal", "none")
    name = builder.name("arr_")
    builder.put("md", name, entry)
    size = place.size - (place.size // 1024 + 8 * MIB) // MIB * MIB - 2 * MIB
    # While new mirrors are filled, nothing grows; and a resync holds back the next change.
    return Place(name, size, place.sector, place.disks[:1], grows=place.grows)


def _encrypted(builder: Builder, place: Place) -> Place:
    name = builder.name("luks-")
    entry = _entry(builder, place.ref)
    builder.put("luks", name, entry)
    sector = 4096 if entry.get("sector_size") else place.sector
    return replace(place, ref=name, size=place.size - 17 * MIB, sector=max(sector, place.sector))


def _entry(builder: Builder, ref: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"device": ref, "key_file": KEY_FILE}
    for key, values in (
        ("pbkdf", ({"type": "pbkdf2", "iterations": 1000}, {"memory": "64 MiB"})),
        ("cipher", ("aes-xts-plain64", "serpent-xts-plain64")),
        ("key_size", (256, 512)),
        ("discard", (True, False)),
        ("nofail", (True, False)),
        ("clevis", ({"url": "http://tang.example.net", "thumbprint": "x100_1k6GPiDOaMlL3WbpCjHOy9ul1bSfdhI3M08wO0"},)),
        ("tpm2", ({"pcrs": [7, 11]}, {"pcrs": [7]})),
    ):
        if builder.one_of(False, False, True):
            entry[key] = builder.one_of(*values)
    if "tpm2" in entry and builder.maybe():
        entry["unlock"] = "tpm2"
    return entry
