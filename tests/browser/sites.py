# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites to look at, from the recordings of the unit tests: the real answers of one host under other names.

usage: sites.py FOLDER       writes an inventory and recordings to FOLDER/site and FOLDER/recordings
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/bench")]

from multiply import large  # noqa: E402

# What the recordings were made with.
DOCUMENT = ROOT / "inventories/lab/group_vars/storage_servers.yml"
RECORDINGS = ROOT / "tests/unit/recordings"


@dataclass(frozen=True)
class Kind:
    """A host of the site: what was recorded, and what its document asks beside the lab's."""

    recording: str
    edit: Callable[[dict[str, Any]], None] = lambda document: None
    answers: Callable[[str], str] = lambda text: text


def _grow(document: dict[str, Any]) -> None:
    document["lvm"]["fast"]["volumes"]["containerd"]["size"] = "1280 MiB"
    document["zfs"]["tank"]["datasets"]["new"] = {"compression": "zstd", "mount": "none"}


def _too_many(document: dict[str, Any]) -> None:
    document["disks"]["osd"]["count"] = 99


def _degraded(text: str) -> str:
    """One disk of the pool has failed, as ``zpool status`` says it."""
    state = text.replace("state: ONLINE", "state: DEGRADED")
    lines = state.split("\\n")
    disk = next(place for place, line in enumerate(lines) if "wwn-" in line and "ONLINE" in line)
    for place in (disk, disk - 1):
        word = "FAULTED " if place == disk else "DEGRADED"
        lines[place] = lines[place].replace("ONLINE  ", word)
    return "\\n".join(lines)


WANTED, GROWING, NEW = Kind("full"), Kind("full", _grow), Kind("empty")
REFUSED, DEGRADED, GONE = Kind("empty", _too_many), Kind("full", answers=_degraded), Kind("")
EXAMPLE = [
    [WANTED, GROWING, WANTED, GROWING, WANTED],
    [NEW, NEW, WANTED, WANTED, REFUSED],
    [WANTED, WANTED, DEGRADED, WANTED, WANTED],
    [GROWING, WANTED, WANTED, GONE, NEW],
]


def write(folder: Path, racks: list[list[Kind]], disks: int = 24, *, renaming: bool = True) -> tuple[Path, Path]:
    """An inventory and a folder of recordings: hosts by rack, each with so many disks; their own serials if renamed."""
    document = yaml.safe_load(DOCUMENT.read_text())["host_storage"]
    inventory, recordings = folder / "site", folder / "recordings"
    (inventory / "host_vars").mkdir(parents=True)
    recordings.mkdir()
    hosts: dict[str, Any] = {}
    for number, rack in enumerate(racks, 1):
        for place, kind in enumerate(rack, 1):
            name = f"ss{number}{place:02}"
            hosts[name] = {"rack": f"rack{number}"}
            recorded = json.loads((RECORDINGS / (kind.recording or "full") / "lab1.json").read_text())
            answers, wanted = large(recorded["answers"], document, disks=disks, volumes=3, datasets=4)
            kind.edit(wanted)
            text = json.dumps({"host_storage": wanted}, indent=1)
            (inventory / f"host_vars/{name}.yml").write_text(text)
            if kind.recording:
                text = json.dumps({**recorded, "host": name, "answers": answers})
                text = renamed(text, number, place) if renaming else text
                (recordings / f"{name}.json").write_text(kind.answers(text))
    (inventory / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    return inventory, recordings


def renamed(text: str, rack: int, place: int) -> str:
    """Serials and world-wide names of this host's own."""
    text = re.sub(r"(HDD|NVME)(?=\d)", lambda found: f"{found[0][0]}{rack:X}{place:02}", text)
    return text.replace("0x5000c5", f"0x5000{rack:x}{place % 16:x}").replace("35000c5", f"35000{rack:x}{place % 16:x}")


if __name__ == "__main__":
    print(*write(Path(sys.argv[1]), EXAMPLE), sep="\n")
