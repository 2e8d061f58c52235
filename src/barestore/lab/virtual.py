# SPDX-License-Identifier: GPL-3.0-or-later
"""The driver of virtual machines: a host with a history boots from its own root, a new one from the saved state."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from barestore.lab import capability, image, record, state
from barestore.lab.building import Say
from barestore.lab.errors import LabError
from barestore.lab.host import Host
from barestore.lab.machine import Machine
from barestore.lab.vm import VirtualMachine


@dataclass(frozen=True)
class VirtualMachines:
    """Hosts with ``kind: vm``."""

    together: bool = False  # four restored in parallel take longer than four in a row

    def recall(self, folder: Path) -> VirtualMachine | None:
        """The machine that was saved in a folder, if any."""
        return record.recall(folder)

    def prepare(self, say: Say) -> None:
        """The image, and this machine's tools."""
        found = image.find()
        capability.require(build=found is None)
        if found is None:
            image.ensure(say)

    def bring_up(self, folder: Path, machine: Machine, known: Host | None, say: Say) -> VirtualMachine:
        """A running machine."""
        if known is not None and not isinstance(known, VirtualMachine):
            raise LabError(
                f"host {machine.name} was a {known.machine.kind}; remove it first: down {machine.name} --wipe"
            )
        if known is not None and known.born and known.root.exists():
            vm = replace(known, machine=machine, process=None)
            say(f"{vm.name}: booting from its own root")
            return _start(vm, vm.boot, say)
        if known is not None:
            known.power_cut()  # the rest of an up that was ended half-way
        built = image.ensure(say)
        vm = VirtualMachine(folder, machine, built, capability.accelerator(built, say))
        saved = state.ensure(built, machine, vm.accelerator, say)
        vm.folder.mkdir(parents=True, exist_ok=True)
        return _start(vm, lambda: state.restore(vm, saved), say)


def _start(vm: VirtualMachine, start: Callable[[], None], say: Say) -> VirtualMachine:
    started = time.monotonic()
    try:
        start()
    except BaseException:
        vm.power_cut()  # neither an error nor Ctrl-C leaves a machine running that nobody can use
        raise
    vm.release()
    seconds = time.monotonic() - started
    say(f"{vm.name}: up after {seconds:.1f} s, {len(vm.machine.disks)} disks, ssh port {vm.port}")
    return vm
