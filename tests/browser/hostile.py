# SPDX-License-Identifier: GPL-3.0-or-later
"""A page in which every text that a disk or a host can choose is an attack."""

from __future__ import annotations

from typing import Any

from barestore.hostplan import HostPlan
from barestore.lines import cluster_view
from barestore.report.data import Facts, Store, Trouble, view
from barestore.report.page import html
from barestore.report.runs import Run, Step

ATTACK = "</script><script>alert(1)</script><img src=x onerror=alert(2)>'\"`${alert(3)}&lt;\u2028{{7*7}}<!--<script>"


def hostile_page(attack: str = ATTACK) -> str:
    """The page of two hosts; nothing in it may run, load or end an element early."""
    disk: dict[str, Any] = {
        "id": f"wwn-{attack}", "serial": f"S {attack}", "wwn": attack, "vendor": attack, "model": attack,
        "slot": attack, "size": 4 << 30, "rotational": True, "transport": attack, "content": attack, "out_of_reach": "",
        "holds": [
            {"name": attack, "number": 1, "size": 1 << 30, "content": attack, "label": attack, "mounted": [attack]},
        ],
    }  # fmt: skip
    action = {
        "id": attack, "kind": attack, "verb": attack, "target": attack, "before": {attack: attack},
        "after": {attack: [attack]}, "disks": [disk["id"]], "commands": [{"argv": [attack]}],
        "destroys": [{"disk": disk["id"], "contents": attack, "what": attack}],
    }  # fmt: skip
    plan = HostPlan(f"host {attack}", attack, "changes", attack, [action], [attack], [attack], [disk], message=attack)
    known = Facts(
        attack, {(disk["id"], 1): attack}, {disk["id"]: attack}, {}, [Trouble("bad", attack, disk["id"])],
        [Store(attack, attack, 100, 50, attack)],
    )  # fmt: skip
    other = HostPlan("other", "rack", "refused", refusals=[attack], message=attack)
    runs = [Run(f"host {attack}", attack, attack, attack, (Step(attack, attack, 1.0, 1),))]
    osd = {"id": attack, "osd": attack, "device_set": attack, "host": attack, "rack": attack, "serial": attack}
    purge = {**action, "kind": "osd", "verb": "purge"}
    cluster = HostPlan(
        attack, "", "changes", attack, [action, purge], [attack], [attack], [osd], message=attack, kind="cluster"
    )
    return html(attack, attack, [view(plan, known), view(other)], runs, [cluster_view(cluster)])
