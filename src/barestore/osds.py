# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a cluster in a person's words: its actions, and what they come to for each OSD.

An OSD that goes is destroyed, whatever its disk still holds: the purge says so. The wipe after it is no second loss.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from barestore.words import CHANGES, CREATES, DESTROYS, Json, Line, command, generic

REMOVED, REPLACED = "removed", "removed, its disk is replaced"
_WORDS = {"osd": "OSD"}
_DOMAINS = ("rack", "host")


@dataclass(frozen=True)
class OsdChange:
    """What a plan does to one OSD; what is not known is empty, as the volume of one that comes."""

    sign: str
    what: str
    osd: str
    device_set: str
    rack: str
    host: str
    disk: str
    volume: str

    @property
    def place(self) -> str:
        """``disk ZL2A0B1C on ss3 in rack2``."""
        said = ((f"disk {self.disk}", self.disk), (f"on {self.host}", self.host), (f"in {self.rack}", self.rack))
        return " ".join(words for words, known in said if known)

    @property
    def counted(self) -> bool:
        """Whether it is about an OSD that counts until then, and not about what an earlier run left of one."""
        return self.what in (REMOVED, REPLACED)

    @property
    def words(self) -> str:
        """``osd.7 of hdd: disk ZL2A0B1C on ss3 in rack2``."""
        name = f"{self.osd} of {self.device_set}" if self.osd and self.device_set else self.osd or self.device_set
        return f"{name}: {self.place}" if self.place else name


class Osds:
    """What is known of the OSDs that a plan speaks of, by OSD, claim and volume."""

    def __init__(self, disks: Sequence[Json], actions: Sequence[Json]) -> None:
        self._known: dict[str, Json] = {}
        for one in disks:
            for key in ("osd", "claim", "volume"):
                if one.get(key):
                    self._known.setdefault(str(one[key]), one)
        self._purged = {str(one["target"]) for one in actions if _is(one, "osd", "purge")}
        self._given_up = {str(one["target"]) for one in actions if _is(one, "volume", "remove")}

    def change(self, sign: str, what: str, name: str, osd: str = "") -> OsdChange:
        """Of an OSD, claim or volume by its name."""
        one = self._known.get(name, {})
        told = [str(one.get(key) or "") for key in ("device_set", "rack", "host", "serial", "volume")]
        return OsdChange(sign, what, osd or str(one.get("osd") or name), *told)

    def where(self, target: str) -> str:
        """The places of all that a target names, such as ``osd.7+osd.8``."""
        return ", ".join(filter(None, (self.change("", "", name).place for name in target.split("+"))))

    def changes(self, action: Json) -> Iterator[OsdChange]:
        """What an action comes to for OSDs: that one goes, stays or comes, or that what is left of one is wiped."""
        kind, target = str(action["kind"]), str(action["target"])
        if _is(action, "osd", "purge"):
            gone = self.change(DESTROYS, REMOVED, target)
            yield self.change(DESTROYS, REPLACED if gone.volume in self._given_up else REMOVED, target)
        elif _is(action, "osd", "keep"):
            yield self.change(CHANGES, "stays after all", target)
        elif _is(action, "device_set", "raise"):
            name = target.rpartition("/")[0]
            after = action.get("after") or {}
            for domain, places in after.items():
                for place in places if domain in (*_DOMAINS, "osd") else ():
                    told = {"rack": "", "host": "", domain: str(place)}
                    yield OsdChange(CREATES, "new", "", name, told["rack"], told["host"], "", "")
        elif kind == "volume":
            osd = self.wiped(action)
            if osd and osd not in self._purged:
                yield self.change(DESTROYS, "what is left of it is wiped", target, osd)

    @staticmethod
    def wiped(action: Json) -> str:
        """The OSD of which an action wipes the disk."""
        carries = str((action.get("before") or {}).get("carries", "")).split()
        return f"osd.{carries[1]}" if len(carries) == 3 and _is(action, "volume", "wipe") else ""

    def line(self, action: Json) -> Line:
        """One action in words."""
        kind, verb, target = (str(action[key]) for key in ("kind", "verb", "target"))
        lost = tuple(one.words for one in self.changes(action) if one.sign == DESTROYS)
        creates = any(one.sign == CREATES for one in self.changes(action))
        return Line(
            DESTROYS if lost else CREATES if creates else CHANGES,
            f"{verb.replace('_', ' ')} {_WORDS.get(kind, kind.replace('_', ' '))}",
            target,
            self.where(target),
            _detail(action),
            tuple(map(command, action.get("commands", ()))),
            lost,
        )


def changes(disks: Sequence[Json], actions: Sequence[Json]) -> list[OsdChange]:
    """All that a plan does to OSDs: what is lost first, then rack by rack."""
    osds = Osds(disks, actions)
    found = [one for action in actions for one in osds.changes(action)]
    return sorted(found, key=lambda one: (one.sign != DESTROYS, one.rack, one.host, one.osd, one.device_set))


def _is(action: Json, kind: str, verb: str) -> bool:
    return bool(action["kind"] == kind and action["verb"] == verb)


def _detail(action: Json) -> str:
    """Before and after where they say more than the name of the action and the place of its disk."""
    before: Mapping[str, Any] = action.get("before") or {}
    after: Mapping[str, Any] = action.get("after") or {}
    return generic(before, after) if action["kind"] in ("device_set", "pace") else ""
