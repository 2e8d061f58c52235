# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan in a file: what a person approved, for each host its digest and actions."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from barestore.errors import Failed
from barestore.hostplan import HostPlan

_MARK = "barestore_plan"
_KEPT = {"status": str, "rack": str, "digest": str, "actions": list, "refusals": list, "disks": list}
_PLANNED = ("changes", "nothing", "refused")


@contextmanager
def writing(path: Path | None) -> Iterator[Callable[[HostPlan], None]]:
    """Give a function that keeps one host's plan; hosts that gave none are left out, so that nothing is allowed there.

    The file appears when all is written. Without a path nothing is kept.

    :raises Failed: the file cannot be written.
    """
    if path is None:
        yield lambda plan: None
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            file.write(f'{{"{_MARK}": 1, "made": "{made}", "hosts": {{')
            comma = ""

            def keep(plan: HostPlan) -> None:
                nonlocal comma
                if plan.status in _PLANNED:
                    kept = {key: value for key, value in plan.as_json().items() if key in _KEPT}
                    file.write(f"{comma}\n{json.dumps(plan.host)}: {json.dumps(kept, ensure_ascii=False, indent=1)}")
                    comma = ","

            yield keep
            file.write("\n}}\n")
        temporary.replace(path)
    except OSError as error:
        raise Failed(f"The plan cannot be written to {path}: {error.strerror}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def read(path: Path) -> dict[str, HostPlan]:
    """The approved plan of each host that may be changed.

    :raises Failed: the file cannot be read or holds no plan.
    """
    again = f"make one with 'barestore plan --out {path}'"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Failed(f"The plan {path} cannot be read: {error.strerror}; {again}.") from error
    except ValueError as error:
        raise Failed(f"{path} is no plan: it is not JSON ({error}); {again}.") from error
    if not isinstance(found, dict) or found.get(_MARK) != 1 or not isinstance(found.get("hosts"), dict):
        raise Failed(f"{path} is no plan of this release; {again}.")
    hosts = {}
    for host, plan in found["hosts"].items():
        if not _whole(plan):
            raise Failed(f"{path} is damaged where it speaks of host {host}; {again}.")
        if plan["status"] != "refused":
            hosts[host] = HostPlan(
                host, str(plan["rack"]), plan["status"], plan["digest"], plan["actions"], disks=plan["disks"]
            )
    return hosts


def _whole(plan: Any) -> bool:
    return isinstance(plan, dict) and all(isinstance(plan.get(key), kind) for key, kind in _KEPT.items())
