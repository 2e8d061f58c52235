# SPDX-License-Identifier: GPL-3.0-or-later
"""``barestore observe``: record the hosts, so that plans can be made where nobody reaches them."""

from __future__ import annotations

import json
from pathlib import Path

from barestore.commands.common import listen, module, ready
from barestore.errors import Failed
from barestore.hostplan import Exit
from barestore.options import Options
from barestore.screen import say


def observe(options: Options, save: Path) -> Exit:
    """Write one file a host; hosts that cannot be reached are named, and keep the recording that they have."""
    fleet = ready(options, all_hosts=True)
    try:
        save.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failed(f"The folder {save} cannot be made: {error.strerror}.") from error
    answers = listen(fleet.call(module("host_storage_info"), check=True), options, "Observing")
    written = {}
    for answer in answers.values():
        if answer.how != "ok":
            continue
        path = save / f"{answer.host}.json"
        try:
            path.write_text(json.dumps(answer.result["observation"], indent=1, sort_keys=True) + "\n", encoding="utf-8")
        except OSError as error:
            raise Failed(f"The recording {path} cannot be written: {error.strerror}.") from error
        written[answer.host] = str(path)
    if options.as_json:
        options.emit({"recordings": written})
    else:
        for path_text in written.values():
            say(f"recorded {path_text}")
    missed = [answer for answer in answers.values() if answer.how != "ok"]
    for answer in missed:
        say(answer.complaint())
    return Exit.ERROR if missed else Exit.DONE
