# SPDX-License-Identifier: GPL-3.0-or-later
"""The saved booted state: a generic machine is booted once and saved; every new host continues from there.

A state fits only the machine that was saved, so there is one for each image, QEMU version, accelerator,
memory size and number of CPUs. It has no disks: NVMe devices cannot be saved, and every host has its own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

from barestore.lab import capability, overlays
from barestore.lab.building import Say
from barestore.lab.errors import LabError
from barestore.lab.files import cache_dir, locked
from barestore.lab.image import Image
from barestore.lab.machine import MIB, Machine
from barestore.lab.qemu import KERNEL_LINE
from barestore.lab.vm import VirtualMachine

# What Debian would load at the first use, each a second or more when emulated; a state has it loaded once.
_WARM_UP = """
systemctl is-system-running --wait >/dev/null 2>&1 || true
modprobe -a dm_mod dm_thin_pool dm_snapshot raid1 xfs nvme sd_mod zfs
python3 -c 'import json, subprocess, tempfile, hashlib'
udevadm settle; sync; echo 3 >/proc/sys/vm/drop_caches
"""


@dataclass(frozen=True)
class State:
    """A saved machine: memory in one file, and the root overlay that belongs to it."""

    folder: Path

    @property
    def memory(self) -> Path:
        """RAM and devices, as QEMU's migration writes them."""
        return self.folder / "memory"

    @property
    def root(self) -> Path:
        """The root file system at that moment; read only."""
        return self.folder / "root.qcow2"


def ensure(image: Image, machine: Machine, accelerator: str, say: Say) -> State:
    """The state that fits this machine, saved now if there is none."""
    recipe = hashlib.sha256((KERNEL_LINE + _WARM_UP).encode()).hexdigest()[:8]
    name = f"qemu{capability.qemu_version()}-{accelerator}-{machine.memory // MIB}m-{machine.cpus}cpu-{recipe}"
    state = State(image.folder / "states" / name)
    if state.memory.exists():
        return state
    with locked(image.folder / "states.lock", lambda: say("waiting: another process saves the booted state")):
        if not state.memory.exists():
            _save(state, image, replace(machine, name="saved-state", disks=()), accelerator, say)
    return state


def _save(state: State, image: Image, machine: Machine, accelerator: str, say: Say) -> None:
    expected = 5 if accelerator == "kvm" else 40
    say(f"booting a generic host once to save its state ({accelerator}, about {expected} s)")
    started = time.monotonic()
    work = state.folder.with_name(f".{state.folder.name}.making")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    vm = VirtualMachine(work, machine, image, accelerator, tied=True)
    overlays.overlay(image.root, "raw", vm.root)
    try:
        vm.power_on()
        vm.wait_until_up()
        vm.ssh("sh -s", input=_WARM_UP)
        vm.qmp.command("stop")
        vm.qmp.command("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
        vm.qmp.command("migrate", uri=f"file:{work / 'memory'}")
        while (report := vm.qmp.command("query-migrate")).get("status") not in ("completed", "failed"):
            time.sleep(0.1)
        if report["status"] == "failed":
            raise LabError(f"QEMU could not save the booted state: {report.get('error-desc', 'no reason given')}")
        vm.qmp.command("quit")
        if vm.process:
            vm.process.wait(30)
    except LabError:
        shutil.copy(work / "console.log", cache_dir() / "logs" / "state-console.log")
        raise
    finally:
        vm.power_cut()
    vm.root.chmod(0o444)
    shutil.rmtree(state.folder, ignore_errors=True)
    os.rename(work, state.folder)
    say(f"state saved after {time.monotonic() - started:.0f} s in {state.folder}")


def restore(vm: VirtualMachine, state: State) -> None:
    """Continue from the saved state with a fresh root overlay, then put the machine's disks in.

    One at a time on this machine: four in parallel take longer than four in a row.
    """
    with locked(cache_dir() / "restore.lock"):
        overlays.overlay(state.root, "qcow2", vm.root)
        vm.power_on(incoming=True)
        vm.qmp.command("migrate-incoming", uri=f"file:{state.memory}")
        while (status := vm.qmp.command("query-status")["status"]) == "inmigrate":
            time.sleep(0.02)
        if status not in ("paused", "prelaunch", "postmigrate"):
            raise LabError(f"host {vm.name} did not continue from the saved state: QEMU is {status}")
        vm.qmp.command("cont")
        for disk in vm.machine.disks:
            vm.plug(disk)
        vm.wait_until_up()
