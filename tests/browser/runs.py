# SPDX-License-Identifier: GPL-3.0-or-later
"""Past runs to look at: journals as the module writes them, one of them cut where the power failed."""

from __future__ import annotations

import json
from pathlib import Path

_ACTIONS = (("create partition_table log@N10100", 0.4), ("create zfs_pool tank", 2.6), ("mount mount /srv/mysql", 0.1))


def write_runs(folder: Path) -> Path:
    """Three journals of two hosts: done, failed, and without an end."""
    _journal(folder / "ss101/20261119T081500Z-411.jsonl", "done")
    _journal(folder / "ss102/20261120T101112Z-512.jsonl", "failed")
    _journal(folder / "ss102/20261120T093000Z-499.jsonl", "")
    return folder


def _journal(path: Path, result: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    at = 1_795_000_000.0
    events: list[dict[str, object]] = [{"time": at, "event": "plan", "digest": "sha256:0", "actions": []}]
    for action, seconds in _ACTIONS:
        argv = [{"argv": ["zpool", "create", "tank"]}]
        events.append({"time": at, "event": "start", "action": action, "commands": argv})
        at += seconds
        if action == _ACTIONS[-1][0] and result != "done":
            break
        events.append({"time": at, "event": "done", "action": action, "seconds": seconds})
    if result == "failed":
        why = "mount: /srv/mysql: special device does not exist"
        events.append({"time": at, "event": "failed", "action": _ACTIONS[-1][0], "why": why})
        events.append({"time": at, "event": "end", "result": "failed", "why": why})
    elif result:
        events.append({"time": at, "event": "end", "result": result})
    rows = "".join(json.dumps({**event}, sort_keys=True) + "\n" for event in events)
    path.write_text(rows if result else rows + '{"event": "do\0\0\0')
