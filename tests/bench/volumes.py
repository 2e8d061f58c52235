# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes with file systems on LVM by all that people use: a first run, a second, and one with one size changed.

A virtual host with two disks for each, so that none meets what another one left. ZFS is left out, since
linux-system-roles.storage has no word for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import system_role
from community import bundle
from guest import HERE, Guest, Run, Unmeasured, guest, say
from table import Row

_NAMES = tuple(f"data{number}" for number in range(1, 7))
_OURS = "barestore"
_GROUP = "fast"
_SERIALS = ["HDD1", "HDD2"]
_SIZE, _LARGER = 320, 512  # MiB; an XFS has at least 300
_RUNS = {"first run": _SIZE, "second run": _SIZE, "one size changed": _LARGER}
# An XFS tells its size without its log, which is 64 MiB at most here.
_LOOK = """
for lv in {names}; do
    size=$(lvs --noheadings --nosuffix --units m -o lv_size {group}/$lv); size=$((${{size%.*}}))
    echo $lv $size $(findmnt -no FSTYPE /srv/{group}/$lv) \\
        $([ $(($(stat -f -c '%b*%S' /srv/{group}/$lv) >> 20)) -ge $((size - 65)) ] && echo whole)
done
"""
_SCRIPT = "volumes_by_hand.sh"


@dataclass(frozen=True)
class _Took:
    """What a run took: seconds with all, forks of the whole host, and modules launched, where there are any."""

    seconds: float
    forks: int
    launches: int = 0


# Makes the volumes on a host, the first of them of so many MiB.
_Make = Callable[[Guest, int], _Took]


def rows(notes: list[str]) -> Iterator[Row]:
    """A row for each run and kind of number, with all systems side by side."""
    role = system_role.folder()
    if not role:
        notes.append(f"volumes: {system_role.LEFT_OUT}")
    took = {name: _measured(name, make, role, notes) for name, make in _systems(bundle(), role).items()}
    for what in _RUNS:
        each = [runs[what] for runs in took.values()]
        whole = f"{len(_NAMES)} volumes with XFS, {what}"
        yield Row("volumes", f"{whole}, seconds: {' / '.join(took)}", "", _told(each, lambda one: f"{one.seconds:.1f}"))
        yield Row("volumes", f"{whole}, module launches", "", _told(each, lambda one: str(one.launches or "none")))
        yield Row("volumes", f"{whole}, forks of the whole host", "", _told(each, lambda one: str(one.forks)))


def _measured(name: str, make: _Make, role: Path | None, notes: list[str]) -> dict[str, _Took | None]:
    """What each run of a system took; nothing where it failed, which is what somebody who uses it sees.

    :raises Unmeasured: a run of barestore failed.
    """
    took: dict[str, _Took | None] = {}
    with guest({"disks": [{"serial": serial, "type": "hdd", "size": "2 GiB"} for serial in _SERIALS]}) as host:
        if role and name == system_role.NAME:
            system_role.install(host)
            notes.append(f"volumes: {'; '.join(system_role.versions(host, role))}")
        for what, size in _RUNS.items():
            try:
                ran = make(host, size)
                say(f"volumes, {what}, {name}: {ran.seconds:.1f} s")
                _check(host, name, size)
            except Unmeasured as error:
                if name == _OURS:
                    raise
                notes.append(f"volumes, {what}, {name} failed: {error}")
                say(notes[-1])
                took[what] = None
            else:
                took[what] = ran
    return took


def _told(each: Sequence[_Took | None], number: Callable[[_Took], str]) -> str:
    return " / ".join(number(one) if one else "failed" for one in each)


def _systems(tools: Path, role: Path | None) -> dict[str, _Make]:
    def tasks(playbook: str, host: Guest, variables: dict[str, object]) -> _Took:
        return _took(host.playbook(HERE / playbook, variables, tools=tools, collections="").must_be_good())

    def modules(host: Guest, size: int) -> _Took:
        return tasks(
            "community/volumes.yml", host, {"group": _GROUP, "disks": _links(host), "volumes": _volumes(size, "m")}
        )

    def by_role(host: Guest, size: int) -> _Took:
        mounts = ({**volume, "mount_point": f"/srv/{_GROUP}/{volume['name']}"} for volume in _volumes(size, "m"))
        volumes = [{**volume, "fs_type": "xfs", "mount_options": "defaults,nofail"} for volume in mounts]
        pool = {"name": _GROUP, "disks": _links(host), "volumes": volumes}
        return tasks("system_role.yml", host, {"storage_pools": [pool]})

    others = {"community.general": modules, **({system_role.NAME: by_role} if role else {})}
    return {_OURS: _barestore, **others, "shell script": _by_hand}


def _links(host: Guest) -> list[str]:
    return [host.links[serial] for serial in _SERIALS]


def _volumes(size: int, unit: str) -> list[dict[str, str]]:
    return [{"name": name, "size": f"{size if name == _NAMES[0] else _SIZE}{unit}"} for name in _NAMES]


def _barestore(host: Guest, size: int) -> _Took:
    volumes = {
        volume["name"]: {"size": volume["size"], "filesystem": "xfs", "mount": f"/srv/{_GROUP}/{volume['name']}"}
        for volume in _volumes(size, " MiB")
    }
    document = {
        "disks": {"hdd": {"match": {"serial": _SERIALS}, "count": len(_SERIALS)}},
        "lvm": {_GROUP: {"physical_volumes": ["hdd"], "volumes": volumes}},
    }
    return _took(host.playbook(HERE / "host_storage.yml", {"host_storage": document}).must_be_good())


def _by_hand(host: Guest, size: int) -> _Took:
    sizes = [volume["size"] for volume in _volumes(size, "m")]
    return _Took(*host.script((HERE / _SCRIPT).read_text(), _GROUP, *_links(host), *sizes))


def _took(run: Run) -> _Took:
    return _Took(run.seconds, run.forks, len(run.launches))


def _check(host: Guest, name: str, size: int) -> None:
    """That a run did what it was measured for.

    :raises Unmeasured: a volume or its file system has another size, or it is not mounted.
    """
    seen = host.vm.ssh(_LOOK.format(names=" ".join(_NAMES), group=_GROUP)).stdout.splitlines()
    wanted = [f"{volume['name']} {volume['size']} xfs whole" for volume in _volumes(size, "")]
    if seen != wanted:
        raise Unmeasured(f"{name} was to make {', '.join(wanted)}; the host has {', '.join(seen)}")
