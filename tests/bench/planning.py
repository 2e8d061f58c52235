# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module itself costs on a large host: 60 disks, 500 logical volumes, 1,000 datasets, from a recording.

The recording is a real one, multiplied (see multiply.py). Each number comes from a fresh Python process that does
what the module does, from the arguments to the JSON of its answer; only the host is replaced by the recording.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from guest import HERE, ROOT, Unmeasured, lab_document, median
from multiply import large
from recording import FOLDER, recordings
from table import Row, verdict

SECONDS, MEBIBYTES = 2.0, 100
_RUNS = 3


def rows(notes: list[str]) -> Iterator[Row]:
    """Seconds and memory of a run with nothing to do, and of a first run."""
    blank, applied = recordings()
    for name, answers in (("nothing to do", applied), ("first run", blank)):
        recorded, document = large(answers, lab_document())
        file = FOLDER / f"large-{name.replace(' ', '-')}.json"
        file.write_text(json.dumps({"answers": recorded, "document": document}))
        found = [measure(str(file)) for _ in range(_RUNS)]
        seconds, memory = median([one["seconds"] for one in found]), max(one["mebibytes"] for one in found)
        if (found[0]["actions"] == 0) != (answers is applied):
            raise Unmeasured(f"{name}: {found[0]['actions']} actions are planned")
        planning = median([one["planning"] for one in found])
        yield Row(
            "plan",
            f"large host, {name} ({found[0]['actions']} actions): module",
            f"<= {SECONDS:.0f} s, {MEBIBYTES} MiB",
            f"{seconds:.2f} s, {memory:.0f} MiB; planning alone {planning:.2f} s",
            verdict(seconds <= SECONDS and memory <= MEBIBYTES),
        )
    notes.append("large host: 60 disks, 500 logical volumes, 1,000 datasets, multiplied from a recording of the lab")


def measure(file: str, *options: str) -> dict[str, Any]:
    """One fresh process; the seconds are its processor time, which a busy machine does not change."""
    done = subprocess.run(
        [sys.executable, str(HERE / "replay.py"), file, *options],
        env={"PYTHONPATH": str(ROOT / "collections")}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise Unmeasured(f"the replayed module ended with {done.returncode}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
