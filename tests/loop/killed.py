# SPDX-License-Identifier: GPL-3.0-or-later
"""Applies a document to a loop device in a process of its own, which a fault of ``tests/lab/fault_hook.py`` kills.

usage: killed.py ARGUMENTS, which is JSON: device, document, folder
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ansible_collections.barestore.storage.plugins.module_utils.host.blank import UNFINISHED
from ansible_collections.barestore.storage.plugins.module_utils.host.executor import Executor
from ansible_collections.barestore.storage.plugins.module_utils.host.observer import Observer
from ansible_collections.barestore.storage.plugins.module_utils.host.state import Device
from ansible_collections.barestore.storage.plugins.module_utils.plan.journal import Journal
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner
from tests.loop.test_loop import link, plan


def main(told: dict[str, Any]) -> None:
    """What ``host.run`` does, with the kinds that need no device-mapper."""
    device = Device(**{**told["device"], "disks": tuple(told["device"]["disks"])})
    found = plan(told["document"], device)
    if found.refusals:
        sys.exit("".join(one.sentence() for one in found.refusals))
    for path in {Path(one) for action in found.actions for one in action.waits if one != device.path}:
        link(path, device)
    runner = Runner()
    Executor.begin(UNFINISHED.path, device.disks)
    Executor(runner, Journal.create(told["folder"], 64), Observer(runner).shortfall).execute(found)
    Executor.forget(UNFINISHED.path)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
