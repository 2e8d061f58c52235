# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Volume groups of random documents: all that is asked for fits, wherever LVM puts it."""

from __future__ import annotations

from typing import Any

from builder import Builder, Place
from simulated_block import MIB

_EXTENTS = ((4 * MIB, ""), (4 * MIB, "4 MiB"), (1 * MIB, "1 MiB"), (8 * MIB, "8 MiB"))


def build(builder: Builder, places: list[tuple[Place, str]]) -> None:
    """A group over all places of one sector size with this use, or one over each."""
    ours = [place for place, use in places if use == "lvm"]
    for sector in (512, 4096):
        same = [place for place in ours if place.sector == sector]
        for members in [same] if builder.maybe() else [[one] for one in same]:
            if members:
                _Group(builder, members).build()


class _Group:
    """``left`` are MiB that any physical volume surely has; each volume takes its whole size from them."""

    def __init__(self, builder: Builder, members: list[Place]) -> None:
        self.builder, self.members = builder, members
        self.name = builder.name(builder.one_of("vg", "fast-", "V_"))
        self.extent, self.spelled = builder.one_of(*_EXTENTS)
        self.count = sum(len(place.disks) for place in members)
        self.widens = any(place.more or place.grows for place in members)
        least = min(place.size for place in members) // MIB
        self.whole = sum(place.size // MIB * len(place.disks) for place in members)
        self.left = (least - 40) * 6 // 10
        self.fills = False  # whether a volume may ask for the rest: then no other one grows
        self.refs = [place.ref for place in members]
        self.entry: dict[str, Any] = {"physical_volumes": self.refs}
        self.larger: dict[str, Any] = {"physical_volumes": self.refs}

    def build(self) -> None:
        if self.spelled:
            self.put("extent_size", self.spelled)
        rest = self.fills = self.builder.maybe()
        pools = {}
        if self.builder.maybe() and self.left > 100:
            pools[self.builder.name("tp-")] = self._pool(rest)
            rest = rest and not any(one[0]["size"] == "rest" for one in pools.values())
            self.put(
                "thin_pools", {name: one for name, (one, _) in pools.items()}, {n: o for n, (_, o) in pools.items()}
            )
        volumes = {}
        for pool in pools:
            volumes[self.builder.name("thin")] = self._thin(pool)
        for _ in range(self.builder.up_to(0, 3)):
            if self.left < 80:
                break
            volumes[self.builder.name("v.")] = self._thick(rest)
            rest = rest and not any(one[0]["size"] == "rest" for one in volumes.values())
        if volumes:
            self.put(
                "volumes", {name: one for name, (one, _) in volumes.items()}, {n: o for n, (_, o) in volumes.items()}
            )
        self.builder.put("lvm", self.name, self.entry, self.larger)

    def put(self, key: str, value: Any, larger: Any = None) -> None:
        self.entry[key] = value
        self.larger[key] = value if larger is None else larger

    def put_all(self, key: str, pairs: dict[str, tuple[dict[str, Any], dict[str, Any]]]) -> None:
        """Entries with what each is in the larger document."""
        self.put(key, {name: one for name, (one, _) in pairs.items()}, {name: one for name, (_, one) in pairs.items()})

    def _size(self, rest: bool, data: int = 1) -> tuple[str, str, int]:
        """How a size is written, then in the larger document, and the MiB that it surely has."""
        builder = self.builder
        if rest and builder.one_of(False, False, True):
            return "rest", "rest", self.left
        size = builder.one_of(min(80, self.left), min(330, self.left), self.left // 2)
        size = max(size, min(80, self.left))
        self.left -= size + 24
        share = size * data * 100 // self.whole
        if share and builder.maybe():
            return f"{share}%", f"{share}%", share * self.whole // 100 - 16 * data
        text = builder.text(size * data * MIB)
        if not self.fills and self.left > 60 and builder.maybe():
            self.left -= 40
            return text, f"{(size + 20) * data} MiB", size * data
        return text, text, size * data

    def _policy(self, shared: bool) -> dict[str, str]:
        if shared and self.widens:
            return {"size_policy": "create_only"}
        return {"size_policy": self.builder.one_of("at_least", "create_only", "exact")} if self.builder.maybe() else {}

    def _pool(self, rest: bool) -> tuple[dict[str, Any], dict[str, Any]]:
        builder = self.builder
        self.left -= 30
        text, longer, _size = self._size(rest)
        entry: dict[str, Any] = {"size": text}
        for key, values in (
            ("metadata_size", ("auto", "8 MiB", "2 MiB")),
            ("chunk_size", ("64 KiB", "128KiB", "0.5 MiB")),
            ("zero", (True, False)),
            ("discards", ("passdown", "nopassdown", "ignore")),
            ("autoextend", ({"threshold": 70, "percent": 20},)),
        ):
            if builder.maybe():
                entry[key] = builder.one_of(*values)
        entry.update(self._policy(text.endswith("%")))
        return entry, {**entry, "size": longer}

    def _thin(self, pool: str) -> tuple[dict[str, Any], dict[str, Any]]:
        size = self.builder.one_of(70, 350, 2000)
        grows = self.builder.maybe()
        entry = {"size": self.builder.text(size * MIB), "thin_pool": pool}
        if self.builder.maybe():
            entry["type"] = "thin"
        entry.update(self._content(size // 2, grows))
        return entry, {**entry, "size": f"{size + 60} MiB"} if grows else entry

    def _thick(self, rest: bool) -> tuple[dict[str, Any], dict[str, Any]]:
        builder = self.builder
        shapes = ["linear"] + [kind for kind, least in _LEAST.items() if least <= self.count]
        kind = builder.one_of("linear", *shapes)
        data = {"striped": 2, "raid5": 2, "raid6": 3, "raid10": 2}.get(kind, 1)
        entry: dict[str, Any] = {"type": kind} if kind != "linear" or builder.maybe() else {}
        if kind in _LEAST and kind != "raid1" and builder.maybe():
            entry["stripes"] = data
        if kind in ("raid1", "raid10") and builder.maybe():
            entry["mirrors"] = 1
        if data > 1 and builder.maybe():
            entry["stripe_size"] = builder.one_of("64 KiB", "16 KiB", "1 MiB")
        cached = kind == "linear" and len(self.refs) > 1 and self.left > 120 and builder.maybe()
        text, longer, size = self._size(rest and not cached, data)
        entry["size"] = text
        if cached:
            entry["physical_volumes"] = self.refs[:1]
            entry["cache"] = {"size": "40 MiB", "physical_volumes": self.refs[1:2]}
            if builder.maybe():
                entry["cache"]["mode"] = builder.one_of("writethrough", "writeback")
            self.left -= 40
        entry.update(self._policy(text.endswith("%")))
        if entry.get("size_policy") == "create_only":
            longer = text
        grows = longer != text or text == "rest" or text.endswith("%")
        entry.update(self._content(size * 9 // 10, grows))
        return entry, {**entry, "size": longer}

    def _content(self, size: int, grows: bool) -> dict[str, Any]:
        builder = self.builder
        what = builder.one_of("filesystem", "swap", "nothing")
        if what == "swap":
            return {"swap": builder.one_of(True, {}, {"priority": 5}, {"discard": True})}
        if what == "filesystem" and size >= 64:
            place = Place("", size * MIB, self.members[0].sector, self.members[0].disks[:1], grows=grows)
            entry, extra = builder.filesystem(place, whole=False)
            return {"filesystem": entry["type"] if len(entry) == 1 else entry, **extra}
        return {}


_LEAST = {"striped": 2, "raid1": 2, "raid5": 3, "raid6": 5, "raid10": 4}
