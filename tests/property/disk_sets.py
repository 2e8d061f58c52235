# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hypothesis strategies for disks and for the selectors that mean exactly them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from hypothesis import strategies as st
from simulated_block import GIB, DiskModel

T = TypeVar("T")
Draw = Callable[[st.SearchStrategy[T]], T]

# What the virtual host can carry, and what real disks have besides.
SMALL_SIZES = tuple(size * GIB for size in (2, 3, 4, 5, 6, 7, 8, 9, 10, 12))
LARGE_SIZES = (240057409536, 960197124096, 4000787030016, 10000831348736, 16000900661248)
LAB_BUSES = ("scsi", "nvme")
ALL_BUSES = ("scsi", "sas", "sata", "nvme", "virtio")


@dataclass(frozen=True)
class Scale:
    """What disks there may be; ``large`` ones only in the model."""

    large: bool = True
    groups: int = 4
    disks: int = 9

    @property
    def sizes(self) -> tuple[int, ...]:
        return SMALL_SIZES + (LARGE_SIZES if self.large else ())

    @property
    def buses(self) -> tuple[str, ...]:
        return ALL_BUSES if self.large else LAB_BUSES


@dataclass(frozen=True)
class Group:
    """Disks that are alike, the selector that means them, and one more disk that it would mean as well."""

    name: str
    disks: tuple[DiskModel, ...]
    entry: dict[str, Any]
    larger: dict[str, Any]
    more: tuple[DiskModel, ...] = ()

    @property
    def chosen(self) -> tuple[DiskModel, ...]:
        """As many of them as the group takes."""
        return self.disks[: self.entry.get("take", len(self.disks))]

    @property
    def size(self) -> int:
        return self.disks[0].size

    @property
    def sector(self) -> int:
        return self.disks[0].sector

    @property
    def many(self) -> bool:
        """Whether a document must reckon with more than one disk."""
        return len(self.chosen) + len(self.more) > 1 or self.entry.get("count") == "all"


def _disk(group: str, index: int, port: int, bus: str, size: int, sector: int, rotational: bool) -> DiskModel:
    serial = f"{group.upper()}X{index:03d}"
    wwn = f"0x5000c5{sum(map(ord, group)) % 256:02x}{port:04x}{index:04x}"
    if bus == "nvme":
        wwn = f"eui.{serial.encode().hex()[:16]:0<16}{port:02x}"
    if bus == "virtio":
        wwn = ""
    vendor = "" if bus in ("nvme", "virtio") else f"V{group.upper()}"
    return DiskModel(serial, bus, port, size, sector, rotational, f"MODEL-{group.upper()}7", vendor, wwn)


@st.composite
def groups(draw: Draw[Any], scale: Scale) -> list[Group]:
    """Disk groups; no two of them have a size, model or vendor in common."""
    count = draw(st.integers(1, scale.groups))
    sizes = draw(st.permutations(scale.sizes))
    left = scale.disks
    port = 1
    out = []
    for index in range(count):
        name = "abcdefgh"[index] + draw(st.sampled_from(("", "-1", "_x", "pool")))
        number = draw(st.integers(1, max(1, min(4, left - (count - index - 1)))))
        left -= number
        bus = draw(st.sampled_from(scale.buses))
        sector = draw(st.sampled_from((512, 512, 4096)))
        rotational = bus not in ("nvme", "virtio") and draw(st.booleans())
        plain = [_disk(name[0], at, port + at, bus, sizes[index], sector, rotational) for at in range(number + 1)]
        made = tuple(replace(disk, of_qemu=bus == "nvme" and not scale.large) for disk in plain)
        port += number + 1
        out.append(_group(draw, name, made[:-1], made[-1]))
    return out


def _group(draw: Draw[Any], name: str, disks: tuple[DiskModel, ...], spare: DiskModel) -> Group:
    kinds = ["serials", "glob", "size", "mixed", "take"]
    if disks[0].wwn and not disks[0].of_qemu:
        kinds.append("wwns")
    if not disks[0].of_qemu:
        kinds += ["paths", "model"]
    kind = draw(st.sampled_from(kinds))
    few = len(disks)
    if kind in ("serials", "wwns", "paths"):
        return _listed(draw, kind, name, disks)
    match = _broad(draw, kind, disks[0])
    if kind == "take":
        # One disk more matches and is left.
        return Group(name, (*disks, spare), {"match": match, "take": few}, {"match": match, "take": few})
    if draw(st.booleans()):
        entry: dict[str, Any] = {"match": match, "count": "all"}
        return Group(name, disks, entry, entry, (spare,))
    return Group(name, disks, {"match": match, "count": few}, {"match": match, "count": few + 1}, (spare,))


def _listed(draw: Draw[Any], kind: str, name: str, disks: Sequence[DiskModel]) -> Group:
    texts = {
        "serials": [disk.serial for disk in disks],
        "wwns": [disk.wwn for disk in disks],
        "paths": [draw(st.sampled_from((disk.slot, disk.links[0]))) for disk in disks],
    }[kind]
    key = {"serials": "serial", "wwns": "wwn", "paths": "path"}[kind]
    wanted: Any = texts[0] if len(texts) == 1 and draw(st.booleans()) else texts
    count = draw(st.sampled_from((len(disks), "all")))
    entry = {"match": {key: wanted}, "count": count}
    return Group(name, tuple(disks), entry, entry)


def _broad(draw: Draw[Any], kind: str, one: DiskModel) -> dict[str, Any]:
    size = draw(
        st.sampled_from(
            (
                f"{one.size} B",
                f"{one.size - 1000} B..{one.size + 1000} B",
                f"{one.size}B .. {one.size + 5}B",
                f"={one.size} B",
            )
        )
    )
    if kind == "glob":
        return {"serial": f"{one.serial[:-3]}*"}
    if kind == "size":
        return {"size": size}
    if kind == "model":
        return {"model": draw(st.sampled_from((one.model, one.model[:-1] + "?", [one.model, "nothing"])))}
    match: dict[str, Any] = {"size": size, "rotational": one.rotational}
    if one.vendor:
        match["vendor"] = one.vendor
    if one.bus != "scsi":
        match["transport"] = draw(st.sampled_from((one.bus, [one.bus, "usb"])))
    return match


def system_disk() -> DiskModel:
    """The disk that carries the root file system; nothing may choose it."""
    return DiskModel("system", "virtio", 30, 20 * GIB + 512, model="SYS", system=True)


def stray(number: int) -> DiskModel:
    """A disk that no group means."""
    return replace(_disk("z", number, 40 + number, "sas", 11 * GIB + 512 * 8 * (number + 1), 512, True), model="STRAY")
