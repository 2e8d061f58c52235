# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What was read from a host: questions (probes) and their answers, recorded so that a plan can be made elsewhere.

Kinds ask; they never read. A question without an answer is noted in ``missing``: the observer answers it and the
planner runs again, so that a host is asked only what its document needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, Union, cast

T = TypeVar("T")

IN_USE = "it is in use by the kernel"
"""The error of a device that is mounted, a member of something that runs, or below another device."""


@dataclass(frozen=True, order=True)
class Run:
    """Run a reading command; answer ``{"rc", "stdout", "stderr"}``."""

    argv: tuple[str, ...]

    @property
    def key(self) -> str:
        return "run:" + " ".join(self.argv)


@dataclass(frozen=True, order=True)
class ReadFile:
    """Text of a small file; None when there is no such file."""

    path: str

    @property
    def key(self) -> str:
        return "file:" + self.path


@dataclass(frozen=True, order=True)
class ReadBlock:
    """``length`` bytes of a device from ``offset``, as hexadecimal text; None when it cannot be read."""

    path: str
    offset: int
    length: int

    @property
    def key(self) -> str:
        return f"block:{self.path}@{self.offset}+{self.length}"


@dataclass(frozen=True, order=True)
class ReadLuks:
    """What a LUKS header says in public: see ``luks.header.public``; None when there is none.

    A question of its own, since the header's bytes hold salts and wrapped keys, which no recording shall have.
    """

    path: str

    @property
    def key(self) -> str:
        return "luks:" + self.path


@dataclass(frozen=True, order=True)
class Signatures:
    """All that libblkid and our own detectors find on a device: ``{"found", "error", "held", "bytes"}``.

    ``held`` says that the kernel has it in use, which is an error as well; ``bytes`` is the digest of the places
    where labels lie. The observer puts all devices that are asked for into one wipefs and one blkid process.
    """

    path: str

    @property
    def key(self) -> str:
        return "signatures:" + self.path


@dataclass(frozen=True, order=True)
class StatFs:
    """Of a mounted file system: ``{"block_size", "blocks"}``; None when there is nothing."""

    path: str

    @property
    def key(self) -> str:
        return "statfs:" + self.path


@dataclass(frozen=True, order=True)
class StatPath:
    """Of a path: ``{"type": directory|file|link|block|other, "owner", "uid", "group", "gid", "mode", ...}``.

    None when there is nothing. The numbers are texts too; owner and group are numbers where they have no name.
    ``empty`` is None of a folder that cannot be read.
    """

    path: str

    @property
    def key(self) -> str:
        return "stat:" + self.path


@dataclass(frozen=True, order=True)
class ReadLinks:
    """Of a folder of symbolic links: ``{link name: last part of its target}``; empty when there is no such folder."""

    path: str

    @property
    def key(self) -> str:
        return "links:" + self.path


@dataclass(frozen=True, order=True)
class ReadPartitions:
    """Of sysfs: ``{kernel name: [partition number, start in 512-byte sectors]}``."""

    @property
    def key(self) -> str:
        return "partitions:"


Probe = Union[Run, ReadFile, ReadBlock, ReadLuks, Signatures, StatFs, StatPath, ReadLinks, ReadPartitions]


class Observation:
    """Answers by the key of their probe. Asking for what is not there notes the probe and gives None."""

    def __init__(self, answers: Mapping[str, Any] | None = None, *, host: str = "", taken: str = "") -> None:
        self.answers: dict[str, Any] = dict(answers or {})
        self.missing: dict[str, Probe] = {}
        self.host = host
        self.taken = taken
        self._parsed: dict[Callable[..., Any], Any] = {}

    def ask(self, probe: Probe) -> Any:
        """The answer, or None when there is none yet."""
        if probe.key not in self.answers:
            self.missing[probe.key] = probe
            return None
        return self.answers[probe.key]

    def is_missing(self, probe: Probe) -> bool:
        """Whether a question was asked and has no answer yet: None may be an answer."""
        return probe.key in self.missing

    def once(self, parse: Callable[[Observation], T]) -> T:
        """``parse(self)``, kept while no further answer came."""
        if parse not in self._parsed:
            self._parsed[parse] = parse(self)
        return cast("T", self._parsed[parse])

    def with_answers(self, answers: Mapping[str, Any]) -> Observation:
        """A further observation with these answers added."""
        return Observation({**self.answers, **answers}, host=self.host, taken=self.taken)

    def as_json(self) -> dict[str, Any]:
        return {"observation": 1, "host": self.host, "taken": self.taken, "answers": self.answers}
