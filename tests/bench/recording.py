# SPDX-License-Identifier: GPL-3.0-or-later
"""Real recordings of a virtual host with the README's layout on large disks: before, while, and after it is applied.

They are kept in build/bench/ and used again until the questions to a host change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from guest import HERE, ROOT, guest, lab_document, say

from ansible_collections.barestore.storage.plugins.module_utils.host import planner

FOLDER = ROOT / "build" / "bench"
# The README's layout, with NVMe disks on which 500 volumes of a GiB have room.
MACHINE = {
    "memory": "1.5 GiB",
    "disks": [
        *({"serial": f"HDD000{n}", "type": "hdd", "size": "4 GiB"} for n in (1, 2)),
        *({"serial": f"HDD000{n}", "type": "hdd", "size": "8 GiB"} for n in (3, 4, 5, 6)),
        *({"serial": f"NVME000{n}", "type": "nvme", "size": "1 TB"} for n in (1, 2)),
    ],
}


def recordings() -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The answers of the empty host and of the same host once its document is met."""
    asked = "\n".join(sorted(probe.key for probe in planner.probes(lab_document())))
    key = hashlib.sha256(asked.encode()).hexdigest()[:12]
    files = FOLDER / f"blank-{key}.json", FOLDER / f"applied-{key}.json"
    if not all(file.exists() for file in files):
        FOLDER.mkdir(parents=True, exist_ok=True)
        variables = {"host_storage": lab_document()}
        with guest(MACHINE) as host:
            say("recording an empty host")
            blank = host.playbook(HERE / "record.yml", variables).must_be_good().module.answer["observation"]
            say("applying the layout of the README")
            host.playbook(HERE / "host_storage.yml", variables).must_be_good()
            applied = host.playbook(HERE / "record.yml", variables).must_be_good().module.answer["observation"]
        for file, found in zip(files, (blank, applied), strict=True):
            file.write_text(json.dumps(found, indent=1) + "\n")
    blank, applied = (json.loads(file.read_text())["answers"] for file in files)
    return blank, applied
