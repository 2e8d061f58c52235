# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What each entry of a volume group asks for: type, size, place; checked against the volume of that name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..sizes import Size, parse_bytes, parse_size
from ..state import Device
from .extents import Geometry, wanted
from .report import LogicalVolume, VolumeGroup

POOL, THIN, CACHE = "thin_pool", "thin", "cache"
STRIPED = ("striped", "raid5", "raid6", "raid10")
_STRIPES = {"striped": 2, "raid5": 2, "raid6": 3, "raid10": 2}
_PARITY = {"raid5": 1, "raid6": 2}
_CHUNK = "64 KiB"

# lvm(8): names and parts of names that LVM keeps for its own volumes.
_RESERVED = re.compile(
    r"^(?:snapshot|pvmove|lvol[0-9]+_pmspare)|_(?:[cmrtv]data|[cmrt]meta|[cv]orig(?:in)?|[mr]image|mlog|pmspare|cvol|cpool|vpool|wcorig|imeta|iorig)"
)


class Unfit(Exception):
    """An entry that cannot be met; the parts of a Refusal."""

    def __init__(self, target: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.target, self.message, self.hint = target, message, hint


@dataclass(frozen=True)
class Request:
    """One wanted volume before its size is final. ``allowed`` are the physical volumes it may use; empty means all.

    ``have`` is the volume as it is; ``base`` the one with its extents, which is hidden where a cache lies over it.
    """

    group: str
    name: str
    type: str
    entry: Mapping[str, Any]
    size: Size
    policy: str
    geometry: Geometry
    allowed: tuple[Device, ...]
    have: LogicalVolume | None
    base: LogicalVolume | None

    @property
    def title(self) -> str:
        return f"{self.group}/{self.name}"

    @property
    def have_extents(self) -> int:
        return self.base.extents if self.base else 0

    @property
    def chunk(self) -> int:
        """Bytes of a chunk of a thin pool."""
        return parse_bytes(self.entry.get("chunk_size", _CHUNK))

    def _never_shrinks(self) -> str:
        """Why a volume cannot be made smaller; empty for one that carries ext4, which can."""
        if self.type == POOL:
            return "LVM cannot make a thin pool smaller"
        if self.entry.get("cache"):
            return "a volume with a cache is not made smaller"
        kind = (self.entry.get("filesystem") or {}).get("type", "")
        if kind == "ext4":
            return ""
        return f"{kind} cannot be made smaller" if kind else "the document does not say what it carries"

    def first_wanted(self, whole: int, extent_bytes: int) -> int:
        """Extents by document and policy; of ``rest`` the least. Fewer than there are only for an exact size.

        :raises Unfit: an exact size that is smaller than the volume, and what it carries cannot shrink.
        """
        have, data = self.have_extents, self.geometry.data
        if have and self.policy == "create_only":
            return have
        found = wanted(self.size, whole, extent_bytes, data)
        if self.policy == "exact" and have > found and not self.size.rest:
            why = self._never_shrinks()
            if why:
                raise Unfit(
                    self.title,
                    f"it has {have} extents and the document says exactly {self.entry['size']}, which are {found}, "
                    f"and {why}",
                    "restore the size; to make it smaller, move what it holds to a new volume",
                )
            return found
        return max(have, found)


def requests(
    name: str, entry: Mapping[str, Any], group: VolumeGroup | None, devices: Mapping[str, tuple[Device, ...]]
) -> Iterator[Request]:
    """The pools, volumes and caches of a volume group, in the order of the document.

    :raises Unfit: an entry contradicts itself, or the volume of that name is something else.
    """
    pools, volumes = entry.get("thin_pools", {}), entry.get("volumes", {})
    caches = [f"{one}_cache" for one, body in volumes.items() if body.get("cache")]
    names = [*pools, *volumes, *caches]
    for one in names:
        if names.count(one) > 1:
            raise Unfit(f"{name}/{one}", "two things of the volume group have this name", "rename one of them")
        if _RESERVED.search(one):
            raise Unfit(f"{name}/{one}", "LVM keeps this name for its own volumes", "choose another name")
    for one, body in pools.items():
        yield _pool(name, one, body, group)
    for one, body in volumes.items():
        yield _volume(name, one, body, group, pools, devices)
        if body.get("cache"):
            yield _cache(name, one, body["cache"], group, devices)


def _pool(vg: str, name: str, body: Mapping[str, Any], group: VolumeGroup | None) -> Request:
    have = group.volume(name) if group else None
    _same_type(vg, name, "thin-pool", have)
    request = Request(vg, name, POOL, body, parse_size(body["size"]), _policy(body), Geometry(), (), have, have)
    if have and have.chunk_size != request.chunk:
        raise Unfit(
            f"{vg}/{name}",
            f"its chunks have {have.chunk_size} bytes and the document says {request.chunk}",
            "a pool keeps the chunk size that it was made with; restore the value",
        )
    return request


def _volume(
    vg: str,
    name: str,
    body: Mapping[str, Any],
    group: VolumeGroup | None,
    pools: Mapping[str, Any],
    devices: Mapping[str, tuple[Device, ...]],
) -> Request:
    title, have = f"{vg}/{name}", group.volume(name) if group else None
    pool = body.get("thin_pool", "")
    kind = body.get("type", THIN if pool else "linear")
    size = parse_size(body["size"])
    if (kind == THIN) != bool(pool):
        raise Unfit(title, "a thin volume and its thin_pool belong together", "write both, or neither")
    if kind == THIN:
        if pool not in pools:
            raise Unfit(title, f"its thin pool {pool} is not in the document", f"write {pool} under thin_pools of {vg}")
        if size.bytes is None:
            raise Unfit(
                title, f"a thin volume has no real size, so {body['size']} says nothing", "write a number and a unit"
            )
        _same_type(vg, name, THIN, have)
        if have and have.pool != pool:
            raise Unfit(
                title,
                f"it lies in the thin pool {have.pool} and not in {pool}",
                "restore thin_pool; moving comes with a later release",
            )
        return Request(vg, name, THIN, body, size, _policy(body), Geometry(), (), have, have)
    base = _base(group, have)
    if have and have.type == "cache" and not body.get("cache"):
        raise Unfit(
            title,
            "it has a cache that the document does not name",
            "write the cache; removing it comes with a later release",
        )
    _same_type(vg, name, kind, base)
    geometry = _geometry(kind, body, base)
    _same_stripes(title, kind, body, geometry, base)
    return Request(vg, name, kind, body, size, _policy(body), geometry, _allowed(body, devices), have, base)


def _cache(
    vg: str, volume: str, body: Mapping[str, Any], group: VolumeGroup | None, devices: Mapping[str, tuple[Device, ...]]
) -> Request:
    """The fast volume: ``have`` is it before it is attached, or the hidden one that it becomes."""
    name = f"{volume}_cache"
    main = group.volume(volume) if group else None
    have = group.volume(name) if group else None
    if group and main and main.type == "cache":
        have = group.volume(main.pool)
    elif have:
        _same_type(vg, name, "linear", have)
    size = parse_size(body["size"])
    if size.rest:
        raise Unfit(f"{vg}/{volume}", "its cache cannot have the size rest", "write a number and a unit, or a share")
    return Request(vg, name, CACHE, body, size, "at_least", Geometry(), _allowed(body, devices), have, have)


def _policy(body: Mapping[str, Any]) -> str:
    return str(body.get("size_policy", "at_least"))


def _allowed(body: Mapping[str, Any], devices: Mapping[str, tuple[Device, ...]]) -> tuple[Device, ...]:
    return tuple(one for ref in body.get("physical_volumes", ()) for one in devices[ref])


def _base(group: VolumeGroup | None, have: LogicalVolume | None) -> LogicalVolume | None:
    return group.volume(have.origin) if group and have and have.type == "cache" else have


def _geometry(kind: str, body: Mapping[str, Any], base: LogicalVolume | None) -> Geometry:
    """From the document; where it says nothing, as the volume is, else as LVM's usual least."""
    copies = body.get("mirrors", 1) + 1 if kind in ("raid1", "raid10") else 1
    if base and kind == "raid1" and "mirrors" not in body:
        copies = base.stripes
    stripes = body.get("stripes", _STRIPES.get(kind, 1))
    if base and "stripes" not in body and kind in _STRIPES:
        stripes = (base.stripes - _PARITY.get(kind, 0)) // copies
    images = stripes * copies + _PARITY.get(kind, 0)
    return Geometry(images, stripes, kind.startswith("raid"))


def _same_type(vg: str, name: str, kind: str, have: LogicalVolume | None) -> None:
    if have and have.type != kind:
        raise Unfit(
            f"{vg}/{name}",
            f"it exists as a volume of type {have.type or 'unknown'} and the document wants {kind}",
            "choose another name, or write what it is; changing a type comes with a later release",
        )


def _same_stripes(
    title: str, kind: str, body: Mapping[str, Any], geometry: Geometry, base: LogicalVolume | None
) -> None:
    if not base:
        return
    found, wanted_size = base.stripes, parse_bytes(body["stripe_size"]) if "stripe_size" in body else base.stripe_size
    if found != geometry.images and kind != "linear":
        raise Unfit(
            title,
            f"it lies on {found} physical volumes at a time and the document wants {geometry.images}",
            "restore stripes and mirrors; changing them comes with a later release",
        )
    if kind in STRIPED and wanted_size != base.stripe_size:
        raise Unfit(
            title,
            f"its stripes have {base.stripe_size} bytes and the document says {wanted_size}",
            "restore stripe_size; changing it comes with a later release",
        )
