# SPDX-License-Identifier: GPL-3.0-or-later
"""Who sees what on a device: each detector of the host by itself, and the owners' own tools."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from ansible_collections.barestore.storage.plugins.module_utils.host.observer import Observer, _area
from ansible_collections.barestore.storage.plugins.module_utils.host.signatures import detect
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Result, Runner
from tests.corpus.build import attached

OWN = tuple(find.__module__.rpartition(".")[2] for find in detect._DETECTORS)
NAMES = ("wipefs", "blkid", *OWN, "unknown")
_SILENT = {"wipefs": 0, "blkid": 2}


def seen(node: str) -> dict[str, list[str]]:
    """What each detector finds, by its name; those that find nothing are left out."""
    wipefs = _run("wipefs", "--no-act", "--json", node)
    rows = json.loads(wipefs.stdout)["signatures"] if wipefs.stdout.strip() else []
    blkid = _run("blkid", "--probe", "--output", "export", node)
    area = _area(node)
    out = {"wipefs": {row["type"] for row in rows}, "blkid": set(re.findall(r"^(?:PT)?TYPE=(.*)$", blkid.stdout, re.M))}
    if blkid.returncode not in (0, 2):
        out["blkid"].add("ambivalent")
    out.update((name, {one.type for one in find(area)}) for name, find in zip(OWN, detect._DETECTORS, strict=True))
    out["unknown"] = {one.type for one in detect.unknown(area)}
    return {name: sorted(found) for name, found in out.items() if found}


class _Cached(Runner):
    """wipefs and blkid answer what they said the first time; of the two only ``speaks`` is heard."""

    def __init__(self, said: dict[tuple[str, ...], Result], speaks: str) -> None:
        super().__init__()
        self._said = said
        self._speaks = speaks

    def run(self, argv: Sequence[str], stdin: str = "") -> Result:
        argv = tuple(argv)
        if argv[0] in _SILENT and argv[0] != self._speaks:
            return Result(argv, _SILENT[argv[0]], "", "", 0.0)
        if argv not in self._said:
            self._said[argv] = super().run(argv, stdin)
        return self._said[argv]


@contextmanager
def only(name: str, said: dict[tuple[str, ...], Result]) -> Iterator[Observer]:
    """An observer in which one detector alone is left."""
    finds = tuple(find for one, find in zip(OWN, detect._DETECTORS, strict=True) if one == name)
    unknown = detect.unknown if name == "unknown" else lambda area: iter(())
    with patch.object(detect, "_DETECTORS", finds), patch.object(detect, "unknown", unknown):
        yield Observer(_Cached(said, name))


def _run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False)


def _says(pattern: str, *argv: str) -> Callable[[str], bool]:
    return lambda node: bool(re.search(pattern, _run(*argv, node).stdout, re.M))


def _succeeds(*argv: str) -> Callable[[str], bool]:
    return lambda node: _run(*argv, node).returncode == 0


OWNERS: dict[str, Callable[[str], bool]] = {
    "zdb -l": _says(r"^ +guid: \d", "zdb", "-l"),
    "mdadm --examine": _says(r"^ +Magic :", "mdadm", "--examine"),
    "pvck": _says(r"label_header.id LABELONE", "pvck", "--dump", "headers"),
    "cryptsetup luksDump": _succeeds("cryptsetup", "luksDump"),
    "bcache-super-show": _succeeds("bcache-super-show"),
    "ceph-bluestore-tool": _succeeds("ceph-bluestore-tool", "--log-file", "/dev/null", "show-label", "--dev"),
    "partx": _succeeds("partx", "--show"),
}


def owners(image: Path, sector: int = 512, offset: int = 0, size: int = 0) -> list[str]:
    """The tools that take an image for theirs. They may only read: cryptsetup mends what it finds damaged."""
    with attached(image, sector, offset, size, "--read-only") as node:
        return [name for name, sees in OWNERS.items() if sees(node)]
