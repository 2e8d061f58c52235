# SPDX-License-Identifier: GPL-3.0-or-later
"""A fresh virtual host for a test, gone when the test ends.

    from barestore.lab.throwaway import throwaway

    DISKS = [
        {"serial": "HDD1", "type": "hdd", "size": "4 GiB"},
        {"serial": "NVME1", "type": "nvme", "size": "2 GiB"},
    ]
    with throwaway({"disks": DISKS}, name="ss1") as vm:
        vm.ssh("lsblk")                  # raises GuestCommandError when it fails
        vm.ssh("cat", check=False, input="text").stdout
        vm.ssh_config                    # for ansible_ssh_common_args: "-F <path>"
        before = vm.disk_digest("HDD1")  # SHA-256 that skips holes; disk_path() is the file itself
        vm.add_disk(parse_disk({"serial": "HDD2", "type": "hdd", "size": "12 TB"}, slot=1))
        vm.remove_disk("HDD1")           # without warning; add_disk with the same Disk brings it back
        vm.qmp.command("block_set_io_throttle", id=device_name("HDD2"), ...)  # any command of QEMU
        vm.power_cut()                   # pulls the plug
        vm.reboot()                      # powers off if it is on; boots the same root and disks in a new QEMU

The host comes from the saved state in seconds; ``reboot`` takes half a minute where there is only emulation.
The QEMU process ends with the thread that made it: use it from the thread that runs the test.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from barestore.lab import capability, image, state
from barestore.lab.building import Say
from barestore.lab.files import copy_sparse
from barestore.lab.machine import Machine, parse_machine
from barestore.lab.vm import VirtualMachine


@contextmanager
def throwaway(
    machine: Machine | Mapping[str, Any] | None = None,
    name: str = "lab1",
    say: Say = lambda line: None,
    forgets: bool = False,
    disks: Path | None = None,
) -> Iterator[VirtualMachine]:
    """A host restored from the saved state, with fresh empty disks in a temporary folder.

    ``machine`` is a Machine, or a mapping as in ``lab_machine``. Image and state are built when missing.
    Disks that ``forgets`` lose with the power what was new and not flushed; their digests and files say nothing.
    ``disks`` is a folder with files that they start as, by :func:`barestore.lab.qemu.disk_file`, instead of empty.
    """
    wanted = machine if isinstance(machine, Machine) else parse_machine(name, machine or {})
    found = image.find()
    capability.require(build=found is None)
    built = found or image.ensure(say)
    accelerator = capability.accelerator(built, say)
    saved = state.ensure(built, wanted, accelerator, say)
    with tempfile.TemporaryDirectory(prefix="barestore-lab-") as folder:
        vm = VirtualMachine(Path(folder), wanted, built, accelerator, tied=True, forgets=forgets)
        if disks is not None:
            copy_sparse(disks, vm.disks)
        try:
            state.restore(vm, saved)
            yield vm
        finally:
            vm.power_cut()
            vm.monitor.unlink(missing_ok=True)
