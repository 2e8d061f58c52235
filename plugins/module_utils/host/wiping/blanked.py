# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A host as it will be once disks are wiped: the same observation, in which they carry nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ..blockdevices import BlockDevices
from ..first_look import FULLREPORT, LSBLK
from ..lvm.report import VolumeGroup
from ..observation import Observation, Signatures, StatPath
from ..selection import Disk
from ..zfs.imports import SCAN

_NOTHING = dict.fromkeys(("pttype", "ptuuid", "fstype", "fsver", "label", "uuid"))


def blanked(
    observation: Observation, disks: Iterable[Disk], groups: Iterable[VolumeGroup], block: BlockDevices
) -> Observation:
    """The observation without what ``disks`` carry, and without the volume groups that go with them."""
    disks = tuple(disks)
    if not disks:
        return observation
    knames = frozenset(one.kname for one in disks)
    answers: dict[str, Any] = {
        LSBLK.key: _lsblk(observation.answers[LSBLK.key], knames),
        **{Signatures(one.path).key: {"found": [], "error": "", "held": False, "bytes": ""} for one in disks},
        **{StatPath(f"/dev/{one.name}").key: None for one in groups},
    }
    for key, without in ((FULLREPORT.key, _fullreport), (SCAN.key, _scan)):
        if key in observation.answers:
            answers[key] = without(observation.answers[key], knames, block)
    return observation.with_answers(answers)


def _lsblk(answer: dict[str, Any], knames: frozenset[str]) -> dict[str, Any]:
    tree = json.loads(answer["stdout"])
    tree["blockdevices"] = [_row(row, knames) for row in tree["blockdevices"]]
    return {**answer, "stdout": json.dumps(tree)}


def _row(row: dict[str, Any], knames: frozenset[str]) -> dict[str, Any]:
    if row["kname"] in knames:
        return {**{key: value for key, value in row.items() if key != "children"}, **_NOTHING, "mountpoints": []}
    if "children" in row:
        return {**row, "children": [_row(one, knames) for one in row["children"]]}
    return row


def _fullreport(answer: dict[str, Any], knames: frozenset[str], block: BlockDevices) -> dict[str, Any]:
    """Without the physical volumes of no group on these disks, and without the groups that lie on them alone."""
    if answer["rc"] == 127:
        return answer

    def is_kept(row: dict[str, Any]) -> bool:
        device = block.at(row["pv_name"])
        return device is None or not block.disks_below(device.kname) <= knames

    kept = []
    for section in json.loads(answer["stdout"])["report"]:
        rows = [row for row in section.get("pv") or [] if is_kept(row)]
        if not section.get("vg"):
            kept.append({**section, "pv": rows})
        elif rows:
            kept.append(section)
    return {**answer, "stdout": json.dumps({"report": kept})}


def _scan(answer: dict[str, Any], knames: frozenset[str], block: BlockDevices) -> dict[str, Any]:
    """Without the importable pools that lie on these disks."""
    names = {
        one.content_label
        for one in block
        if one.content == "zfs_member" and block.disks_below(one.kname) <= knames and one.content_label
    }
    first, *pools = answer["stdout"].split("   pool: ")
    kept = [text for text in pools if text.split("\n", 1)[0].strip() not in names]
    return {**answer, "stdout": "   pool: ".join((first, *kept))}
