# SPDX-License-Identifier: GPL-3.0-or-later
"""A large host from a real recording of a small one: rows are repeated under new names, and no format is invented.

The recording has the README's layout. Every row that names a thing is repeated for each copy of that thing, with its
names replaced and with identifiers of its own:

- the disk HDD0003 (of the group osd) and the pair HDD0001, HDD0002 (one mirror of the pool) become 60 disks in all:
  rows of lsblk, links below /dev/disk, partitions of sysfs, pins, signatures, and the rows of ``zpool status``;
- the volume fast/containerd becomes 500 volumes: rows of lsblk and of ``lvm fullreport`` (lv, seg, pvseg, with the
  free extents counted down), fstab, mountinfo, superblock, statfs and stat;
- the dataset tank/mysql becomes 1,000 datasets: rows of ``zfs get``, mountinfo and stat.

The document grows by the same copies, so that the multiplied recording meets it: nothing to do.
"""

from __future__ import annotations

import copy
import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Answers = dict[str, Any]
_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_NAMESPACE = uuid.UUID("00000000-0000-5000-8000-000000000000")


@dataclass(frozen=True)
class Copy:
    """One copy: ``names`` are replaced wherever they stand, and UUIDs by others of the same form."""

    names: Mapping[str, str]

    def __call__(self, text: str) -> str:
        words = sorted(self.names, key=len, reverse=True)
        # Inside longer words too: sda1 and sda9 are partitions of sda.
        replaced = re.sub("|".join(map(re.escape, words)), lambda found: self.names[found[0]], text)
        seed = next(iter(self.names.values()))
        return _UUID.sub(lambda found: str(uuid.uuid5(_NAMESPACE, f"{seed}/{found[0]}")), replaced)

    def names_one(self, text: str) -> bool:
        return any(name in text for name in self.names)


def large(
    answers: Mapping[str, Any],
    document: Mapping[str, Any],
    *,
    disks: int = 60,
    volumes: int = 500,
    datasets: int = 1000,
) -> tuple[Answers, dict[str, Any]]:
    """The recording and its document with so many disks (NVMe included), logical volumes and datasets."""
    out, wanted = copy.deepcopy(dict(answers)), copy.deepcopy(dict(document))
    have = [node for node in _lsblk(out)["blockdevices"] if str(node["serial"]).startswith(("HDD", "NVME"))]
    pairs = (disks - len(have)) // 4
    singles = disks - len(have) - 2 * pairs
    by_serial = {node["serial"]: node for node in have}
    one, two, osd = by_serial["HDD0001"], by_serial["HDD0002"], by_serial["HDD0003"]
    for number in range(pairs):
        both = Copy({**_disk(one, 1000 + 2 * number), **_disk(two, 1001 + 2 * number)})
        _repeat_disks(out, (one, two), both)
        _edit(out, "run:zpool status", lambda text, copied=both, n=number: _mirror(text, copied, n + 1))  # type: ignore[misc]
    for number in range(singles):
        _repeat_disks(out, (osd,), Copy(_disk(osd, 3000 + number)))
    wanted["disks"]["pool"]["count"] += 2 * pairs
    wanted["disks"]["osd"]["count"] += singles
    wanted["zfs"]["tank"]["data"]["width"] = 2

    group, pool = wanted["lvm"]["fast"], wanted["zfs"]["tank"]
    lvs = [_volume(out, n) for n in range(volumes - len(group["volumes"]) - len(group["thin_pools"]))]
    zfs = [Copy({"mysql": f"mysql{n:04}"}) for n in range(datasets - len(pool["datasets"]) - len(pool["volumes"]))]
    _repeat_volumes(out, lvs)
    for key in ("run:zfs get", "file:/proc/self/mountinfo"):
        _edit(out, key, lambda text: _lines(text, "mysql", zfs))
    _edit(out, "file:/proc/self/mountinfo", lambda text: _lines(text, "containerd", lvs))
    _edit(out, "file:/etc/fstab", lambda text: _lines(text, "containerd", lvs))
    _repeat_keys(out, "containerd", lvs)
    _repeat_keys(out, "mysql", zfs)
    group["volumes"].update(_document(group["volumes"]["containerd"], lvs, "containerd"))
    pool["datasets"].update(_document(pool["datasets"]["mysql"], zfs, "mysql"))
    return out, wanted


def _document(entry: Mapping[str, Any], copies: Sequence[Copy], name: str) -> dict[str, Any]:
    return {copied(name): json.loads(copied(json.dumps(entry))) for copied in copies}


def _disk(node: Mapping[str, Any], number: int) -> dict[str, str]:
    """New names for a disk: serial, world-wide name, kernel name and SCSI address."""
    wwn = str(node["wwn"])[2:]
    host, channel, _target, lun = str(node["hctl"]).split(":")
    return {
        str(node["serial"]): f"HDD{number}",
        wwn: f"{wwn[:8]}{number:08x}",
        str(node["kname"]): f"sd{_letters(number)}",
        str(node["hctl"]): f"{host}:{channel}:{number}:{lun}",
    }


def _letters(number: int) -> str:
    text = ""
    while number >= 0:
        text = chr(ord("a") + number % 26) + text
        number = number // 26 - 1
    return text


def _repeat_disks(out: Answers, nodes: Sequence[Mapping[str, Any]], copied: Copy) -> None:
    tree = _lsblk(out)
    tree["blockdevices"] += [json.loads(copied(json.dumps(node))) for node in nodes]
    _keep(out, "run:lsblk", tree)
    names = tuple(str(node["kname"]) for node in nodes)
    for key in ("links:/dev/disk/by-id", "links:/dev/disk/by-path", "partitions:"):
        rows = {name: value for name, value in out[key].items() if _of(value if "links" in key else name, names)}
        out[key].update(json.loads(copied(json.dumps(rows))))
    if pins := json.loads(out["file:/var/lib/barestore/state.json"] or "null"):
        for group in pins["disks"].values():
            pinned = [pin for pin in group if copied.names_one(pin["serial"])]
            group += json.loads(copied(json.dumps(pinned)))
        out["file:/var/lib/barestore/state.json"] = json.dumps(pins, indent=2, sort_keys=True) + "\n"
    for key in [key for key in out if key.startswith(("signatures:", "stat:")) and copied.names_one(key)]:
        out[copied(key)] = json.loads(copied(json.dumps(out[key])))


def _of(kname: str, disks: Sequence[str]) -> bool:
    return any(re.fullmatch(rf"{disk}\d*", kname) for disk in disks)


def _mirror(text: str, copied: Copy, number: int) -> str:
    """A further mirror after the last: the heading and the two rows of the first."""
    found = re.search(r"^\t  mirror-0.*\n(?:\t    .*\n)+", text, re.MULTILINE)
    if found is None:  # a host without pools
        return text
    block = copied(found[0]).replace("mirror-0", f"mirror-{number + 1}")
    return text[: found.start()] + found[0] + block + text[found.end() :]


def _volume(out: Answers, number: int) -> Copy:
    nodes = [node for _siblings, node in _nodes(_lsblk(out)["blockdevices"], []) if node["name"] == "fast-containerd"]
    kname = {nodes[0]["kname"]: f"dm-{1000 + number}"} if nodes else {}
    return Copy({"containerd": f"containerd{number:03}", **kname})


def _repeat_volumes(out: Answers, copies: Sequence[Copy]) -> None:
    tree = _lsblk(out)
    for siblings, node in list(_nodes(tree["blockdevices"], [])):
        if node["name"] == "fast-containerd":
            siblings += [json.loads(copied(json.dumps(node))) for copied in copies]
    _keep(out, "run:lsblk", tree)
    links = out["links:/dev/disk/by-id"]
    if "dm-name-fast-containerd" in links:
        links.update({copied("dm-name-fast-containerd"): copied(links["dm-name-fast-containerd"]) for copied in copies})
    key = next(key for key in out if key.startswith("run:lvm fullreport"))
    report = json.loads(out[key]["stdout"])
    for section in report["report"]:
        if any("containerd" in row["lv_name"] for row in section.get("lv", ())):
            _extents(section, copies)
    out[key] = {**out[key], "stdout": json.dumps(report)}


def _extents(section: dict[str, Any], copies: Sequence[Copy]) -> None:
    """Rows of the group's report, and extents taken from the largest free segment."""
    for table in ("lv", "seg"):
        rows = [row for row in section[table] if "containerd" in row["lv_name"]]
        section[table] += [json.loads(copied(json.dumps(row))) for copied in copies for row in rows]
    segment = next(row for row in section["pvseg"] if row["lv_name"] == "containerd")
    free = max((row for row in section["pvseg"] if not row["lv_name"]), key=lambda row: int(row["pvseg_size"]))
    size, start = int(segment["pvseg_size"]), int(free["pvseg_start"])
    for number, copied in enumerate(copies):
        place = {"pv_name": free["pv_name"], "pvseg_start": str(start + number * size)}
        section["pvseg"].append({**json.loads(copied(json.dumps(segment))), **place})
    taken = size * len(copies)
    free.update(pvseg_start=str(start + taken), pvseg_size=str(int(free["pvseg_size"]) - taken))
    group = section["vg"][0]
    group["vg_free_count"] = str(int(group["vg_free_count"]) - taken)
    for row in section["pv"]:
        if row["pv_name"] == free["pv_name"]:
            row["pv_pe_alloc_count"] = str(int(row["pv_pe_alloc_count"]) + taken)


def _lines(text: str, name: str, copies: Sequence[Copy]) -> str:
    rows = [line for line in text.splitlines(keepends=True) if name in line]
    return text + "".join(copied(row) for copied in copies for row in rows)


def _repeat_keys(out: Answers, name: str, copies: Sequence[Copy]) -> None:
    for key in [key for key in out if name in key and key.startswith(("block:", "statfs:", "stat:"))]:
        out.update({copied(key): copy.deepcopy(out[key]) for copied in copies})


def _edit(out: Answers, start: str, change: Callable[[str], str]) -> None:
    key = next(key for key in out if key.startswith(start))
    if isinstance(out[key], str):
        out[key] = change(out[key])
    else:
        out[key] = {**out[key], "stdout": change(out[key]["stdout"])}


def _lsblk(out: Answers) -> dict[str, Any]:
    key = next(key for key in out if key.startswith("run:lsblk"))
    return dict(json.loads(out[key]["stdout"]))


def _keep(out: Answers, start: str, value: Any) -> None:
    _edit(out, start, lambda _old: json.dumps(value))


def _nodes(siblings: list[dict[str, Any]], found: list[Any]) -> list[tuple[list[dict[str, Any]], dict[str, Any]]]:
    for node in siblings:
        found.append((siblings, node))
        _nodes(node.get("children") or [], found)
    return found
