# SPDX-License-Identifier: GPL-3.0-or-later
"""The pools of the matrix: the recorded host and its texts, varied by layout and by what became of one disk.

The rows and words are those of ``zpool status -P`` of OpenZFS 2.3: of the recordings beside this file where they have
the case, else of cmd/zpool/zpool_main.c.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import yaml

from ansible_collections.barestore.storage.plugins.module_utils.host import planner
from ansible_collections.barestore.storage.plugins.module_utils.host.observation import Observation, Run, Signatures
from ansible_collections.barestore.storage.plugins.module_utils.host.state import Site
from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Plan
from tests.unit.plugins.module_utils.host.zfs.recorded import RECORDINGS, recorded

SERIALS = [f"H{number:02}" for number in range(1, 13)]
KINDS = {
    "mirror": "mirror: [pool], width: 2",
    "raidz1": "raidz1: [pool], width: 4",
    "raidz2": "raidz2: [pool], width: 4",
    "raidz3": "raidz3: [pool], width: 4",
    "draid1": "draid1: [pool], width: 4, data: 2, spares: 1",
}
DRAID = "draid1:2d:4c:1s-0"
GUID = "16181796860351716375"
TOO_MANY = "  too many errors"
_DEGRADED = (
    "Sufficient replicas exist for the pool to continue functioning in a\n\tdegraded state.\naction: See zpool(8).\n"
)
_WORDS = {
    "FAULTED": f"status: One or more devices are faulted in response to persistent errors.\n\t{_DEGRADED}",
    "REMOVED": f"status: One or more devices has been removed by the administrator.\n\t{_DEGRADED}",
    "OFFLINE": f"status: One or more devices has been taken offline by the administrator.\n\t{_DEGRADED}",
    "UNAVAIL": "status: One or more devices could not be used because the label is missing or\n\tinvalid.  "
    f"{_DEGRADED}",
}
_DONE = "  scan: resilvered 153M in 00:00:06 with 0 errors on Sat Nov 21 10:56:17 2026\n"
_GOING = (
    "  scan: resilver in progress since Sat Nov 21 10:56:11 2026\n"
    "\t303M / 303M scanned, 37.3M / 303M issued at 12.4M/s\n"
    "\t37.1M resilvered, 12.30% done, 00:00:21 to go\n"
)


@dataclass(frozen=True)
class Case:
    """What became of H02: its ``row`` (or rows), and whether its disk is there, wiped or gone."""

    name: str
    row: tuple[str, ...] = ("{H02} ONLINE",)
    disk: str = "there"
    head: str = ""
    spare: str = "AVAIL"
    pinned: str = "H02"

    @property
    def state(self) -> str:
        return "ONLINE" if all(" ONLINE" in row for row in self.row) else "DEGRADED"


def _spare(first: str) -> tuple[str, ...]:
    state = "ONLINE" if first.endswith("ONLINE") else "DEGRADED"
    return (f"spare-1 {state}", f"  {first}", "  {H09} ONLINE")


def _replacing(first: str) -> tuple[str, ...]:
    return ("replacing-1 DEGRADED", f"  {first}", "  {H12} ONLINE  (resilvering)")


LOST = f"{GUID} UNAVAIL  was {{H02}}"
FAULTED = f"{{H02}} FAULTED{TOO_MANY}"
CASES = (
    Case("online"),
    Case("faulted", (FAULTED,), head=_WORDS["FAULTED"]),
    Case("degraded by checksum errors", (f"{{H02}} DEGRADED{TOO_MANY}",), head=_WORDS["FAULTED"]),
    Case("resilvering since it came back", ("{H02} ONLINE  (resilvering)",), head=_GOING),
    Case("offline", ("{H02} OFFLINE",), head=_WORDS["OFFLINE"]),
    Case("removed, and its disk is back", ("{H02} REMOVED",), head=_WORDS["REMOVED"]),
    Case("removed, and its disk is gone", ("{H02} REMOVED",), "gone", _WORDS["REMOVED"]),
    Case("cannot be opened, and its disk is gone", ("{H02} UNAVAIL  cannot open",), "gone", _WORDS["UNAVAIL"]),
    Case("unavailable, and its disk is back", (LOST,), head=_WORDS["UNAVAIL"]),
    Case("unavailable, and its disk was wiped", (LOST,), "wiped", _WORDS["UNAVAIL"]),
    Case("unavailable, and its disk is gone", (LOST,), "gone", _WORDS["UNAVAIL"]),
    Case("known by its number alone", (f"{GUID} UNAVAIL  was /dev/sdq1",), "gone", _WORDS["UNAVAIL"]),
    Case("a spare works for it", _spare(FAULTED), head=_WORDS["FAULTED"] + _DONE, spare="INUSE"),
    Case("a spare is filled for it", _spare(FAULTED), head=_WORDS["FAULTED"] + _GOING, spare="INUSE"),
    Case("a spare works beside it", _spare("{H02} ONLINE"), head=_DONE, spare="INUSE"),
    Case("being replaced", _replacing("{H02} OFFLINE"), head=_WORDS["OFFLINE"] + _GOING, pinned="H12"),
    Case("being replaced and gone", _replacing(LOST), "gone", _WORDS["UNAVAIL"] + _GOING, pinned="H12"),
    Case("replaced", ("{H12} ONLINE",), head=_DONE, pinned="H12"),
)

# Its own distributed spare, which only a dRAID has.
DISTRIBUTED = Case(
    "its distributed spare works for it",
    ("spare-1 DEGRADED", f"  {FAULTED}", "  draid1-0-0 ONLINE"),
    head=_WORDS["FAULTED"] + _DONE,
)

# What a person asks for; the first is the pool as it is.
ASKED = ("as it is", "replace H02 by H12", "a vdev more", "wider by one", "no log")


def document(kind: str, asked: str, case: Case) -> dict[str, Any]:
    """The recorded document with another layout, and what is asked of it."""
    text = (RECORDINGS / "made.yml").read_text()
    more = {"a vdev more": 2 if kind == "mirror" else 4, "wider by one": 2 if kind == "mirror" else 1}.get(asked, 0)
    names = SERIALS[: 4 + more]
    words = KINDS[kind]
    if asked == "wider by one":
        words = words.replace("width: 2", "width: 3").replace("width: 4", "width: 5")
    replace = ", replace: {H02: H12}" if asked == "replace H02 by H12" or case.pinned == "H12" else ""
    changes = {
        "{serial: [H01, H02, H03, H04]}, count: 4": f"{{serial: [{', '.join(names)}]}}, count: {len(names)}{replace}",
        "data: {mirror: [pool], width: 2}": f"data: {{{words}}}",
        "    log: {mirror: [fast.slog]}\n": "" if asked == "no log" else "    log: {mirror: [fast.slog]}\n",
    }
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def links() -> dict[str, str]:
    """The first link of each disk by its serial number."""
    disks = _blockdevices(_answers())
    return {disk["serial"]: f"wwn-{disk['wwn']}" for disk in disks if disk["serial"] in SERIALS}


def status(kind: str, case: Case) -> str:
    """``zpool status -P`` of the pool."""
    lines = {name: f"/dev/disk/by-id/{link}-part1" for name, link in links().items()}
    tree: list[str] = []
    rows = ["{H01} ONLINE", *case.row, "{H03} ONLINE", "{H04} ONLINE"]
    if kind == "mirror":
        cut = 1 + len(case.row)
        tree += [f"mirror-0 {case.state}", *(f"  {row}" for row in rows[:cut]), "mirror-1 ONLINE"]
        tree += [f"  {row}" for row in rows[cut:]]
    else:
        tree += [f"{DRAID if kind == 'draid1' else f'{kind}-0'} {case.state}", *(f"  {row}" for row in rows)]
    head, _config, rest = recorded("status_online").partition("\n\tNAME")
    old = rest[rest.index("\n\ttank") : rest.index("\n\tlogs")]
    new = "".join(f"\n\t  {_row(row.format(**lines))}" for row in tree)
    top = "\n\t" + _row(f"tank {case.state}")
    text = f"{head}\n\tNAME{rest.replace(old, top + new)}"
    text = text.replace(" state: ONLINE\n", f" state: {case.state}\n{case.head}")
    spare = f"{lines['H09']}    AVAIL   "
    assert spare in text
    inside = "\n\t  draid1-0-0  AVAIL   " if kind == "draid1" else ""
    if case is DISTRIBUTED:
        inside = inside.replace("AVAIL   ", "INUSE     currently in use")
    note = "INUSE     currently in use" if case.spare == "INUSE" else "AVAIL   "
    return text.replace(f"  {spare}", f"  {lines['H09']}    {note}{inside}")


def _row(text: str) -> str:
    """Counters stand between the state and what ZFS remarks."""
    indent = text[: len(text) - len(text.lstrip())]
    name, state, *note = text.split(maxsplit=2)
    return f"{indent}{name}  {state}       0     0     0{'  ' if note else ''}{''.join(note)}"


def planned(kind: str, asked: str, case: Case) -> Plan:
    """The plan for the pool in this case."""
    wanted = document(kind, asked, case)
    probes = {" ".join(probe.key.split()[:2]): probe.key for probe in planner.probes(wanted)}
    answers = {probes.get(" ".join(key.split()[:2]), key): answer for key, answer in _answers().items()}
    _change_host(answers, case)
    answers["run:zpool status -P"] = {"rc": 0, "stdout": status(kind, case), "stderr": ""}
    for _round in range(6):
        seen = Observation(answers)
        found = planner.plan(wanted, seen, Site("lab", "zfs1"))
        if not seen.missing:
            return found
        # zpool opens what it would add for itself alone, as the detectors do: side by side each finds it in use.
        assert len({type(probe) for probe in seen.missing.values()}) == 1, seen.missing
        for key, probe in seen.missing.items():
            assert isinstance(probe, Signatures) or (
                isinstance(probe, Run) and probe.argv[:3] == ("zpool", "add", "-n")
            )
            blank = {"found": [], "error": ""}
            answers[key] = blank if isinstance(probe, Signatures) else {"rc": 0, "stdout": "as told\n", "stderr": ""}
    raise AssertionError(f"the questions do not end: {seen.missing}")


def _answers() -> dict[str, Any]:
    answers: dict[str, Any] = json.loads((RECORDINGS / "made.json").read_text())["answers"]
    return answers


def _blockdevices(answers: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(answers[_lsblk(answers)]["stdout"])["blockdevices"]
    return found


def _lsblk(answers: dict[str, Any]) -> str:
    return next(key for key in answers if key.startswith("run:lsblk"))


def _change_host(answers: dict[str, Any], case: Case) -> None:
    devices = _blockdevices(answers)
    second = next(one for one in devices if one["serial"] == "H02")
    if case.disk == "wiped":
        second.update(children=[], pttype=None)
    if case.disk == "gone":
        devices.remove(second)
        for folder in ("links:/dev/disk/by-id", "links:/dev/disk/by-path"):
            answers[folder] = {
                name: kname for name, kname in answers[folder].items() if kname not in ("sdb", "sdb1", "sdb9")
            }
    answers[_lsblk(answers)]["stdout"] = json.dumps({"blockdevices": devices})
    if case.pinned == "H12":
        state = json.loads(answers["file:/var/lib/barestore/state.json"])
        old = next(pin for pin in state["disks"]["pool"] if pin["serial"] == "H02")
        wwn = next(one["wwn"] for one in devices if one["serial"] == "H12")
        new = {"id": f"wwn-{wwn}", "serial": "H12", "wwn": wwn, "replaces": [dict(old)]}
        state["disks"]["pool"][state["disks"]["pool"].index(old)] = new
        answers["file:/var/lib/barestore/state.json"] = json.dumps(state)
