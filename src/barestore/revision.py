# SPDX-License-Identifier: GPL-3.0-or-later
"""What git knows of an inventory: its revision, how it was at another one, and what differs from that."""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from barestore.clusters import Cluster, clusters
from barestore.errors import Failed
from barestore.hosts import Host, of
from barestore.site import Site, SiteError, load_site

Some = TypeVar("Some", Host, Cluster)


@dataclass(frozen=True)
class Base:
    """A revision to compare with, and the digest of what it wanted of each host and cluster, by their keys.

    ``gone`` asked and ask no more; ``notes`` are remarks for a person.
    """

    revision: str
    wanted: dict[str, str]
    gone: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def differ(self, places: Iterable[Some]) -> tuple[Some, ...]:
        """Those of which something else is wanted now."""
        return tuple(one for one in places if self.wanted.get(one.key) != one.wanted)


def revision(inventory: Path) -> str:
    """The commit that an inventory is at, with ``+`` behind it when it was edited since; empty outside of git."""
    folder = inventory if inventory.is_dir() else inventory.parent
    try:
        commit = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}").strip()
        edited = _git(folder, "status", "--porcelain", "--", ".").strip()
    except Failed:
        return ""
    return commit + ("+" if edited else "")


def base(inventory: Path, name: str, places: Iterable[Host | Cluster]) -> Base:
    """How the inventory was at a revision, such as ``origin/main``; all its hosts count, whatever the limit.

    A host whose document has mistakes there wanted nothing that could be compared: it differs.

    :raises Failed: there is no git repository or no such revision.
    """
    folder = inventory if inventory.is_dir() else inventory.parent
    top = Path(_git(folder, "rev-parse", "--show-toplevel").strip())
    found = _commit(folder, name)
    below = inventory.resolve().relative_to(top.resolve())
    with _checkout(top, found) as tree:
        try:
            site = load_site(tree / below)
        except SiteError as error:
            said = str(error).replace(f"{tree}/", "")
            return Base(found, {}, (), (f"compared with nothing: at {name}, {said}",))
    if site.findings:
        return Base(found, {}, (), (f"compared with nothing: at {name}, {site.findings[0].sentence()}",))
    asked = {one.key: one.wanted for one in _asked(site)}
    gone = tuple(sorted({*asked} - {one.key for one in places}))
    wrong = sum(bool(each.findings) for each in site.hosts)
    notes = (f"{wrong} hosts had mistakes at {name} and are compared with nothing",) if wrong else ()
    return Base(found, asked, gone, notes)


def _asked(site: Site) -> Sequence[Host | Cluster]:
    """What asks for anything and has no mistake."""
    hosts = [of(each) for each in site.hosts if each.document is not None and not each.findings]
    wrong = any(each.cluster and each.cluster.findings for each in site.everyone)
    return hosts if wrong else [*hosts, *clusters(site)]


def _commit(folder: Path, name: str) -> str:
    try:
        if name.startswith("-"):
            raise Failed(name)
        return _git(folder, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").strip()
    except Failed:
        raise Failed(
            f"git knows no revision '{name}' in {folder}; fetch it first ('git fetch origin'), or name another."
        ) from None


@contextmanager
def _checkout(top: Path, commit: str) -> Iterator[Path]:
    """The files of a commit, in a folder with the repository's own name: an inventory may be named after it."""
    with tempfile.TemporaryDirectory(prefix="barestore-") as folder:
        tree = Path(folder, top.name)
        tree.mkdir()
        packed = Path(folder, "packed.tar")
        _git(top, "archive", "--format=tar", f"--output={packed}", commit)
        with tarfile.open(packed) as tar:
            tar.extractall(tree, filter="tar")
        packed.unlink()
        yield tree


def _git(folder: Path, *words: str) -> str:
    argv = ["git", "-C", str(folder), *words]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Failed(f"git cannot be started: {error.strerror}; install git.") from error
    if done.returncode:
        said = " ".join(done.stderr.split()).removeprefix("fatal: ")
        raise Failed(f"git {words[0]} failed in {folder}: {said or 'it said nothing'}.")
    return done.stdout
