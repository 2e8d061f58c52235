# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply against a script that types the same commands: fresh virtual hosts in turns, for a small layout and a large."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from guest import HERE, Run, Unmeasured, guest, lab_document, lab_machine, median, say
from table import Row, verdict

TIMES = 1.3
_PAIRS = 3
_DISKS = 24


@dataclass(frozen=True)
class Layout:
    """A host, what is wanted of it, and the script that does the same; ``first``: serials it starts with."""

    name: str
    machine: dict[str, Any]
    document: dict[str, Any]
    script: str
    first: str = ""


def layouts() -> tuple[Layout, ...]:
    disks = [{"serial": f"HDD{number:04}", "type": "hdd", "size": "8 GiB"} for number in range(_DISKS)]
    many = {
        "disks": {"all": {"match": {"rotational": True}, "count": _DISKS}},
        "partitions": {"all": [{"name": "data", "size": "rest", "use": "filesystem"}]},
        "filesystems": {"data": {"device": "all.data", "type": "xfs", "mount": "/srv/disks/{serial}"}},
    }
    return (
        Layout("the README's 8 disks", lab_machine(), lab_document(), "by_hand.sh", first="NVME"),
        Layout(f"{_DISKS} disks with a file system each", {"disks": disks}, many, "by_hand_disks.sh"),
    )


def rows(notes: list[str]) -> Iterator[Row]:
    """The actions alone, the module and the whole of ansible-playbook, each against the script, for both layouts."""
    for layout in layouts():
        pairs = []
        for number in range(_PAIRS):
            hand, (actions, run) = by_hand(layout), applied(layout)
            pairs.append((hand, actions, run.module.seconds, run.seconds))
            say(f"apply, {layout.name}, {number + 1}/{_PAIRS}: by hand {hand:.1f} s, actions {actions:.1f} s, "
                f"module {run.module.seconds:.1f} s, ansible-playbook {run.seconds:.1f} s")  # fmt: skip
        hand = median([pair[0] for pair in pairs])
        for column, name in enumerate(("actions, from the plan to the end", "module", "ansible-playbook"), 1):
            seconds = median([pair[column] for pair in pairs])
            ratio = median([pair[column] / pair[0] for pair in pairs])
            yield Row(
                "apply",
                f"apply against a script by hand, {layout.name}: {name}",
                f"<= {TIMES} times",
                f"{seconds:.1f} s, by hand {hand:.1f} s",
                verdict(ratio <= TIMES, f"{ratio:.2f} times"),
            )
        shown = ", ".join("/".join(f"{seconds:.1f}" for seconds in pair) for pair in pairs)
        notes.append(f"apply: {layout.name}; seconds by hand/actions/module/ansible-playbook in turns: {shown}")


def by_hand(layout: Layout) -> float:
    """Seconds of the script on a fresh host, in one SSH call."""
    with guest(layout.machine) as host:
        links = host.links
        order = sorted(links, key=lambda serial: (not serial.startswith(layout.first), serial))
        return host.script((HERE / layout.script).read_text(), *(links[serial] for serial in order))[0]


def applied(layout: Layout) -> tuple[float, Run]:
    """barestore on a fresh host, and the seconds of it that the actions took with their checks, by the journal."""
    with guest(layout.machine) as host:
        run = host.playbook(HERE / "host_storage.yml", {"host_storage": layout.document}).must_be_good()
        if not run.module.answer["changed"]:
            raise Unmeasured("the first run on a fresh host changed nothing")
        journal = host.vm.ssh(f"cat {run.module.answer['journal']}").stdout
    times = {record["event"]: record["time"] for record in map(json.loads, journal.splitlines())}
    return times["end"] - times["plan"], run
