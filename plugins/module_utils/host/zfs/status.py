# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What ``zpool status -P`` and ``zpool import`` print, as values: cmd/zpool/zpool_main.c of OpenZFS 2.1 to 2.4."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

# The headings of zpool_main.c, by the name that a document gives the same thing.
_HEADINGS = {"logs": "log", "cache": "cache", "spares": "spare", "special": "special", "dedup": "dedup"}
_FIELD = re.compile(r"^ {0,8}([a-z]+):(?: (.*))?$")
_NUMBERED = re.compile(r"^(?P<kind>mirror|raidz[123]?|draid[123]?(?::[0-9a-z:]+)?|spare|replacing|indirect)-\d+$")
_DISTRIBUTED_SPARE = re.compile(r"^draid[123]-\d+-\d+$")
_HEALTHY = ("ONLINE", "AVAIL", "")
_WORK = {"scan": "resilver", "expand": "expansion", "remove": "evacuation"}
_DONE = re.compile(r"([0-9.]+)% done(?:, ([0-9][^ ]*(?: days [0-9:]+)?) to go)?")
_EVACUATED = re.compile(r"Evacuation of (\S+) in progress")


@dataclass(frozen=True)
class Vdev:
    """One row of the tree: ``name`` is a path for a device, or a number where ZFS knows no path any more.

    ``state`` is empty in the rows of spares and caches of a pool that is not imported.
    """

    name: str
    state: str
    note: str = ""
    children: tuple[Vdev, ...] = ()

    @property
    def path(self) -> str:
        """Where its device is, or was when ZFS saw it last."""
        if self.name.isdigit():
            return next((word for word in self.note.split() if word.startswith("/dev/")), "")
        return self.name if self.name.startswith("/") else f"/dev/disk/by-id/{self.name}"

    @property
    def kind(self) -> str:
        """``stripe`` for a device, else ``mirror``, ``raidz2``, ``draid2:4d:11c:1s``, ``spare``, ``replacing``."""
        match = _NUMBERED.match(self.name)
        if match is None:
            return "stripe"
        # A device in whose place a spare works is still one device of the layout.
        stands_in = match["kind"] in ("spare", "replacing")
        return match["kind"] if not stands_in else "stripe"

    @property
    def places(self) -> tuple[Vdev, ...]:
        """The rows that the layout counts: itself for a device, else its children."""
        return (self,) if self.kind == "stripe" else self.children

    @property
    def slots(self) -> tuple[tuple[Vdev, ...], ...]:
        """The places of the layout, each with the devices in it: two where a spare or a replacement works."""
        return tuple(tuple(place.leaves()) for place in self.places)

    @property
    def replacing(self) -> bool:
        """Whether a new device is being filled in this place."""
        return self.name.startswith("replacing-")

    @property
    def healthy(self) -> bool:
        return all(row.state in _HEALTHY for row in self.rows())

    def leaves(self) -> Iterator[Vdev]:
        """The devices below, or itself."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()

    def rows(self) -> Iterator[Vdev]:
        """Itself and everything below."""
        yield self
        for child in self.children:
            yield from child.rows()


@dataclass(frozen=True)
class Pool:
    """A pool as ZFS reports it: ``vdevs`` by role (data, log, cache, spare, special, dedup).

    ``told`` has ZFS's words on its last or running ``scan``, ``expand`` and ``remove``.
    """

    name: str
    state: str
    id: str = ""
    status: str = ""
    action: str = ""
    vdevs: Mapping[str, tuple[Vdev, ...]] = field(default_factory=dict)
    told: Mapping[str, str] = field(default_factory=dict)

    def of(self, role: str) -> tuple[Vdev, ...]:
        """The vdevs of a role without what earlier removals left and without the spares inside a dRAID."""
        found = self.vdevs.get(role, ())
        leaving = _EVACUATED.search(self.told.get("remove", ""))
        return tuple(
            one
            for one in found
            if not one.name.startswith("indirect-")
            and not _DISTRIBUTED_SPARE.match(one.name)
            and not (leaving and one.name == leaving[1])
        )

    @property
    def busy(self) -> str:
        """What ZFS is at in the background, for a person: ``a resilver is under way, 12.30% done``; else empty."""
        for field_name, work in _WORK.items():
            words = self.told.get(field_name, "")
            if "in progress" in words and not words.startswith("scrub"):
                done = _DONE.search(words)
                left = f", {done[2]} to go" if done and done[2] else ""
                return (
                    f"{'a' if work[0] == 'r' else 'an'} {work} is under way{f', {done[1]}% done{left}' if done else ''}"
                )
        if any(row.replacing for row in self.rows()):
            return "a resilver is under way"
        return ""

    def rows(self) -> Iterator[Vdev]:
        """All rows of the tree."""
        for vdevs in self.vdevs.values():
            for vdev in vdevs:
                yield from vdev.rows()

    @property
    def unhealthy(self) -> str:
        """Empty when all is online and no spare or replacement is at work; else what is not, for a person."""
        if self.state not in _HEALTHY:
            return f"it is {self.state}"
        for row in self.rows():
            if row.name.startswith(("spare-", "replacing-")):
                return f"a {row.name.split('-')[0]} device is at work in it"
            if row.state not in _HEALTHY:
                return f"its {row.name} is {row.state}"
        return ""


def parse(text: str) -> tuple[Pool, ...]:
    """The pools of ``zpool status -P`` or ``zpool import``; none for any other text."""
    pools: list[dict[str, str]] = []
    rows: list[list[str]] = []
    section = ""
    for line in text.splitlines():
        match = _FIELD.match(line)
        if match is not None and not line.startswith("\t"):
            section = match[1]
            if section == "pool":
                pools.append({})
                rows.append([])
            if pools:
                pools[-1].setdefault(section, match[2] or "")
        elif pools and section == "config" and line.startswith("\t"):
            rows[-1].append(line[1:])
        elif pools and section in ("status", "action", *_WORK) and line.strip():
            pools[-1][section] += f" {line.strip()}"
    return tuple(_pool(fields, lines) for fields, lines in zip(pools, rows))


def _pool(fields: Mapping[str, str], lines: list[str]) -> Pool:
    vdevs: dict[str, tuple[Vdev, ...]] = {}
    for role, section in _sections(lines):
        vdevs[role] = (*vdevs.get(role, ()), *_tree(section, 2))
    return Pool(
        fields["pool"].strip(),
        fields.get("state", "").strip(),
        fields.get("id", "").strip(),
        fields.get("status", ""),
        fields.get("action", ""),
        vdevs,
        {name: fields[name] for name in _WORK if name in fields},
    )


def _sections(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """The rows below each heading; the first row without indent is the pool, whatever its name."""
    role, section = "", list[str]()
    seen_pool = False
    for line in lines:
        if line.startswith(" "):
            section.append(line)
            continue
        words = line.split()
        if not words or words[0] == "NAME":
            continue
        if role:
            yield role, section
        role, section = ("data" if not seen_pool else _HEADINGS.get(words[0], "")), []
        seen_pool = True
    if role:
        yield role, section


def _tree(lines: list[str], indent: int) -> tuple[Vdev, ...]:
    out: list[Vdev] = []
    starts = [number for number, line in enumerate(lines) if len(line) - len(line.lstrip(" ")) <= indent]
    for start, end in zip(starts, [*starts[1:], len(lines)]):
        words = lines[start].split()
        state = words[1] if len(words) > 1 else ""
        # READ, WRITE and CKSUM stand between the state and the remark, except for spares and in zpool import.
        rest = words[2:]
        while rest and re.match(r"^[0-9.]+[KMGTPE]?$", rest[0]):
            rest = rest[1:]
        out.append(Vdev(words[0], state, " ".join(rest), _tree(lines[start + 1 : end], indent + 2)))
    return tuple(out)
