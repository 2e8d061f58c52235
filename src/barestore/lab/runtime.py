# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of one inventory: up, down, and what is there."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from barestore.lab import capability, image, ssh, state
from barestore.lab.errors import LabError
from barestore.lab.files import locked, socket_dir, write_atomically
from barestore.lab.image import Say
from barestore.lab.machine import Machine
from barestore.lab.record import recall
from barestore.lab.vm import VirtualMachine


@dataclass(frozen=True)
class Site:
    """The state folder of an inventory; every host has a folder in it."""

    folder: Path

    @property
    def ssh_config(self) -> Path:
        """How all running hosts are reached; inventories point Ansible at it."""
        return self.folder / "ssh_config"

    def hosts(self) -> dict[str, VirtualMachine]:
        """The hosts that have been up, on or off."""
        found = (recall(file.parent) for file in sorted(self.folder.glob("*/vm.json")))
        return {vm.name: vm for vm in found if vm is not None}

    def up(self, machines: Sequence[Machine], say: Say) -> None:
        """Bring these machines up; those that run are left alone."""
        with self._locked(say):
            present = self.hosts()
            for machine in machines:
                vm = present.get(machine.name)
                if vm is not None and vm.running and vm.born:
                    self._keep(vm, machine, say)
                else:
                    self._bring_up(machine, vm, say)

    def down(self, names: Sequence[str], say: Say, *, kill: bool = False, wipe: bool = False) -> None:
        """Power hosts off; with ``wipe`` their disks and root go too."""
        with self._locked(say):
            present = self.hosts()
            for name in names:
                if name not in present:
                    known = ", ".join(present) or "none"
                    raise LabError(f"host {name} is not in {self.folder}; hosts there: {known}")
            for name in names or present:
                vm = present[name]
                if not vm.running:
                    say(f"{name}: is off")
                elif kill or wipe:
                    vm.power_cut()
                    say(f"{name}: plug pulled")
                else:
                    started = time.monotonic()
                    vm.power_off()
                    say(f"{name}: powered off in {time.monotonic() - started:.0f} s")
                vm.monitor.unlink(missing_ok=True)
                if wipe:
                    shutil.rmtree(vm.folder)
                    say(f"{name}: disks and root removed")
                else:
                    vm.process = None
                    vm.save()
                self._write_ssh_config()

    def _locked(self, say: Say) -> AbstractContextManager[None]:
        return locked(self.folder / "lock", lambda: say("waiting: another process works on these hosts"))

    def _bring_up(self, machine: Machine, known: VirtualMachine | None, say: Say) -> None:
        """A host with a history boots from its own root; one without continues from the saved state."""
        if known is not None and known.born and known.root.exists():
            capability.require(build=False)
            vm = replace(known, machine=machine, process=None)
            say(f"{vm.name}: booting from its own root")
            self._start(vm, vm.boot, say)
            return
        if known is not None:
            known.power_cut()  # the rest of an up that was ended half-way
        found = image.find()
        capability.require(build=found is None)
        built = found or image.ensure(say)
        vm = VirtualMachine(self.folder / machine.name, machine, built, capability.accelerator(built, say))
        saved = state.ensure(built, machine, vm.accelerator, say)
        vm.folder.mkdir(parents=True, exist_ok=True)
        self._start(vm, lambda: state.restore(vm, saved), say)

    def _start(self, vm: VirtualMachine, start: Callable[[], None], say: Say) -> None:
        started = time.monotonic()
        try:
            start()
        except BaseException:
            vm.power_cut()  # neither an error nor Ctrl-C leaves a machine running that nobody can use
            raise
        vm.release_qmp()
        vm.save()
        self._write_ssh_config()
        seconds = time.monotonic() - started
        say(f"{vm.name}: up after {seconds:.1f} s, {len(vm.machine.disks)} disks, ssh port {vm.port}")

    def _keep(self, vm: VirtualMachine, machine: Machine, say: Say) -> None:
        """Leave a running host alone, but give it the disks that the inventory has gained."""
        have = {disk.serial for disk in vm.machine.disks}
        want = {disk.serial for disk in machine.disks}
        for disk in machine.disks:
            if disk.serial not in have:
                vm.plug(disk)
                vm.machine = replace(vm.machine, disks=(*vm.machine.disks, disk))
                vm.save()
                say(f"{vm.name}: disk {disk.serial} put in")
        vm.release_qmp()
        vm.wait_until_up()
        for serial in sorted(have - want):
            say(f"{vm.name}: disk {serial} is no longer in the inventory; it stays until the next down and up")
        say(f"{vm.name}: is up already, ssh port {vm.port}")

    def _write_ssh_config(self) -> None:
        running = [vm.endpoint for vm in self.hosts().values() if vm.running]
        write_atomically(self.ssh_config, ssh.ssh_config(running, socket_dir()))
