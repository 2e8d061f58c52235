# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which disk a group means: total, unique, disjoint, in bus-path order, and pinned once chosen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from ..plan.model import Refusal
from .replacing import Replacing
from .sizes import human, parse_range
from .state import Former

MULTIPATH = "it is a path of the multipath device"


@dataclass(frozen=True)
class Disk:
    """A whole disk. ``id`` is its best link below /dev/disk/by-id; ``reach`` says why it is out of reach, if it is.

    ``serial`` is empty where others have it too, such as namespaces of one NVMe controller or actuators of one drive:
    it tells none of them apart, and stands in ``shared_serial``.
    """

    id: str
    kname: str
    serial: str
    wwn: str
    model: str
    vendor: str
    slot: str
    size: int
    sector: int
    physical_sector: int
    rotational: bool
    transport: str
    links: tuple[str, ...]
    reach: str = ""
    content: str = ""
    replaces: tuple[Former, ...] = ()
    shared_serial: str = ""

    @property
    def path(self) -> str:
        return f"/dev/disk/by-id/{self.id}"

    @property
    def seed(self) -> str:
        """What makes planned UUIDs: the world-wide name, else the serial, so that no cable or slot changes it."""
        return self.wwn or self.serial

    @property
    def told_serial(self) -> str:
        """What the drive says, whether others say the same or not."""
        return self.serial or self.shared_serial

    @property
    def title(self) -> str:
        where = f" in {self.slot}" if self.slot else ""
        return f"{self.serial or self.id} ({human(self.size)}{where})"

    def pin(self) -> dict[str, Any]:
        """What is remembered of it, and of the disks whose place it took: they may be gone by then."""
        formers = {"replaces": [one.as_json() for one in self.replaces]} if self.replaces else {}
        return {"id": self.id, "serial": self.told_serial, "wwn": self.wwn, **formers}

    def is_pinned_as(self, pin: Mapping[str, Any]) -> bool:
        """The same disk by world-wide name, or by serial where it has none; links and slots may change."""
        return self.wwn == pin["wwn"] and self.told_serial == pin["serial"] and bool(self.wwn or self.serial)

    def is_named(self, name: str) -> bool:
        """Whether a person means it by this serial number or world-wide name."""
        return name in (self.serial, self.wwn)


def bus_order(disk: Disk) -> tuple[Any, ...]:
    """Natural order of the bus path, so that port 2 comes before port 10; the identity breaks ties."""
    parts = re.split(r"([0-9]+)", disk.slot)
    return (*[(1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts], (2, 0, disk.id))


def mismatch(disk: Disk, match: Mapping[str, Any]) -> str:
    """Why a disk does not match, in a few words; empty when it does."""
    texts: dict[str, Sequence[str]] = {
        "serial": (disk.told_serial,),
        "wwn": (disk.wwn,),
        "model": (disk.model,),
        "vendor": (disk.vendor,),
        "slot": (disk.slot,),
        "transport": (disk.transport,),
        "path": disk.links,
    }
    for key, values in texts.items():
        if key in match and not _any_glob(values, match[key]):
            return f"{key} is {values[0] if values and values[0] else 'not known'}"
    if "rotational" in match and disk.rotational != match["rotational"]:
        return "rotates" if disk.rotational else "does not rotate"
    if "size" in match and disk.size not in parse_range(match["size"]):
        return f"size is {human(disk.size)}"
    return ""


def _any_glob(values: Sequence[str], wanted: Any) -> bool:
    patterns = [wanted] if isinstance(wanted, str) else wanted
    return any(fnmatchcase(_plain(value), _plain(pattern)) for value in values for pattern in patterns)


def _plain(text: str) -> str:
    return re.sub(r"^/dev/disk/by-(?:path|id)/", "", text)


def select(
    groups: Mapping[str, Mapping[str, Any]], disks: Iterable[Disk], pins: Mapping[str, Sequence[Mapping[str, Any]]]
) -> tuple[dict[str, tuple[Disk, ...]], list[Refusal]]:
    """The disks of each group in bus-path order, and a refusal for each group that cannot be met exactly."""
    seen = sorted(disks, key=bus_order)
    chosen: dict[str, tuple[Disk, ...]] = {}
    refusals: list[Refusal] = []
    for name, group in groups.items():
        found, refusal = _one_group(name, group, seen, pins.get(name, ()))
        if refusal is not None:
            refusals.append(refusal)
        chosen[name] = found
    refusals.extend(_overlaps(chosen))
    return chosen, refusals


def _one_group(
    name: str, group: Mapping[str, Any], disks: Sequence[Disk], pins: Sequence[Mapping[str, Any]]
) -> tuple[tuple[Disk, ...], Refusal | None]:
    target = f"disk group '{name}'"
    # A disk out of reach matches nothing, so that a broad selector cannot take the system's.
    changing = Replacing(group, pins, disks)
    reasons = {disk.id: _reason(disk, group["match"], changing) for disk in disks}
    refusal = _newcomers(target, changing, disks, reasons)
    if refusal is not None:
        return (), refusal
    pinned, refusal = _pinned(target, changing, pins, disks, reasons)
    if refusal is not None:
        return (), refusal
    matching = [disk for disk in disks if not reasons[disk.id]]
    broken = _doubtful(matching, disks)
    if broken:
        return (), Refusal(target, broken, "show each disk once: use multipath, or mend the cabling")
    wanted = group.get("take", group.get("count"))
    if "take" in group and len(matching) >= wanted:
        new = [disk for disk in matching if disk not in pinned]
        matching = sorted([*pinned, *new[: max(0, wanted - len(pinned))]], key=bus_order)
    if wanted == "all":
        wanted = max(1, len(matching))
    if isinstance(wanted, int) and len(pinned) > wanted:
        return (), Refusal(
            target,
            f"it holds {len(pinned)} disks since an earlier run and now wants {wanted}",
            "restore the count, or name the disks that leave under retire",
        )
    if len(matching) != wanted:
        return (), Refusal(
            target,
            f"wants {wanted} {'disk' if wanted == 1 else 'disks'} and {_found(matching)}{_others(disks, reasons)}",
            "correct the selector or the count",
        )
    return tuple(replace(disk, replaces=changing.formers(disk)) for disk in matching), None


def _pinned(
    target: str,
    changing: Replacing,
    pins: Sequence[Mapping[str, Any]],
    disks: Sequence[Disk],
    reasons: Mapping[str, str],
) -> tuple[list[Disk], Refusal | None]:
    """The disks of earlier runs that stay, or what took their place; each must be there and match."""
    found: list[Disk] = []
    for pin in pins:
        if changing.retires(pin):
            continue
        successor = changing.successor(pin)
        disk = next((one for one in disks if (one.is_named(successor) if successor else one.is_pinned_as(pin))), None)
        if disk is None:
            gone = pin["serial"] or pin["wwn"] or pin["id"]
            return [], Refusal(
                target,
                f"the disk {gone} was chosen for it in an earlier run and is not there now",
                f"bring the disk back, or put another one in its place by replace: {{{gone}: its serial number}}",
            )
        if reasons[disk.id]:
            return [], Refusal(
                target,
                f"its disk {disk.title}, chosen in an earlier run, no longer matches: {reasons[disk.id]}",
                "restore the selector; a disk leaves its group by retire or replace",
            )
        found.append(disk)
    return found, None


def _reason(disk: Disk, match: Mapping[str, Any], changing: Replacing) -> str:
    """Why a disk is not of the group; one that replaces another is, whatever the selector says."""
    return disk.reach or changing.leaves(disk) or ("" if changing.brings(disk) else mismatch(disk, match))


def _newcomers(target: str, changing: Replacing, disks: Sequence[Disk], reasons: Mapping[str, str]) -> Refusal | None:
    """A disk that shall take the place of another one must be there, and free to be taken."""
    for name, old in changing.newcomers.items():
        found = [disk for disk in disks if disk.is_named(name)]
        why = reasons[found[0].id] if found else "it is not there"
        if why:
            return Refusal(
                target, f"the disk {name} shall take the place of {old}, and {why}", "correct replace, or plug it in"
            )
    return None


def _found(matching: Sequence[Disk]) -> str:
    if not matching:
        return "no disk matches"
    verb = "matches" if len(matching) == 1 else "match"
    return f"{len(matching)} {verb}: {_listed([disk.title for disk in matching])}"


def _others(disks: Sequence[Disk], reasons: Mapping[str, str]) -> str:
    # Those that would match if they were within reach say most: they come first.
    rest = sorted((disk for disk in disks if reasons[disk.id]), key=lambda disk: not disk.reach)
    return f"; not matching: {_listed([f'{disk.title}: {reasons[disk.id]}' for disk in rest])}" if rest else ""


def _listed(words: Sequence[str], most: int = 8) -> str:
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more


def _doubtful(matching: Sequence[Disk], disks: Sequence[Disk]) -> str:
    """A sentence when a disk has no identity, or two share one: then nobody can say which disk is which."""
    for disk in matching:
        if not disk.seed:
            return f"it matches {disk.path}, which has neither a serial nor a world-wide name"
        for other in disks:
            if other.id != disk.id and other.seed == disk.seed and not other.reach.startswith(MULTIPATH):
                first, second = sorted((disk, other), key=bus_order)
                return f"{first.title} and {second.title} are one disk seen twice, or share the identity {disk.seed}"
    return ""


def _overlaps(chosen: Mapping[str, Sequence[Disk]]) -> Iterable[Refusal]:
    owner: dict[str, str] = {}
    for name, disks in chosen.items():
        for disk in disks:
            if disk.seed in owner:
                yield Refusal(
                    f"disk group '{name}'",
                    f"the disk {disk.title} matches the group '{owner[disk.seed]}' as well",
                    "make the selectors disjoint",
                )
            owner.setdefault(disk.seed, name)
