# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``/proc/mdstat`` as values: every array in one read (md_seq_show of the kernel's drivers/md/md.c)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_HEAD = re.compile(r"^(?P<name>md\S*) : (?P<state>active|inactive|broken)(?P<rest>.*)$")
_MEMBER = re.compile(r"^(?P<name>[^\[\s]+)\[(?P<number>\d+)\](?P<flags>(?:\([A-Z]\))*)$")
_COUNT = re.compile(r"\[(?P<devices>\d+)/(?P<working>\d+)\] \[(?P<slots>[U_]+)\]")
_CHUNK = re.compile(r"(?P<size>\d+)k chunk", re.IGNORECASE)
_WORK = re.compile(
    r"(?P<what>resync|recovery|reshape|check|repair)\s*=\s*"
    r"(?:(?P<done>[\d.]+)% .*?finish=(?P<finish>\S+)|(?P<waits>PENDING|DELAYED|REMOTE))"
)
# mdstat calls a raid10 with far copies the same; linear, raid0 and containers are nobody's business here.
_LEVELS = ("raid1", "raid4", "raid5", "raid6", "raid10")


@dataclass(frozen=True)
class Member:
    """A device by its kernel name. ``spare``: it holds no data yet; ``replacement``: it takes over from another."""

    kname: str
    faulty: bool = False
    spare: bool = False
    replacement: bool = False


@dataclass(frozen=True)
class Array:
    """``devices`` hold data when all is well and ``working`` do; ``work`` says what goes on, in a person's words."""

    kname: str
    active: bool
    level: str
    size: int
    devices: int
    working: int
    members: tuple[Member, ...]
    work: str = ""
    chunk: int = 0

    @property
    def is_degraded(self) -> bool:
        return self.working < self.devices


def parse(text: str) -> tuple[Array, ...]:
    """The arrays of /proc/mdstat; an inactive one has neither level nor size."""
    return tuple(_arrays(text.splitlines()))


def _arrays(lines: list[str]) -> Iterator[Array]:
    heads = [(index, found) for index, found in enumerate(map(_HEAD.match, lines)) if found]
    ends = [index for index, _head in heads[1:]]
    for (start, head), end in zip(heads, [*ends, len(lines)]):
        block = " ".join(lines[start + 1 : end])
        words = head["rest"].split()
        found = [_MEMBER.match(word) for word in words]
        members = tuple(_member(one) for one in found if one)
        count, blocks = _COUNT.search(block), re.search(r"(\d+) blocks", block)
        yield Array(
            head["name"],
            head["state"] == "active",
            next((word for word in words if word in _LEVELS), ""),
            int(blocks[1]) * 1024 if blocks and count else 0,
            int(count["devices"]) if count else 0,
            int(count["working"]) if count else 0,
            tuple(sorted(members, key=lambda one: one.kname)),
            _work(block),
            _chunk(block),
        )


def _member(found: re.Match[str]) -> Member:
    return Member(found["name"], "(F)" in found["flags"], "(S)" in found["flags"], "(R)" in found["flags"])


def _work(block: str) -> str:
    found = _WORK.search(block)
    if found is None:
        return ""
    if found["waits"]:
        return f"{found['what']} is {found['waits'].lower()}"
    return f"{found['what']} has done {found['done']}%, {found['finish'].removesuffix('min')} min to go"


def _chunk(block: str) -> int:
    found = _CHUNK.search(block) or re.search(r"(?P<size>\d+)K chunks", block)
    return int(found["size"]) * 1024 if found else 0
