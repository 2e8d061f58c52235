# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pools of random documents: every class and kind of vdev, properties in every spelling, datasets and volumes."""

from __future__ import annotations

from typing import Any

from builder import Builder, Place
from simulated_block import MIB

_LEAST = {"mirror": 2, "raidz1": 3, "raidz2": 4, "raidz3": 5, "draid1": 3, "draid2": 4}
_PROPERTIES: dict[str, tuple[Any, ...]] = {
    "compression": ("zstd", "lz4", True, "off", "gzip-6", "on"),
    "atime": (True, False, "off", "on"),
    "recordsize": ("16 KiB", "128K", 65536, "512 KiB"),
    "quota": ("100 MiB", "none", "104857600", 0),
    "refquota": ("none", "90M"),
    "xattr": ("sa", "on", True),
    "acltype": ("posixacl", "posix", "off", False),
    "exec": (True, "off"),
    "sync": ("standard", "disabled"),
    "logbias": ("latency", "throughput"),
    "com.example:owner": ("team-a", "5"),
    "reservation": ("1 MiB", "none"),
}
_VOLUME_PROPERTIES = ("compression", "sync", "logbias", "com.example:owner")


def build(builder: Builder, places: list[tuple[Place, str]]) -> None:
    """A pool over the first place; later places become logs, caches and spares of it, or pools of their own."""
    ours = [place for place, use in places if use == "zfs"]
    while ours:
        first, ours = ours[0], ours[1:]
        extra: dict[str, Place] = {}
        for role in ("log", "cache", "spare"):
            # A spare that is smaller than what it shall replace is refused; a share of a disk may be half of its size.
            fits = [one for one in ours if role != "spare" or one.size >= first.size * (2 if "." in one.ref else 1)]
            if fits and builder.maybe():
                extra[role] = fits[0]
                ours = [one for one in ours if one is not fits[0]]
        _pool(builder, first, extra)


def _pool(builder: Builder, place: Place, extra: dict[str, Place]) -> None:
    name = builder.name(builder.one_of("tank", "Data-", "p.x"))
    entry: dict[str, Any] = {"data": _data(builder, place)}
    for role, where in extra.items():
        kind = builder.one_of("stripe", "mirror") if role == "log" and len(where.disks) == 2 and not where.more else ""
        kind = kind or ("stripe" if role == "log" else "disks")
        entry[role] = {kind: [where.ref]} if builder.maybe() else [{kind: [where.ref]}]
    if builder.maybe():
        entry["properties"] = {
            key: builder.one_of(*values)
            for key, values in (
                ("ashift", (12, 13)),
                ("autotrim", (True, "off", "on")),
                ("autoexpand", (False, "off")),
                ("comment", ("a pool",)),
                ("feature@lz4_compress", ("enabled",)),
            )
            if builder.maybe()
        }
    # A quota on the root would have to hold the volumes.
    root = properties(builder, [key for key in _PROPERTIES if "quota" not in key])
    if builder.maybe():
        root["mount"] = builder.one_of("none", f"/srv/{name}", "legacy")
    if root:
        entry["filesystem_properties"] = root
    larger = dict(entry)
    _datasets(builder, name, entry, larger)
    builder.put("zfs", name, entry, larger)


def _data(builder: Builder, place: Place) -> Any:
    """One entry that also fits when the group has one disk more."""
    count = len(place.disks)
    kinds = ["stripe"]
    if not place.many:
        kinds += [kind for kind, least in _LEAST.items() if least <= count]
    kind = builder.one_of(*kinds)
    entry: dict[str, Any] = {kind: [place.ref]}
    if kind == "mirror" and count == 4 and builder.maybe():
        entry["width"] = 2
    if kind == "draid1" and count == 4 and builder.maybe():
        entry["spares"] = 1
    return entry if builder.maybe() else [entry]


def properties(builder: Builder, keys: list[str]) -> dict[str, Any]:
    """Some of these properties, with values in any spelling."""
    return {key: builder.one_of(*_PROPERTIES[key]) for key in keys if builder.one_of(False, False, True)}


def _datasets(builder: Builder, pool: str, entry: dict[str, Any], larger: dict[str, Any]) -> None:
    datasets: dict[str, Any] = {}
    later: dict[str, Any] = {}
    names: list[str] = []
    for _ in range(builder.up_to(0, 4)):
        above = builder.one_of("", "", "x/", *(f"{one}/" for one in names))
        name = f"{above}{builder.name('d')}"
        names.append(name)
        made = properties(builder, list(_PROPERTIES))
        if builder.maybe():
            made["mount"] = builder.one_of(f"/srv/zfs-{pool}/{builder.name('z')}", "none", "legacy")
        datasets[name] = made
        later[name] = {**made, **properties(builder, ["compression", "atime", "recordsize"])}
    if datasets:
        entry["datasets"], larger["datasets"] = datasets, later
    if builder.maybe():
        larger["datasets"] = {**later, builder.name("new"): properties(builder, list(_PROPERTIES))}
    volumes, grown = {}, {}
    for _ in range(builder.up_to(0, 2)):
        name, size = builder.name("vol"), builder.one_of(64, 100)
        made = {
            "size": builder.one_of(f"{size} MiB", f"{size}MiB", f"{size * MIB} B"),
            **properties(builder, list(_VOLUME_PROPERTIES)),
        }
        if builder.maybe():
            made["sparse"] = builder.maybe()
        if builder.maybe():
            made["volblocksize"] = builder.one_of("16 KiB", "8K", 32768)
        volumes[name] = made
        grown[name] = {**made, "size": f"{size + 8} MiB"} if builder.maybe() else made
    if volumes:
        entry["volumes"], larger["volumes"] = volumes, grown
