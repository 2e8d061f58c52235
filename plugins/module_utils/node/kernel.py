# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads and writes the kernel's settings below /proc/sys, and loads its modules."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from ..plan.errors import ObserveError, StorageError
from ..plan.runner import Runner
from .tuning import Setting, file_text

_PROC = "/proc/sys"


def differences(wanted: Sequence[Setting], proc: str = _PROC) -> dict[str, tuple[str, str]]:
    """What the kernel has and what is wanted, by key, where they differ.

    :raises ObserveError: the kernel does not know a key; all such keys are named.
    """
    found = {one.key: _read(os.path.join(proc, _path(one.key))) for one in wanted}
    unknown = sorted(key for key, value in found.items() if value is None)
    if unknown:
        raise ObserveError(
            f"the kernel of this host has no setting {', '.join(unknown)}",
            "load the module that brings it (host_tuning_modules), or name it in host_tuning_leave",
        )
    return {
        one.key: (found[one.key] or "", one.value)
        for one in wanted
        if (found[one.key] or "").split() != one.value.split()
    }


def file_differs(wanted: Sequence[Setting], path: str) -> bool:
    """Whether the file that keeps the settings over a boot has another text."""
    return _read(path) != file_text(wanted).strip()


def apply(wanted: Sequence[Setting], changed: Mapping[str, tuple[str, str]], path: str, proc: str = _PROC) -> None:
    """Write the file first, so that a boot in between has the settings too, then what differs in the kernel.

    :raises StorageError: the kernel refuses a value.
    """
    _write(path, file_text(wanted))
    for key, (_before, value) in changed.items():
        try:
            with open(os.path.join(proc, _path(key)), "w", encoding="utf-8") as handle:
                handle.write(value)
        except OSError as error:
            raise StorageError(
                f"the kernel of this host refuses {key} = {value} ({os.strerror(error.errno or 0)})",
                "give a value that it takes in host_tuning_settings, or name the key in host_tuning_leave",
            ) from error


def modules_differ(modules: Sequence[str], path: str) -> bool:
    """Whether the file that names the modules for the next boot has another text."""
    return _read(path) != "\n".join(modules)


def load(modules: Sequence[str], path: str, runner: Runner) -> None:
    """Load modules and name them for the next boot.

    :raises CommandFailed: the kernel has no such module; then they are not named either.
    """
    runner.text(("modprobe", "--all", "--", *modules))
    _write(path, "\n".join(modules) + "\n")


def _write(path: str, text: str) -> None:
    scratch = f"{path}.new"
    with open(scratch, "w", encoding="utf-8") as handle:
        handle.write(text)
    os.chmod(scratch, 0o644)
    os.replace(scratch, path)


def _path(key: str) -> str:
    return key.replace(".", "/")


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as handle:
            return handle.read().strip()
    except OSError:
        return None
