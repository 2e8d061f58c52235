# SPDX-License-Identifier: GPL-3.0-or-later
"""A host in use: the earlier documents of a scenario are applied once, and every test begins with what they left.

An emulated host needs minutes for that. What is kept, in the lab's cache: the disks, and the files of the root file
system that tell of them. It is made anew when the scenario, the product or the image is another.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from barestore.lab import image
from barestore.lab.files import cache_dir, copy_sparse, locked
from barestore.lab.throwaway import throwaway
from barestore.lab.vm import VirtualMachine
from tests.lab import faults
from tests.lab.converge import ROOT
from tests.lab.scenarios import Scenario

_TRIES = 3
_FILES = "/etc/fstab /etc/crypttab /etc/lvm /etc/zfs /etc/mdadm /var/lib/barestore /srv"
# zpool.cache is read before the pools are let go: an export takes them out of it.
_KEEP = f"""
sync; tar -C / --one-file-system -cz $(ls -d {_FILES} 2>/dev/null) | base64 -w0
umount -a -t ext4,xfs,vfat,zfs 2>/dev/null
swapoff -a; zpool export -a; vgchange -an >&2; sync
"""
_BACK = """
# A power cut at the first stop would leave an empty fstab, and nothing that should be unmounted.
base64 -d | tar -C / -xz; sync
systemctl daemon-reload; udevadm settle
[ ! -e /etc/zfs/zpool.cache ] || zpool import -c /etc/zfs/zpool.cache -a
vgchange -ay >/dev/null; udevadm settle; swapon -a
all() { while read -r _ mount _; do mountpoint -q "$mount" || return 1; done </etc/fstab; }
# systemd unmounts again what is mounted before it knows of the device.
for _ in $(seq 60); do mount -a && sleep 2 && all && exit 0; done
findmnt --verify >&2; exit 1
"""


@contextmanager
def used(told: Scenario, forgets: bool = False) -> Iterator[tuple[VirtualMachine, str]]:
    """The host, ready for launches, and the digests of the files on its file systems."""
    folder = _folder(told) if told.documents[:-1] else None
    with throwaway(told.machine, say=print, forgets=forgets, disks=folder and folder / "disks") as vm:
        faults.prepare(vm)
        if folder:
            vm.ssh(_BACK, input=(folder / "root").read_text())
        yield vm, (folder / "digests").read_text() if folder else ""


def _folder(told: Scenario) -> Path:
    folder = cache_dir() / "used" / f"{told.name}-{_key(told)}"
    with locked(cache_dir() / "used.lock"):
        if not folder.exists():
            _make(told, folder)
    return folder


def _make(told: Scenario, folder: Path) -> None:
    making = folder.with_name(f".{folder.name}.making")
    for old in folder.parent.glob(f"*{told.name}-*"):
        shutil.rmtree(old)
    making.mkdir(parents=True)
    with throwaway(told.machine, say=print) as vm:
        faults.prepare(vm)
        for document in told.documents[:-1]:
            # zpool gives up on a partition that a busy host is slow to show; the next run goes on.
            answers = (faults.run(vm, document).answer for _ in range(_TRIES))
            done = next((one for one in answers if not one.get("failed")), None)
            assert done is not None, "no run ended well"
        (making / "digests").write_text(faults.kept(vm))
        (making / "root").write_text(vm.ssh(_KEEP).stdout)
        vm.power_cut()
        copy_sparse(vm.disks, making / "disks")
    making.rename(folder)


def _key(told: Scenario) -> str:
    built = image.find()
    digest = hashlib.sha256(json.dumps([asdict(told), built.folder.name if built else "", _KEEP]).encode())
    for path in sorted((ROOT / "plugins" / "module_utils").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
