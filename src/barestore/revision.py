# SPDX-License-Identifier: GPL-3.0-or-later
"""What git knows of an inventory: its revision, how it was at another one, and which hosts differ from that."""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from barestore.errors import Failed
from barestore.hosts import Host, of
from barestore.site import SiteError, load_site


@dataclass(frozen=True)
class Base:
    """A revision to compare with, and the digest of what it wanted of each host; ``gone`` asked and ask no more.

    ``notes`` are remarks for a person.
    """

    revision: str
    wanted: dict[str, str]
    gone: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def differ(self, hosts: Iterable[Host]) -> tuple[Host, ...]:
        """The hosts of which something else is wanted now."""
        return tuple(host for host in hosts if self.wanted.get(host.name) != host.wanted)


def revision(inventory: Path) -> str:
    """The commit that an inventory is at, with ``+`` behind it when it was edited since; empty outside of git."""
    folder = inventory if inventory.is_dir() else inventory.parent
    try:
        commit = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}").strip()
        edited = _git(folder, "status", "--porcelain", "--", ".").strip()
    except Failed:
        return ""
    return commit + ("+" if edited else "")


def base(inventory: Path, name: str, hosts: Iterable[Host]) -> Base:
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
    asked = {each.name: of(each) for each in site.hosts if each.document is not None and not each.findings}
    now = {host.name for host in hosts if host.document is not None}
    gone = tuple(sorted(each.name for each in asked.values() if each.name not in now))
    wrong = sum(bool(each.findings) for each in site.hosts)
    notes = (f"{wrong} hosts had mistakes at {name} and are compared with nothing",) if wrong else ()
    return Base(found, {host.name: host.wanted for host in asked.values()}, gone, notes)


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
