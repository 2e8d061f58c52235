# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The values of the one idea: Action, Plan, Refusal. Frozen and JSON-able; they know neither disks nor clusters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Union

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Command:
    """A process to run.

    ``stdin`` is shown in plans, plan files and journals: it is never a secret; a key is a file that the host has.
    ``silent`` makes anything on standard output a surprise: a check that must find nothing.
    ``shell`` never exists: argv goes to the kernel as it is.
    """

    argv: tuple[str, ...]
    stdin: str = ""
    silent: bool = False

    def as_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"argv": list(self.argv)}
        if self.stdin:
            out["stdin"] = self.stdin
        if self.silent:
            out["silent"] = True
        return out


@dataclass(frozen=True)
class EditLine:
    """Replace the exact line ``before`` of a file by ``after``; None adds or removes the line."""

    path: str
    before: str | None
    after: str | None

    def as_json(self) -> dict[str, Any]:
        return {"edit": self.path, "before": self.before, "after": self.after}


@dataclass(frozen=True)
class WriteFile:
    """Write a whole file, atomically."""

    path: str
    content: str
    mode: int = 0o644

    def as_json(self) -> dict[str, Any]:
        return {"write": self.path, "content": self.content, "mode": f"{self.mode:04o}"}


@dataclass(frozen=True)
class Link:
    """Make a symbolic link, atomically, together with its folder."""

    path: str
    target: str

    def as_json(self) -> dict[str, Any]:
        return {"link": self.path, "target": self.target}


@dataclass(frozen=True)
class Part:
    """A part of a device, as it was read: ``bytes`` is the digest of the places in it where labels lie.

    ``start`` and ``size`` are in bytes; ``spots`` are further offsets in the part where a signature was found.
    """

    start: int
    size: int
    bytes: str
    spots: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {"start": self.start, "size": self.size, "bytes": self.bytes, "spots": list(self.spots)}


@dataclass(frozen=True)
class Zero:
    """Zero all places of a device where labels lie, part by part, holding it open for ourselves alone.

    Nothing is written unless each part still has the bytes that it was planned for.
    """

    path: str
    parts: tuple[Part, ...]

    def as_json(self) -> dict[str, Any]:
        return {"zero": self.path, "parts": [part.as_json() for part in self.parts]}


Step = Union[Command, EditLine, WriteFile, Link, Zero]


@dataclass(frozen=True)
class Expect:
    """What must hold once an action is done, read back by the observer.

    ``check`` is one of: ``exists`` (path), ``size`` and ``size_at_least`` (block device, bytes), ``bytes`` (device,
    hexadecimal text at ``offset``), ``prints`` (``argv`` answers ``value``), ``content`` (a file says ``value``),
    ``mounted`` (path), ``swap`` (device), ``zeroed`` (device: all places where labels lie).
    """

    check: str
    target: str
    value: str = ""
    offset: int = 0
    argv: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"check": self.check, "target": self.target, "value": self.value}
        if self.check == "bytes":
            out["offset"] = self.offset
        if self.argv:
            out["argv"] = list(self.argv)
        return out


@dataclass(frozen=True)
class Destroys:
    """What an action makes unreadable: consent must name the disk and this digest of its contents.

    ``line`` is the consent as a person writes it.
    """

    disk: str
    contents: str
    what: str
    line: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"disk": self.disk, "contents": self.contents, "what": self.what}


@dataclass(frozen=True)
class Action:
    """One step from what is to what is wanted.

    ``needs`` and ``provides`` name resources, such as ``partition:wwn-0x5000/slog``; order comes from nothing else.
    ``irreversible`` says what can never be taken back although nothing is lost, such as a vdev that a pool keeps: it
    needs a consent bound to the whole action. ``waits`` are device nodes that must be there before the first step;
    ``settles`` says that udev has work after the last one. ``holds`` are the paths of disks whose partitions must not
    vanish from here to the end of the run. ``disks`` are the identities of the disks written to. ``copies`` says that a
    command moves data and has nobody keep it: the disks are flushed meanwhile.
    """

    kind: str
    verb: str
    target: str
    steps: tuple[Step, ...]
    before: Json | None = None
    after: Json | None = None
    needs: frozenset[str] = frozenset()
    provides: frozenset[str] = frozenset()
    destroys: tuple[Destroys, ...] = ()
    irreversible: str = ""
    disks: tuple[str, ...] = ()
    expects: tuple[Expect, ...] = ()
    waits: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    settles: bool = False
    copies: bool = False

    @property
    def id(self) -> str:
        return f"{self.kind}.{self.verb}:{self.target}"

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.kind,
            "verb": self.verb,
            "target": self.target,
            "disks": sorted(self.disks),
            "before": self.before,
            "after": self.after,
            "needs": sorted(self.needs),
            "provides": sorted(self.provides),
            "destroys": [one.as_json() for one in self.destroys],
            "irreversible": self.irreversible,
            "commands": [step.as_json() for step in self.steps],
            "expects": [one.as_json() for one in self.expects],
        }


@dataclass(frozen=True)
class Refusal:
    """Why nothing may be written: what, where, and what to do.

    ``disks`` are the identities of whole disks whose contents are the reason, so that a wipe would be an answer.
    ``lacks`` names a resource whose want is the reason, such as ``storage_class:local-storage``: it may be on its way.
    """

    target: str
    message: str
    hint: str = ""
    disks: tuple[str, ...] = ()
    lacks: str = ""

    def sentence(self) -> str:
        return f"{self.target}: {self.message}; {self.hint}." if self.hint else f"{self.target}: {self.message}."

    def as_json(self) -> dict[str, Any]:
        return {"target": self.target, "message": self.message, "hint": self.hint}


@dataclass(frozen=True)
class Note:
    """A remark for a person beside the plan: it changes neither actions nor digest."""

    target: str
    message: str

    def sentence(self) -> str:
        return f"{self.target}: {self.message}."


@dataclass(frozen=True)
class Plan:
    """Ordered actions, or the refusals that keep all of them from running.

    ``identities`` are the serials and world-wide names of the disks that the actions write to, by the name that the
    actions use. ``notes`` are remarks for a person that are no part of the digest. ``is_first_part`` says that more
    can only be planned once these actions have run: what lies in something closed cannot be seen.
    """

    actions: tuple[Action, ...]
    refusals: tuple[Refusal, ...] = ()
    identities: Json = field(default_factory=dict)
    notes: tuple[str, ...] = field(default=(), compare=False)
    is_first_part: bool = field(default=False, compare=False)
