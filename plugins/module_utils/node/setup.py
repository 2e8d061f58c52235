# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Packages, files and services of a host: what differs from what is wanted, and how it is brought there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from ..plan.errors import ObserveError
from ..plan.runner import Runner

_STATUS = "/var/lib/dpkg/status"


class File(NamedTuple):
    """A file that a role writes; ``restarts`` is the service that reads it only when it starts, or empty."""

    path: str
    content: str
    mode: int
    restarts: str = ""


class Differences(NamedTuple):
    """What differs: packages to install, files with the text that they have, services to start, and to start anew."""

    packages: tuple[str, ...]
    files: Mapping[File, str]
    starts: tuple[str, ...]
    restarts: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.packages or self.files or self.starts)


def missing(wanted: Sequence[str], status: str) -> tuple[str, ...]:
    """The packages that are not installed.

    :param wanted: names, or ``name=version`` as apt takes them, where a version may end with ``*``.
    :param status: the text of dpkg's list of packages.
    """
    installed = dict(_installed(status))
    return tuple(one for one in wanted if not _has(installed, *one.partition("=")[::2]))


def _has(installed: Mapping[str, str], name: str, version: str) -> bool:
    return name in installed and (not version or fnmatchcase(installed[name], version))


def _installed(status: str) -> Iterator[tuple[str, str]]:
    for paragraph in status.split("\n\n"):
        if "\nStatus: " not in paragraph:
            continue
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[0] != " ")
        if fields["Status"].endswith(" ok installed"):
            yield fields["Package"], fields.get("Version", "")


def stopped(services: Sequence[str], shown: str) -> tuple[str, ...]:
    """The services that do not run or do not start with the machine.

    :param shown: what ``systemctl show --property=Id,ActiveState,UnitFileState`` printed of them.
    """
    good = set()
    for paragraph in shown.split("\n\n"):
        unit = dict(line.partition("=")[::2] for line in paragraph.splitlines())
        # One that fails and is started again and again waits for something: kubelet for kubeadm.
        if unit.get("ActiveState") in ("active", "activating", "reloading") and unit.get(
            "UnitFileState", ""
        ).startswith("enabled"):
            good.add(unit.get("Id", ""))
    return tuple(one for one in services if _unit(one) not in good)


def _unit(service: str) -> str:
    return service if "." in service else f"{service}.service"


def differences(
    packages: Sequence[str], files: Sequence[File], services: Sequence[str], runner: Runner, status: str = _STATUS
) -> Differences:
    """Look at the host; one process where there are services, none else.

    :raises ObserveError: the host has no list of packages as Debian has it.
    """
    absent: tuple[str, ...] = ()
    if packages:
        listed = _read(status)
        if listed is None:
            raise ObserveError(
                f"this host has no {status}, where Debian and Ubuntu list their packages",
                "the roles of nodes install packages on these two; take the host out of the group",
            )
        absent = missing(packages, listed)
    differing = {one: _read(one.path) or "" for one in files if not _same(one)}
    starts: tuple[str, ...] = ()
    if services:
        asked = ("systemctl", "show", "--property=Id,ActiveState,UnitFileState", *map(_unit, services))
        starts = stopped(services, runner.run(asked).stdout)
    restarts = dict.fromkeys(one.restarts for one in differing if one.restarts)
    return Differences(absent, differing, starts, tuple(one for one in restarts if one not in starts))


def apply(found: Differences, runner: Runner) -> None:
    """Write the files, start what does not run, and start anew what reads a file that changed.

    :raises CommandFailed: systemd refuses.
    """
    for one in found.files:
        os.makedirs(os.path.dirname(one.path), mode=0o755, exist_ok=True)
        scratch = f"{one.path}.new"
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as handle:
            handle.write(one.content)
        os.chmod(scratch, one.mode)
        os.replace(scratch, one.path)
    if found.files and (found.starts or found.restarts):
        runner.text(("systemctl", "daemon-reload"))
    if found.starts:
        runner.text(("systemctl", "enable", "--now", *map(_unit, found.starts)))
    if found.restarts:
        # What does not run is left to whoever starts it.
        runner.text(("systemctl", "try-restart", *map(_unit, found.restarts)))


def _same(one: File) -> bool:
    try:
        return _read(one.path) == one.content and os.stat(one.path).st_mode & 0o7777 == one.mode
    except OSError:
        return False


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as handle:
            return handle.read()
    except OSError:
        return None
