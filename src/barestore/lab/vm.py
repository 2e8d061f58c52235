# SPDX-License-Identifier: GPL-3.0-or-later
"""One virtual machine in one folder: its root overlay, its disks, its process and how it is spoken to."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import time
import uuid
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from barestore.lab import overlays, process, qemu, ssh
from barestore.lab.building import Say
from barestore.lab.errors import LabError
from barestore.lab.files import make_sparse, socket_dir, sparse_digest, write_atomically
from barestore.lab.image import Image
from barestore.lab.machine import Disk, Machine
from barestore.lab.process import Process
from barestore.lab.qmp import Qmp

BOOT_LIMIT = 240.0
_UNPLUG_SECONDS = 240
_PREPARE = Path(__file__).parent / "recipe" / "prepare.sh"


@dataclass
class VirtualMachine:
    """A machine that is on or off; ``folder`` is all that it leaves on this machine."""

    folder: Path
    machine: Machine
    image: Image
    accelerator: str
    port: int = 0
    process: Process | None = None
    tied: bool = False  # ends with the thread that started it
    born: bool = False  # has been up once: its root is worth booting from
    forgets: bool = False  # its disks have a cache: what was not flushed is lost with the power, as far as it is new
    _qmp: Qmp | None = None

    # -- where things are

    @property
    def name(self) -> str:
        """The host's name in the inventory."""
        return self.machine.name

    @property
    def root(self) -> Path:
        """The overlay with everything that the guest wrote to its root file system."""
        return self.folder / "root.qcow2"

    @property
    def disks(self) -> Path:
        """The folder of the disks' files."""
        return self.folder / "disks"

    @property
    def ssh_config(self) -> Path:
        """An ssh_config with this machine alone."""
        return self.folder / "ssh_config"

    @property
    def endpoint(self) -> ssh.Endpoint:
        """How it is reached."""
        return ssh.Endpoint(self.name, self.port, self.image.identity)

    @property
    def monitor(self) -> Path:
        """QEMU's socket, in a folder whose path is short enough for one."""
        return socket_dir() / f"{hashlib.sha256(str(self.folder.resolve()).encode()).hexdigest()[:16]}.qmp"

    # -- on and off

    @property
    def running(self) -> bool:
        """Whether our QEMU runs."""
        return self.process is not None and self.process.alive

    def power_on(self, *, incoming: bool = False) -> None:
        """Start QEMU: with the disks attached, or waiting for a saved state, which has none."""
        if self.running:
            raise LabError(f"host {self.name} runs already")
        if not self.image.root.exists():
            raise LabError(
                f"host {self.name} was made from an image that is gone ({self.image.folder}); "
                f"make it anew: down {self.name} --wipe, then up"
            )
        self._close_qmp()
        for disk in self.machine.disks:
            self._ready(disk)
        for _ in range(3):  # somebody may take the port between the look and the start
            self.port = ssh.free_port(self.port or None)
            boot = qemu.Boot(
                self.machine,
                self.image,
                self.root,
                self.monitor,
                self.folder / "console.log",
                self.port,
                self.accelerator,
            )
            argv = [*qemu.machine_argv(boot), "-incoming", "defer"] if incoming else qemu.cold_argv(boot, self.disks)
            self.monitor.unlink(missing_ok=True)
            self.process = process.start(argv, self.folder / "qemu.log", tied=self.tied)
            self.save()  # at once: whatever ends this program, the next command knows of the process
            try:
                self.qmp.command("query-status")
                break
            except LabError:
                self.process.kill()
                if "host forwarding" not in self._last_words():
                    break
        if self.process is None or not self.process.alive:
            raise LabError(
                f"QEMU for host {self.name} did not start: {self._last_words()} (log: {self.folder / 'qemu.log'})"
            )
        text = ssh.ssh_config([self.endpoint], socket_dir())
        write_atomically(self.ssh_config, text)

    def boot(self) -> None:
        """Power on and wait until it is usable."""
        self.power_on()
        self.wait_until_up()

    def wait_until_up(self) -> None:
        """Wait for SSH, make the guest itself (clock, name, ids) and wait until it has seen all its disks."""
        try:
            ssh.wait_for_banner(self.port, BOOT_LIMIT, lambda: self.running)
        except LabError as error:
            raise LabError(f"host {self.name}: {error}; its console is in {self.folder / 'console.log'}") from error
        host_id = hashlib.sha256(self.name.encode()).hexdigest()[:8]
        links = " ".join(disk.link for disk in self.machine.disks)
        words = [self.name, f"{time.time():.1f}", uuid.uuid4().hex, host_id, links]
        quoted = " ".join(f"'{word}'" for word in words)
        self.ssh(f"sh -s {quoted}", input=_PREPARE.read_text())
        self.born = True

    def power_cut(self) -> None:
        """Pull the plug: QEMU is killed; writes that had completed are on the disks, unless these forget."""
        if self.process:
            self.process.kill()
        self._close_qmp()

    def power_off(self, limit: float = 180.0) -> None:
        """Shut the guest down and wait until it is off."""
        if not self.running or self.process is None:
            return
        done = self.ssh("systemctl poweroff", check=False, timeout=60)
        if done.returncode not in (0, 255):  # 255: the connection went away first
            raise LabError(
                f"host {self.name} refused to power off: {done.stderr.strip()}; 'down --kill' pulls its plug"
            )
        if not self.process.wait(limit):
            raise LabError(f"host {self.name} has not powered off within {limit:.0f} s; 'down --kill' pulls its plug")
        self._close_qmp()

    def reboot(self) -> None:
        """Power off if it is on, then boot anew, in a new QEMU, from the same root and disks."""
        self.power_off()
        self.boot()

    def keep(self, machine: Machine, say: Say) -> None:
        """Leave a running host alone, but give it the disks that the inventory has gained."""
        have = {disk.serial for disk in self.machine.disks}
        want = {disk.serial for disk in machine.disks}
        for disk in machine.disks:
            if disk.serial not in have:
                self.plug(disk)
                self.machine = replace(self.machine, disks=(*self.machine.disks, disk))
                self.save()
                say(f"{self.name}: disk {disk.serial} put in")
        self.release()
        self.wait_until_up()
        for serial in sorted(have - want):
            say(f"{self.name}: disk {serial} is no longer in the inventory; it stays until the next down and up")
        say(f"{self.name}: is up already, ssh port {self.port}")

    def remove(self) -> None:
        """Remove it with its disks and its root."""
        self.power_cut()
        self.release()
        shutil.rmtree(self.folder)

    def row(self) -> dict[str, Any]:
        """What ``lab list`` shows."""
        on = self.running
        return {
            "name": self.name,
            "kind": "vm",
            "state": "running" if on else "off",
            "pid": self.process.pid if self.process and on else None,
            "ssh_port": self.port if on else None,
            "accelerator": self.accelerator,
            "memory": self.machine.memory,
            "disks": [{"serial": d.serial, "type": d.type, "size": d.size} for d in self.machine.disks],
        }

    # -- speaking to it

    @property
    def qmp(self) -> Qmp:
        """The connection to QEMU; for faults: throttling, blkdebug, replaced nodes."""
        if self._qmp is None:
            self._qmp = Qmp(self.monitor, alive=lambda: self.running)
        return self._qmp

    def release(self) -> None:
        """Let another program speak to QEMU; the socket of a machine that is off goes too."""
        self._close_qmp()
        if not self.running:
            self.monitor.unlink(missing_ok=True)

    def ssh(
        self, cmd: str, check: bool = True, input: str | None = None, timeout: float | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command line in the guest."""
        return ssh.run(self.ssh_config, self.name, cmd, check=check, input=input, timeout=timeout)

    # -- disks

    def disk_path(self, serial: str) -> Path:
        """The file behind a disk; look at it only, or while the machine is off."""
        return qemu.disk_file(self.disks, serial)

    def disk_digest(self, serial: str) -> str:
        """SHA-256 of a disk's contents; holes cost nothing."""
        return sparse_digest(self.disk_path(serial))

    def plug(self, disk: Disk) -> None:
        """Attach a disk to the running machine, without waiting for the guest."""
        self.qmp.command("blockdev-add", **qemu.block_node(disk, self._ready(disk)))
        self.qmp.command("device_add", **qemu.device(disk))

    def _ready(self, disk: Disk) -> Path:
        """Make the disk's file, and an empty cache before it where disks forget; what takes its writes."""
        path = self.disk_path(disk.serial)
        make_sparse(path, disk.size)
        if not self.forgets:
            return path
        cache = qemu.cache_file(self.disks, disk.serial)
        if cache.exists():
            overlays.commit(cache)
        overlays.overlay(path, "raw", cache)
        return cache

    def add_disk(self, disk: Disk) -> None:
        """Put a disk in and wait until the guest has seen it."""
        if disk.serial in [present.serial for present in self.machine.disks]:
            raise LabError(f"host {self.name} has a disk {disk.serial} already")
        self.plug(disk)
        self.machine = replace(self.machine, disks=(*self.machine.disks, disk))
        self.wait_until_up()

    def remove_disk(self, serial: str) -> None:
        """Pull a disk out, without warning; its file stays, so that the same disk can come back."""
        self.unplug(qemu.device_name(serial), qemu.node_name(serial))
        self.machine = replace(self.machine, disks=tuple(disk for disk in self.machine.disks if disk.serial != serial))

    def unplug(self, device: str, node: str) -> None:
        """Take a device away, and what lies behind it once it is no longer used.

        DEVICE_DELETED would say so too, but never comes for a SCSI disk that had a request under way (QEMU 10.0).
        """
        self.qmp.command("device_del", id=device)
        end = time.monotonic() + _UNPLUG_SECONDS
        while True:
            try:
                self.qmp.command("blockdev-del", **{"node-name": node})
            except LabError as error:
                if "in use" not in str(error):
                    raise
                if time.monotonic() > end:
                    raise LabError(f"host {self.name} did not let go of {device} within {_UNPLUG_SECONDS} s") from error
                time.sleep(0.05)
            else:
                return

    # -- remembering it

    def save(self) -> None:
        """Write down what the next command needs to find it."""
        known: dict[str, Any] = {
            "machine": asdict(self.machine),
            "image": str(self.image.folder),
            "accelerator": self.accelerator,
            "port": self.port,
            "born": self.born,
            "process": asdict(self.process) if self.process and self.running else None,
        }
        write_atomically(self.folder / "vm.json", json.dumps(known, indent=2) + "\n")

    def _last_words(self) -> str:
        log = self.folder / "qemu.log"
        lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
        return lines[-1] if lines else "it said nothing"

    def _close_qmp(self) -> None:
        if self._qmp is not None:
            self._qmp.close()
            self._qmp = None
