# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents that follow one another, by construction valid: parts come, grow, change, leave the document, come back."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from builder import Builder, Document
from disk_sets import Draw
from documents import ANY, Case, cases
from hypothesis import strategies as st
from simulated_block import DiskModel
from zfs_documents import properties

LENGTH = 3


@dataclass(frozen=True)
class Step:
    """A document, and the disks that somebody plugged in before it is applied."""

    document: Document
    plugged: tuple[DiskModel, ...]


@dataclass(frozen=True)
class Sequence:
    """Disks that are there from the beginning, and what is asked of them, one document after the other."""

    disks: tuple[DiskModel, ...]
    steps: tuple[Step, ...]

    def __repr__(self) -> str:
        """What a person needs to try it again."""
        return "\n".join(
            [f"\ndisks: {self.disks}", *(f"{json.dumps(one.document)}, plugged: {one.plugged}" for one in self.steps)]
        )


@st.composite
def sequences(draw: Draw[Any], scale: Any = ANY) -> Sequence:
    """Parts of a document that refer to one another come and go together, each in its small or its larger form."""
    case: Case = draw(cases(scale))
    lives = [(part, draw(_lives())) for part in _parts(case)]
    if not any(life[0] for _part, life in lives):
        lives[0] = (lives[0][0], ("small", "small", "larger"))
    steps, there = [], set(case.disks)
    for index in range(LENGTH):
        document: Document = {}
        plugged = []
        for part, life in lives:
            form = case.larger if "larger" in life[: index + 1] else case.document
            if life[index]:
                _copy(part, form, document)
            if form is case.larger:
                plugged += [one for one in case.added if _group_of(case, one) in part and one not in there]
        if not document:
            # A host of which nothing is said for a while; what is on it stays.
            document = {"disks": {}}
        there |= set(plugged)
        steps.append(Step(_touched(draw, document), tuple(plugged)))
    return Sequence(case.disks, tuple(steps))


def _lives() -> st.SearchStrategy[tuple[str, ...]]:
    """What a part is in each document: not there, small, or larger; never small again."""
    forms = ("", "small", "larger")
    whole = [(a, b, c) for a in forms for b in forms for c in forms if a or b or c]
    return st.sampled_from([one for one in whole if "larger small" not in " ".join(filter(None, one))])


def _group_of(case: Case, disk: DiskModel) -> str:
    return next(name for name in case.document["disks"] if name[0].upper() == disk.serial[0])


def _copy(part: frozenset[str], source: Document, target: Document) -> None:
    for section, entries in source.items():
        for name, entry in entries.items():
            if _name(section, name) in part:
                target.setdefault(section, {})[name] = copy.deepcopy(entry)


def _name(section: str, name: str) -> str:
    """Sections of one thing share its name: a disk group and its partitions. Others go by what they are on."""
    return name if section in ("disks", "partitions", "md", "luks", "lvm", "zfs") else f"{section}:{name}"


def _parts(case: Case) -> list[frozenset[str]]:
    """Names that refer to one another, as sets; in the order of the document."""
    whole: dict[str, list[Any]] = {}
    for document in (case.document, case.larger):
        for section, entries in document.items():
            for name, entry in entries.items():
                whole.setdefault(_name(section, name), []).append([entry, name])
    sets: list[set[str]] = []
    paths = {name: [text for text in _texts(entries) if text.startswith("/")] for name, entries in whole.items()}
    for name, entries in whole.items():
        known = {text.partition("/")[0].partition(".")[0] for text in _texts(entries)} & set(whole)
        above = {other for other, mounts in paths.items() for one in mounts for mine in paths[name]
                 if mine.startswith(f"{one}/")}  # fmt: skip
        mine = {name, *known, *above}
        touching = [one for one in sets if one & mine]
        sets = [one for one in sets if not one & mine] + [mine.union(*touching)]
    order = list(whole)
    return sorted((frozenset(one) for one in sets), key=lambda one: min(map(order.index, one)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(one)


def _touched(draw: Draw[Any], document: Document) -> Document:
    """The document with other words where they cost no room: options, owners, labels, priorities, properties."""
    builder = Builder(draw)
    for holder in list(_holders(document)):
        mount = holder.get("mount")
        if isinstance(mount, str) and mount.startswith("/") and builder.one_of(False, False, True):
            holder["mount"] = {"path": mount, **_words_of_a_mount(builder)}
        swap = holder.get("swap")
        if isinstance(swap, dict) and builder.maybe():
            holder["swap"] = {**swap, "priority": builder.up_to(0, 100)}
    for entry in document.get("swap", {}).values():
        if builder.one_of(False, False, True):
            entry["priority"] = builder.up_to(0, 100)
    for pool in document.get("zfs", {}).values():
        for dataset in pool.get("datasets", {}).values():
            dataset.update(properties(builder, ["compression", "atime", "exec", "sync", "recordsize"]))
        if builder.one_of(False, False, True):
            pool.setdefault("datasets", {})[f"more{builder.up_to(1, 3)}"] = properties(
                builder, ["compression", "atime"]
            )
    for group in document.get("lvm", {}).values():
        for thin in group.get("thin_pools", {}).values():
            if builder.one_of(False, False, True):
                thin["autoextend"] = {"threshold": builder.one_of(60, 70, 80), "percent": 20}
    return document


def _words_of_a_mount(builder: Builder) -> dict[str, Any]:
    words = {
        "options": ([], ["noatime"], ["noatime", "nodev"]),
        "owner": ("daemon", "root"),
        "mode": ("0750", "0755"),
        "nofail": (True, False),
    }
    return {key: builder.one_of(*values) for key, values in words.items() if builder.maybe()}


def _holders(document: Document) -> Iterator[dict[str, Any]]:
    """All that may have a file system, a mount or swap on it."""
    yield from document.get("filesystems", {}).values()
    for table in document.get("partitions", {}).values():
        yield from table
    for group in document.get("lvm", {}).values():
        yield from group.get("volumes", {}).values()
