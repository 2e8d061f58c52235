# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes tests/corpus/recordings/ anew: the real tools on the disks of a virtual host, read from outside.

usage: python -m tests.corpus.record [NAME...]      (minutes; needs what `make lab` needs)
"""

from __future__ import annotations

import sys
from typing import Any

from barestore.lab.throwaway import throwaway
from tests.corpus import recordings

_MIB = 1024**2
SIZE = 128 * _MIB
# A pool keeps much more than its labels: only these and the partition table are taken.
_POOL = (0, 2 * _MIB), (SIZE - 10 * _MIB, 10 * _MIB)
_ALL = ((0, SIZE),)


def _array(arguments: str, number: int) -> str:
    """Made, in sync, and stopped."""
    at = f"/sys/block/md{number}/md"
    idle = f"until grep -qs idle {at}/sync_action || grep -qs inactive {at}/array_state; do sleep 1; done"
    return f"mdadm --create --run --quiet {arguments}; {idle}; mdadm --quiet --stop /dev/md{number}"


# The command, and the disks to take: a name for each, in the order of the command's {0}, {1}, ...
GROUPS: tuple[tuple[str, tuple[str, ...], tuple[tuple[int, int], ...]], ...] = (
    (
        "zpool create -f one mirror {0} {1} special mirror {2} {3} log {4} cache {5} spare {6}; zpool export one",
        ("zfs-mirror", "", "zfs-special", "", "zfs-log", "zfs-cache", "zfs-spare"),
        _POOL,
    ),
    ("zpool create two raidz1 {0} {1} {2}; zpool export two", ("zfs-raidz1", "", ""), _POOL),
    ("zpool create three draid1:1d:3c:1s {0} {1} {2}; zpool export three", ("zfs-draid1", "", ""), _POOL),
    ("zpool create -o ashift=9 four {0}; zpool destroy four", ("zfs-destroyed",), _POOL),
    ("zpool create five {0}; zpool export five; zpool labelclear -f {0}-part1", ("zfs-labelclear",), _POOL),
    *(
        (_array(f"--metadata={one} -l 1 -n 2 /dev/md{number} {{0}} {{1}}", number), (f"md-{one}", ""), _ALL)
        for number, one in enumerate(("0.90", "1.0", "1.1", "1.2"), 20)
    ),
    (
        _array("-l 5 -n 3 --spare-devices=1 /dev/md30 {0} {1} {2} {3}", 30),
        ("", "", "md-raid5", "md-spare"),
        _ALL,
    ),
    (_array("--metadata=ddf -n 2 /dev/md40 {0} {1}", 40), ("ddf", ""), _ALL),
    ("export IMSM_NO_PLATFORM=1; " + _array("--metadata=imsm -n 2 /dev/md41 {0} {1}", 41), ("imsm", ""), _ALL),
    (
        "vgcreate -qq old {0} {1}; lvcreate -qq -n left -l 5 -Wn old; lvcreate -qq --type thin-pool -n thin -l 8 old; "
        "vgchange -qq -an old",
        ("lvm-thin", ""),
        ((0, 2 * _MIB),),
    ),
)  # fmt: skip


def main() -> None:
    groups = [one for one in GROUPS if not sys.argv[1:] or set(sys.argv[1:]) & set(one[1])]
    serials = [f"DISK{number}" for number in range(sum(len(names) for _script, names, _kept in groups))]
    disks: list[dict[str, Any]] = [
        {"serial": one, "type": "hdd", "size": f"{SIZE // _MIB} MiB", "bus_slot": slot}
        for slot, one in enumerate(serials)
    ]
    with throwaway({"disks": disks}, name="record", say=print) as host:
        links = {disk.serial: f"/dev/disk/by-id/{disk.link}" for disk in host.machine.disks}
        left = list(serials)
        failed = []
        for script, names, kept in groups:
            mine, left = left[: len(names)], left[len(names) :]
            done = host.ssh("set -ex\n" + script.format(*(links[one] for one in mine)), check=False)
            if done.returncode:
                failed.append(f"{script}\n{done.stderr}")
                continue
            host.ssh("sync; udevadm settle")
            for serial, name in zip(mine, names, strict=True):
                if name:
                    blocks = recordings.extract(host.disk_path(serial), kept)
                    recordings.save(name, script.format(*"ABCDEFG"), SIZE, blocks)
                    print(name, len(blocks), "places", flush=True)
        if failed:
            raise SystemExit("\n".join(failed))


if __name__ == "__main__":
    main()
