# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing to do: what a second run costs on a host with 1 disk and on one with 60, with the same layout, scaled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from guest import HERE, Run, Unmeasured, guest, median, say
from table import Row, verdict

PROCESSES = 10
_RUNS = 3


def rows(notes: list[str]) -> Iterator[Row]:
    """Launches, processes and seconds of the second run, for both sizes."""
    seconds: dict[int, float] = {}
    for disks in (1, 60):
        counted, timed = second_run(disks)
        launch = counted.module
        name = f"nothing to do, {disks} disk{'s' if disks > 1 else ''}"
        launches = len(counted.launches)
        yield Row("noop", f"{name}: module launches", "1", str(launches), verdict(launches == 1))
        yield Row(
            "noop",
            f"{name}: processes on the host",
            f"<= {PROCESSES}",
            f"{launch.programs} by strace, {launch.answer['processes']} by its own count",
            verdict(launch.programs <= PROCESSES),
        )
        seconds[disks] = median([run.module.seconds for run in timed])
        whole = median([run.seconds for run in timed])
        yield Row("noop", f"{name}: seconds", "", f"{seconds[disks]:.1f} module, {whole:.1f} ansible-playbook")
    ratio = seconds[60] / seconds[1]
    yield Row("noop", "nothing to do: module, 60 disks against 1", "", f"{ratio:.1f} times")
    notes.append("nothing to do: partitions, LVM and ZFS on each disk; 1 disk: 2 volumes, 2 datasets; 60: 20 and 20")


def second_run(disks: int) -> tuple[Run, list[Run]]:
    """Apply, then run again: once under strace, and some times with nothing but a clock."""
    machine = {"disks": [{"serial": f"HDD{n:04}", "type": "hdd", "size": "8 GiB"} for n in range(disks)]}
    variables = {"host_storage": document(disks)}
    playbook = HERE / "host_storage.yml"
    with guest(machine) as host:
        say(f"{disks} disks: first run")
        first = host.playbook(playbook, variables).must_be_good()
        say(f"{disks} disks: applied in {first.module.seconds:.0f} s, {len(first.module.answer['executed'])} steps")
        timed = [host.playbook(playbook, variables).must_be_good() for _ in range(_RUNS)]
        counted = host.playbook(playbook, variables, counted=True).must_be_good()
        for run in (*timed, counted):
            if run.module.answer["changed"]:
                raise Unmeasured(f"the second run with {disks} disks changes something: {run.module.answer['plan']}")
    return counted, timed


def document(disks: int) -> dict[str, Any]:
    """The layout for so many disks: each carries a physical volume and a member of the pool."""
    volumes = 2 if disks == 1 else 20
    return {
        "disks": {"all": {"match": {"rotational": True}, "count": disks}},
        "partitions": {
            "all": [{"name": "lvm", "size": "4 GiB", "use": "lvm"}, {"name": "zfs", "size": "rest", "use": "zfs"}]
        },
        "lvm": {
            "data": {
                "physical_volumes": ["all.lvm"],
                "volumes": {
                    f"v{n:02}": {"size": "400 MiB", "filesystem": "xfs", "mount": f"/srv/v{n:02}"}
                    for n in range(volumes)
                },
            }
        },
        "zfs": {
            "tank": {
                "data": {"stripe": ["all.zfs"]},
                "filesystem_properties": {"mount": "none"},
                "datasets": {f"d{n:02}": {"recordsize": "16 KiB", "mount": "none"} for n in range(volumes)},
            }
        },
    }
