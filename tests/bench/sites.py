# SPDX-License-Identifier: GPL-3.0-or-later
"""A site of many hosts with 60 disks each, as an inventory and a folder of recordings, from the lab's recordings.

usage: sites.py FOLDER HOSTS      then: barestore plan -i FOLDER/fleet --observed FOLDER/recordings

Of ten hosts, eight are as wanted, one lacks a dataset and one is blank. Racks have 20 hosts. Each host has disks
of its own: serials, world-wide names and all that is made of them differ from host to host.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from guest import ROOT, lab_document
from multiply import large

DISKS, VOLUMES, DATASETS = 60, 3, 40
_RACK_HOSTS = 20
_NAMES = re.compile(r"(HDD|NVME)(?=\d)|(?<=wwn-)0x5000|(?<=\")0x5000")


def write(folder: Path, hosts: int) -> tuple[Path, Path]:
    """The inventory and the folder of recordings of so many hosts."""
    inventory, recordings = folder / "fleet", folder / "recordings"
    for each in (inventory / "group_vars", inventory / "host_vars", recordings):
        each.mkdir(parents=True, exist_ok=True)
    states, document = _states()
    names = [f"host{number:04}" for number in range(hosts)]
    racks: dict[str, Any] = {}
    for number, name in enumerate(names):
        rack = f"rack{number // _RACK_HOSTS:02}"
        racks.setdefault(rack, {"vars": {"rack": rack}, "hosts": {}})["hosts"][name] = {"ansible_connection": "local"}
        state = states["blank" if number % 10 == 9 else "applied"]
        text = _NAMES.sub(lambda found, n=number: _own(found[0], n), state)  # type: ignore[misc]
        answers = f'{{"observation": 1, "host": "{name}", "taken": "2026-01-02T03:04:05Z", "answers": {text}}}\n'
        (recordings / f"{name}.json").write_text(answers)
        if number % 10 == 8:
            more = {"zfs": {"tank": {"datasets": {"more": {"compression": "zstd", "mount": "none"}}}}}
            (inventory / "host_vars" / f"{name}.yml").write_text(yaml.safe_dump({"host_storage__more": more}))
    site = {"all": {"children": {"storage_servers": {"children": racks}}}}
    (inventory / "hosts.yml").write_text(yaml.safe_dump(site, sort_keys=False))
    (inventory / "group_vars/storage_servers.yml").write_text(
        yaml.safe_dump({"host_storage": document}, sort_keys=False)
    )
    return inventory, recordings


def _states() -> tuple[Mapping[str, str], dict[str, Any]]:
    """The recordings of a blank and of an applied host, as texts, and the document that both have."""
    texts: dict[str, str] = {}
    document: dict[str, Any] = {}
    for state, name in (("blank", "empty"), ("applied", "full")):
        found = json.loads((ROOT / f"tests/unit/recordings/{name}/lab1.json").read_text())["answers"]
        answers, document = large(found, lab_document(), disks=DISKS, volumes=VOLUMES, datasets=DATASETS)
        texts[state] = json.dumps(answers)
    return texts, document


def _own(name: str, number: int) -> str:
    return f"0x5{number:03d}" if name == "0x5000" else f"{name}{number:04}"


if __name__ == "__main__":
    print(*write(Path(sys.argv[1]), int(sys.argv[2])), sep="\n")
