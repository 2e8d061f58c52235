# SPDX-License-Identifier: GPL-3.0-or-later
"""``barestore observe``: record the hosts and clusters, so that plans can be made where nobody reaches them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.barestore.storage.plugins.module_utils.cluster.recording import missing
from barestore.commands.common import ask, ready
from barestore.commands.offline_clusters import FOLDER
from barestore.errors import Failed
from barestore.fleet import Answer
from barestore.hostplan import Exit, now
from barestore.options import Options
from barestore.screen import say


def observe(options: Options, save: Path) -> Exit:
    """Write one file each; hosts and clusters that cannot be reached are named, and keep the recording that they have.

    A cluster that nobody made yet is recorded as that.
    """
    fleet = ready(options, all_hosts=True)
    folders = {"host": save, "cluster": save / FOLDER}
    for kind in {one.kind for one in fleet.places}:
        _make(folders[kind])
    answers = ask(fleet, "host_storage_info", "ceph_osds_info", options, "Observing")
    written: dict[str, dict[str, str]] = {"host": {}, "cluster": {}}
    for one in fleet.places:
        found = _recording(one.name, answers[one.key])
        if found is not None:
            path = folders[one.kind] / f"{one.name}.json"
            _write(path, found)
            written[one.kind][one.name] = str(path)
    if options.as_json:
        options.emit({"recordings": written["host"], "clusters": written["cluster"]})
    else:
        for path_text in (path for paths in written.values() for path in paths.values()):
            say(f"recorded {path_text}")
    missed = [one for one in fleet.places if one.name not in written[one.kind]]
    for one in missed:
        say(answers[one.key].complaint())
    return Exit.ERROR if missed else Exit.DONE


def _recording(name: str, answer: Answer) -> Mapping[str, Any] | None:
    """What there is to keep; nothing of one that did not answer."""
    if answer.how == "ok":
        found: Mapping[str, Any] = answer.result["observation"]
        return found
    return missing(name, now(), answer.message) if answer.result.get("absent") else None


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failed(f"The folder {folder} cannot be made: {error.strerror}.") from error


def _write(path: Path, found: Mapping[str, Any]) -> None:
    try:
        path.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    except OSError as error:
        raise Failed(f"The recording {path} cannot be written: {error.strerror}.") from error
