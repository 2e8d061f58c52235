# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kernel settings of a node for the load that is planned for it, each with its reason. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

# A selector with `count: all` does not say how many: as many as the largest servers have.
_ALL = 60


class Setting(NamedTuple):
    """One sysctl: its key, its value as text, and why."""

    key: str
    value: str
    reason: str


def planned_osds(document: Mapping[str, Any]) -> int:
    """How many whole devices the host's document hands to Kubernetes: each may become an OSD."""
    disks = document.get("disks", {})
    total = 0
    for name, volume in document.get("local_volumes", {}).items():
        group = disks.get(str(volume.get("source", name)).partition(".")[0], {})
        count = group.get("count", group.get("take", 1))
        total += count if isinstance(count, int) else _ALL
    return total


def settings(osds: int, pods: int, own: Mapping[str, Any], leave: Sequence[str]) -> list[Setting]:
    """The settings by key.

    :param osds: OSDs that the host may run.
    :param pods: pods that it may run.
    :param own: settings of the site, which win.
    :param leave: keys that are left as they are.
    """
    planned = [
        Setting("net.ipv4.ip_forward", "1", "pods reach other nodes by way of this one"),
        Setting("net.bridge.bridge-nf-call-iptables", "1", "services are rules that bridged packets must meet"),
        Setting("vm.swappiness", "10", "what is in memory is in use: swap is for what is never looked at"),
        Setting("vm.max_map_count", "262144", "databases and Java in pods map many files"),
        Setting(
            "fs.inotify.max_user_instances",
            str(max(1024, 32 * pods)),
            f"{pods} pods of one user, each with its log and configuration watched, up to 32 watchers a pod",
        ),
        Setting(
            "fs.inotify.max_user_watches", str(max(65536, 2048 * pods)), f"{pods} pods, up to 2048 watched files a pod"
        ),
        Setting(
            "kernel.pid_max",
            str(max(65536, 1024 * pods + 4096 * osds)),
            f"{pods} pods of up to 1024 threads and {osds} OSDs of up to 4096 while they recover",
        ),
    ]
    if osds:
        planned += [
            Setting(
                "fs.aio-max-nr",
                str(max(65536, 65536 * osds)),
                f"{osds} OSDs: BlueStore asks for up to 65536 requests at a time on its devices",
            ),
            Setting("net.core.somaxconn", "4096", "peers and clients of all OSDs connect at once after a restart"),
        ]
    merged = {one.key: one for one in planned if one.key not in leave}
    merged.update({key: Setting(key, str(value), "set by the site") for key, value in own.items()})
    return [merged[key] for key in sorted(merged)]


def file_text(wanted: Sequence[Setting]) -> str:
    """The file below /etc/sysctl.d that keeps the settings over a boot."""
    lines = ["# Written by barestore: computed from the load that the inventory plans for this host."]
    for one in wanted:
        lines += [f"# {one.reason}", f"{one.key} = {one.value}"]
    return "\n".join(lines) + "\n"
