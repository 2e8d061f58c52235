# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What all sections of a random document are drawn with: sizes in any spelling, file systems, mounts, names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from disk_sets import Draw
from hypothesis import strategies as st
from simulated_block import MIB, DiskModel

Document = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """A device reference that is free to use; ``grows`` when the larger document gives it more bytes."""

    ref: str
    size: int
    sector: int
    disks: tuple[DiskModel, ...]
    more: tuple[DiskModel, ...] = ()
    grows: bool = False
    many: bool = False


@dataclass
class Builder:
    """What has been drawn so far. A section is written into the document and into the larger one."""

    draw: Draw[Any]
    document: Document = field(default_factory=dict)
    larger: Document = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    names: int = 0

    def put(self, section: str, name: str, entry: Any, larger: Any = None) -> None:
        self.document.setdefault(section, {})[name] = entry
        self.larger.setdefault(section, {})[name] = entry if larger is None else larger

    def later(self, section: str, name: str, entry: Any) -> None:
        self.larger.setdefault(section, {})[name] = entry

    def name(self, prefix: str) -> str:
        self.names += 1
        return f"{prefix}{self.names}"

    def one_of(self, *values: Any) -> Any:
        return self.draw(st.sampled_from(values))

    def maybe(self) -> bool:
        return bool(self.draw(st.booleans()))

    def up_to(self, low: int, high: int) -> int:
        return int(self.draw(st.integers(low, max(low, high))))

    def text(self, size: int) -> str:
        """A size of at most ``size`` bytes and more than half of it, in some spelling."""
        unit, name = self.one_of((MIB, "MiB"), (MIB, "MiB"), (1, "B"), (1000**2, "MB"), (1024, "KiB"), (1024**3, "GiB"))
        number = size // unit
        if name == "GiB" and size % (512 * MIB) == 0 and size >= 1024 * MIB:
            return f"{size / unit:.1f} GiB"
        space = self.one_of(" ", "")
        plain = number * unit >= MIB and name != "GiB"
        return f"{number}{space}{name}" if plain else f"{size // MIB}{space}MiB"

    # -- what lies on a device

    def mount(self, many: bool) -> Any:
        above = self.one_of("/srv/", "/mnt/deep/er/", *(f"{one}/" for one in self.paths[-1:]))
        path = f"{above}{self.name('m')}" + ("-{serial}" if many else "")
        if "{serial}" not in path:
            self.paths.append(path)
        if self.maybe():
            return path
        entry: dict[str, Any] = {"path": path}
        for key, values in (
            ("options", ([], ["noatime"], ["noatime", "nodev"], ["defaults"])),
            ("owner", ("daemon", "root", "8", "4242")),
            ("group", ("mail", "0", "4243")),
            ("mode", ("0750", "755", "1777", "0755")),
            ("nofail", (True, False)),
        ):
            if self.maybe():
                entry[key] = self.one_of(*values)
        return entry

    def filesystem(self, place: Place, whole: bool) -> tuple[Any, dict[str, Any]]:
        """A file system (as text or mapping), and a mount where there is one."""
        kinds = ["ext4"]
        if place.size >= 320 * MIB:
            kinds.append("xfs")
        # vfat cannot grow, and mkfs.vfat wants sectors of at most 512 bytes on small devices.
        if not place.grows and place.sector == 512:
            kinds.append("vfat")
        kind = self.one_of(*kinds)
        entry: Any = {"type": kind}
        if self.maybe():
            entry["label"] = self.one_of("data", "L-1", "x.y_z")
        options = {"ext4": (["-m", "0"], ["-i", "65536"]), "xfs": (["-K"],), "vfat": (["-F", "32"],)}[kind]
        if self.one_of(False, False, True) and not (kind == "vfat" and place.size < 64 * MIB):
            entry["options"] = self.one_of(*options)
        if kind == "vfat" and whole:
            entry["options"] = ["-I", *entry.get("options", [])]
        must = kind == "xfs" and place.grows
        extra = {"mount": self.mount(place.many)} if must or (kind != "vfat" and self.maybe()) else {}
        return entry, extra

    def put_on(self, place: Place, use: str, whole: bool = False) -> None:
        """A section of its own for what lies on a device."""
        if use == "filesystem":
            entry, extra = self.filesystem(place, whole)
            self.put("filesystems", self.name("fs"), {"device": place.ref, **entry, **extra})
        elif use == "swap":
            entry = {"device": place.ref}
            if self.maybe():
                entry["priority"] = self.up_to(0, 100)
            if self.maybe():
                entry["discard"] = self.maybe()
            self.put("swap", self.name("swap"), entry)
        elif use == "local":
            entry = {"source": place.ref, "storage_class": "local", "mode": self.one_of("block", "filesystem")}
            name = self.name("lv")
            if self.maybe():
                del entry["mode"]
            if whole and self.maybe():
                del entry["source"]
                name = place.ref
            self.put("local_volumes", name, entry)
