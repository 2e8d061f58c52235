# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a site as JSON: what ``plan --json`` prints and ``plan --out`` keeps, hosts first and then clusters.

The last lines hold two digests. ``digest`` is what a person approves: which plan each has that changes. ``seal`` is
over the whole file, so that one that was cut or edited is known. :mod:`barestore.planread` reads it again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from barestore.errors import Failed
from barestore.hostplan import HostPlan, exit_code, now

MARK = "barestore_plan"
VERSION = 2
"""Version 1 had no clusters; such a file is still read, and allows nothing on any."""
WITHOUT_CLUSTERS = 1
_PLANNED = ("changes", "nothing", "refused")


@dataclass(frozen=True)
class Head:
    """Of which inventory a plan is; ``wanted`` is the digest of what that asks of all its hosts and clusters.

    ``revision`` and ``base`` are git revisions, empty where there is none; ``recordings`` says that nobody was asked.
    """

    inventory: str = ""
    wanted: str = ""
    revision: str = ""
    base: str = ""
    recordings: bool = False
    made: str = field(default_factory=now)

    def as_json(self) -> dict[str, Any]:
        return {MARK: VERSION, **asdict(self)}


@dataclass
class Digests:
    """The digests of a site's plan, gathered one by one; ``plans`` by the keys of hosts and clusters."""

    plans: dict[str, str] = field(default_factory=dict)
    hosts: dict[str, str] = field(default_factory=dict)
    clusters: dict[str, str] = field(default_factory=dict)
    statuses: set[str] = field(default_factory=set)

    def add(self, plan: HostPlan, entry: Mapping[str, Any]) -> None:
        """Count one, as its part of the file is."""
        self.statuses.add(plan.status)
        seals = self.hosts if plan.kind == "host" else self.clusters
        seals[plan.host] = _sha256(entry)
        if plan.status == "changes":
            self.plans[plan.key] = plan.digest

    def approved(self) -> str:
        """What a person approves."""
        return _sha256(self.plans)

    def tail(self, head: Mapping[str, Any]) -> dict[str, Any]:
        """The last lines of the file."""
        tail = {"exit": int(exit_code(self.statuses)), "digest": self.approved()}
        clusters = {} if head[MARK] == WITHOUT_CLUSTERS else {"clusters": self.clusters}
        return {**tail, "seal": _sha256({**head, **tail, "hosts": self.hosts, **clusters})}


def stream(file: TextIO, head: Head) -> Iterator[Callable[[HostPlan], None]]:
    """Write a plan: the head, what the function that is given is called with, then the digests.

    All hosts come before the first cluster.
    """
    digests, first, part, comma = Digests(), head.as_json(), "host", ""
    file.write(json.dumps(first, ensure_ascii=False, indent=1)[:-2] + ',\n "hosts": {')

    def keep(plan: HostPlan) -> None:
        nonlocal part, comma
        if plan.kind != part:
            file.write(_CLUSTERS)
            part, comma = plan.kind, ""
        entry = plan.as_json()
        digests.add(plan, entry)
        file.write(f"{comma}\n{json.dumps(plan.host)}: {json.dumps(entry, ensure_ascii=False)}")
        comma = ","

    yield keep
    if part == "host":
        file.write(_CLUSTERS)
    file.write("\n},\n" + json.dumps(digests.tail(first), indent=1)[2:] + "\n")


_CLUSTERS = '\n},\n "clusters": {'


@contextmanager
def printing(file: TextIO, head: Head) -> Iterator[Callable[[HostPlan], None]]:
    """Give a function that prints one plan."""
    yield from stream(file, head)


@contextmanager
def writing(path: Path | None, head: Head) -> Iterator[Callable[[HostPlan], None]]:
    """Give a function that keeps one plan; who gave none is left out, so that nothing is allowed there.

    The file appears when all is written. Without a path nothing is kept.

    :raises Failed: the file cannot be written.
    """
    if path is None:
        yield lambda plan: None
        return
    with whole_file(path, "plan") as file:
        inner = stream(file, head)
        keep = next(inner)
        yield lambda plan: keep(plan) if plan.status in _PLANNED else None
        next(inner, None)


@contextmanager
def whole_file(path: Path, what: str, mode: int | None = None) -> Iterator[TextIO]:
    """A file that appears when all of it is written, in place of an older one.

    :raises Failed: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise Failed(f"The {what} cannot be written to {path}: {error.strerror}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def _sha256(value: Any) -> str:
    from ansible_collections.barestore.storage.plugins.module_utils.plan.digest import sha256

    return sha256(value)
