# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply of the README's layout against by_hand.sh, which types the same commands: fresh virtual hosts in turns."""

from __future__ import annotations

from collections.abc import Iterator

from guest import HERE, Run, Unmeasured, guest, lab_document, lab_machine, median, say
from table import Row, verdict

TIMES = 1.3
_PAIRS = 3


def rows(notes: list[str]) -> Iterator[Row]:
    """The module alone and the whole of ansible-playbook, each against the script."""
    pairs = []
    for number in range(_PAIRS):
        hand, run = by_hand(), applied()
        pairs.append((hand, run.module.seconds, run.seconds))
        say(f"apply {number + 1}/{_PAIRS}: by hand {pairs[-1][0]:.1f} s, module {pairs[-1][1]:.1f} s, "
            f"ansible-playbook {pairs[-1][2]:.1f} s")  # fmt: skip
    hand = median([pair[0] for pair in pairs])
    for column, name in ((1, "module"), (2, "ansible-playbook, start to end")):
        seconds = median([pair[column] for pair in pairs])
        ratio = median([pair[column] / pair[0] for pair in pairs])
        yield Row(
            "apply",
            f"apply against a script by hand: {name}",
            f"<= {TIMES} times",
            f"{seconds:.1f} s, by hand {hand:.1f} s",
            verdict(ratio <= TIMES, f"{ratio:.2f} times"),
        )
    shown = ", ".join(f"{one:.1f}/{two:.1f}/{three:.1f}" for one, two, three in pairs)
    notes.append(f"apply: the README's layout; seconds by hand/module/ansible-playbook in turns: {shown}")


def by_hand() -> float:
    """Seconds of the script on a fresh host, in one SSH call."""
    with guest(lab_machine()) as host:
        links = {disk.serial: f"/dev/disk/by-id/{disk.link}" for disk in host.vm.machine.disks}
        order = sorted(links, key=lambda serial: (not serial.startswith("NVME"), serial))
        return host.script((HERE / "by_hand.sh").read_text(), *(links[serial] for serial in order))[0]


def applied() -> Run:
    """barestore on a fresh host."""
    with guest(lab_machine()) as host:
        run = host.playbook(HERE / "host_storage.yml", {"host_storage": lab_document()}).must_be_good()
    if not run.module.answer["changed"]:
        raise Unmeasured("the first run on a fresh host changed nothing")
    return run
