# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding again a machine that an earlier command wrote down."""

from __future__ import annotations

import json
from pathlib import Path

from barestore.lab.image import Image
from barestore.lab.machine import Disk, Machine
from barestore.lab.process import Process
from barestore.lab.vm import VirtualMachine


def recall(folder: Path) -> VirtualMachine | None:
    """The machine that was saved in a folder, if any."""
    try:
        known = json.loads((folder / "vm.json").read_text())
    except FileNotFoundError:
        return None
    described = known["machine"]
    return VirtualMachine(
        folder=folder,
        machine=Machine(**{**described, "disks": tuple(Disk(**disk) for disk in described["disks"])}),
        image=Image(Path(known["image"])),
        accelerator=known["accelerator"],
        port=known["port"],
        process=Process(**known["process"]) if known["process"] else None,
        born=known.get("born", True),
    )
