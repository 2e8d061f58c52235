# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes with file systems on LVM by all that people use: a first run, a second, and one with one size changed.

One virtual host for all, and two disks of it for each, so that they differ by nothing but what they are. ZFS is left
out, since linux-system-roles.storage has no word for it.
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
_DISKS = 2
_SIZE, _LARGER = 320, 512  # MiB; an XFS has at least 300
_RUNS = {"first run": _SIZE, "second run": _SIZE, "one size changed": _LARGER}
# An XFS tells its size without its log, which is 64 MiB at most here.
_LOOK = """
for lv in {names}; do
    size=$(lvs --noheadings --nosuffix --units m -o lv_size {tag}/$lv); size=$((${{size%.*}}))
    echo $lv $size $(findmnt -no FSTYPE /srv/{tag}/$lv) \\
        $([ $(($(stat -f -c '%b*%S' /srv/{tag}/$lv) >> 20)) -ge $((size - 65)) ] && echo whole)
done
"""
_SCRIPT = "volumes_by_hand.sh"


@dataclass(frozen=True)
class _Took:
    """What a run took: seconds with all, forks of the whole host, and modules launched, where there are any."""

    seconds: float
    forks: int
    launches: int = 0


@dataclass(frozen=True)
class _System:
    """One of those that are measured; ``run`` makes the volumes, the first of them of so many MiB."""

    tag: str
    name: str
    run: Callable[[Guest, _System, int], _Took]

    @property
    def serials(self) -> list[str]:
        return [f"{self.tag.upper()}{number}" for number in range(1, _DISKS + 1)]

    def links(self, host: Guest) -> list[str]:
        return [host.links[serial] for serial in self.serials]


def rows(notes: list[str]) -> Iterator[Row]:
    """A row for each run and kind of number, with all systems side by side."""
    tools, role = bundle(), system_role.folder()
    systems = [*_systems(tools, role is not None)]
    disks = [{"serial": serial, "type": "hdd", "size": "2 GiB"} for one in systems for serial in one.serials]
    took: dict[tuple[str, str], _Took | None] = {}
    with guest({"disks": disks}) as host:
        if role:
            system_role.install(host)
            notes.append(f"volumes: {'; '.join(system_role.versions(host, role))}")
        else:
            notes.append(f"volumes: {system_role.LEFT_OUT}")
        for what, size in _RUNS.items():
            for one in systems:
                try:
                    ran = one.run(host, one, size)
                    say(f"volumes, {what}, {one.name}: {ran.seconds:.1f} s")
                    _check(host, one, size)
                except Unmeasured as error:
                    if one.name == _OURS:
                        raise
                    # That it fails is what somebody who uses it sees.
                    notes.append(f"volumes, {what}, {one.name} failed: {error}")
                    say(notes[-1])
                    took[what, one.tag] = None
                else:
                    took[what, one.tag] = ran
    names = " / ".join(one.name for one in systems)
    for what in _RUNS:
        each = [took[what, one.tag] for one in systems]
        whole = f"{len(_NAMES)} volumes with XFS, {what}"
        yield Row("volumes", f"{whole}, seconds: {names}", "", _told(each, lambda one: f"{one.seconds:.1f}"))
        yield Row("volumes", f"{whole}, module launches", "", _told(each, lambda one: str(one.launches or "none")))
        yield Row("volumes", f"{whole}, forks of the whole host", "", _told(each, lambda one: str(one.forks)))


def _told(each: Sequence[_Took | None], number: Callable[[_Took], str]) -> str:
    return " / ".join(number(one) if one else "failed" for one in each)


def _systems(tools: Path, with_role: bool) -> Iterator[_System]:
    def tasks(playbook: str, host: Guest, variables: dict[str, object]) -> _Took:
        return _took(host.playbook(HERE / playbook, variables, tools=tools, collections="").must_be_good())

    yield _System("volb", _OURS, _barestore)
    yield _System(
        "volc",
        "community.general",
        lambda host, one, size: tasks(
            "community/volumes.yml", host, {"tag": one.tag, "disks": one.links(host), "volumes": _volumes(size, "m")}
        ),
    )
    if with_role:
        yield _System(
            "voll",
            system_role.NAME,
            lambda host, one, size: tasks("system_role.yml", host, {"storage_pools": [_pool(one, host, size)]}),
        )
    yield _System("vols", "shell script", _by_hand)


def _volumes(size: int, unit: str) -> list[dict[str, str]]:
    return [{"name": name, "size": f"{size if name == _NAMES[0] else _SIZE}{unit}"} for name in _NAMES]


def _pool(one: _System, host: Guest, size: int) -> dict[str, object]:
    mounts = ({**volume, "mount_point": f"/srv/{one.tag}/{volume['name']}"} for volume in _volumes(size, "m"))
    volumes = [{**volume, "fs_type": "xfs", "mount_options": "defaults,nofail"} for volume in mounts]
    return {"name": one.tag, "disks": one.links(host), "volumes": volumes}


def _barestore(host: Guest, one: _System, size: int) -> _Took:
    volumes = {
        volume["name"]: {"size": volume["size"], "filesystem": "xfs", "mount": f"/srv/{one.tag}/{volume['name']}"}
        for volume in _volumes(size, " MiB")
    }
    document = {
        "disks": {one.tag: {"match": {"serial": one.serials}, "count": _DISKS}},
        "lvm": {one.tag: {"physical_volumes": [one.tag], "volumes": volumes}},
    }
    return _took(host.playbook(HERE / "host_storage.yml", {"host_storage": document}).must_be_good())


def _by_hand(host: Guest, one: _System, size: int) -> _Took:
    sizes = [volume["size"] for volume in _volumes(size, "m")]
    return _Took(*host.script((HERE / _SCRIPT).read_text(), one.tag, *one.links(host), *sizes))


def _took(run: Run) -> _Took:
    return _Took(run.seconds, run.forks, len(run.launches))


def _check(host: Guest, one: _System, size: int) -> None:
    """That a run did what it was measured for.

    :raises Unmeasured: a volume or its file system has another size, or it is not mounted.
    """
    seen = host.vm.ssh(_LOOK.format(names=" ".join(_NAMES), tag=one.tag)).stdout.splitlines()
    wanted = [f"{volume['name']} {volume['size']} xfs whole" for volume in _volumes(size, "")]
    if seen != wanted:
        raise Unmeasured(f"{one.name} was to make {', '.join(wanted)}; the host has {', '.join(seen)}")
