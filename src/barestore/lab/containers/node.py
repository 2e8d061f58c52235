# SPDX-License-Identifier: GPL-3.0-or-later
"""One node in one folder: its overlay, its disks, its container and how it is spoken to."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

from barestore.lab import ssh
from barestore.lab.building import Say
from barestore.lab.containers import disks as loop_disks
from barestore.lab.containers.commands import run
from barestore.lab.containers.disks import Disks
from barestore.lab.containers.network import Network, gateway_of
from barestore.lab.containers.tree import Tree
from barestore.lab.errors import LabError
from barestore.lab.files import locked, socket_dir, write_atomically
from barestore.lab.machine import Disk, Machine

BOOT_LIMIT = 60.0
_STOP_LIMIT = 30
# A process of usual priority has 1024.
_SHARES = 16 * 1024
# Folders that cannot lie on an overlay: containerd makes overlays of its own, etcd and kubelet want a real file system.
_OWN_FOLDERS = ("containerd", "kubelet", "etcd")


@dataclass
class Node:
    """A node that is on or off; while it is off, its folder is all that it leaves on this machine."""

    folder: Path
    machine: Machine
    tree: Tree
    born: bool = False  # has been up once

    # -- what it is

    @property
    def name(self) -> str:
        """The host's name in the inventory."""
        return self.machine.name

    @property
    def address(self) -> IPv4Interface:
        """Its address and network."""
        return IPv4Interface(self.machine.address)

    @property
    def network(self) -> Network:
        """The wire of its site."""
        return Network(self.folder.parent)

    @property
    def disks(self) -> Disks:
        """Its disks."""
        return Disks(self.folder / "disks")

    @property
    def endpoint(self) -> ssh.Endpoint:
        """How it is reached."""
        return ssh.Endpoint(self.name, 22, self.tree.identity, str(self.address.ip))

    @property
    def ssh_config(self) -> Path:
        """An ssh_config with this node alone."""
        return self.folder / "ssh_config"

    @property
    def root(self) -> Path:
        """The overlay as the node's root."""
        return self.folder / "root"

    @property
    def pid(self) -> int | None:
        """Its first process on this machine; None when it is off."""
        text = self._podman("inspect", "--format", "{{.State.Pid}}", self._container, check=False).strip()
        return int(text) if text.isdigit() and text != "0" else None

    @property
    def running(self) -> bool:
        """Whether it is on."""
        return self.pid is not None

    def row(self) -> dict[str, Any]:
        """What ``lab list`` shows."""
        pid = self.pid
        return {
            "name": self.name,
            "kind": "container",
            "state": "running" if pid else "off",
            "pid": pid,
            "address": str(self.address.ip),
            "disks": [{"serial": d.serial, "type": d.type, "size": d.size} for d in self.machine.disks],
        }

    # -- on and off

    def power_on(self) -> None:
        """Put overlay, disks, cable and container together and start systemd."""
        if not self.tree.root.exists():
            raise LabError(
                f"node {self.name} was made from a root that is gone ({self.tree.folder}); "
                "make it anew: down --wipe, then up"
            )
        self._let_go()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.save()  # at once: whatever ends this program, the next command knows of the node
        self._mount()
        with locked(self.folder.parent / "network.lock"):
            self.network.connect(self.name, self.address)
        self._write_settings([self.disks.attach(disk) for disk in self.machine.disks])
        volumes = [part for name in _OWN_FOLDERS for part in ("--volume", f"{self._own(name)}:/var/lib/{name}")]
        # A machine may not allow more than it has itself: without these, limits are asked for that it refuses.
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        # The container comes back when its systemd reboots; only podman's own stop and kill keep it off.
        self._podman(
            "run", "--detach", "--name", self._container, "--hostname", self.name, "--restart", "always",
            "--systemd", "always", "--privileged", "--cgroupns", "private", "--stop-signal", "SIGRTMIN+3",
            "--network", f"ns:/run/netns/{self.network.namespace(self.name)}", "--no-hosts", "--pids-limit", "-1",
            "--ulimit", f"nofile={files}:{files}", "--ulimit", "nproc=30000:30000", *volumes,
            "--entrypoint", '["/usr/local/sbin/node-init"]', "--rootfs", str(self.root), "outside",
        )  # fmt: skip
        _weigh()

    def boot(self) -> None:
        """Power on and wait until it is usable."""
        self.power_on()
        self.wait_until_up()

    def wait_until_up(self) -> None:
        """Wait for SSH and until udev has seen all disks."""
        write_atomically(self.ssh_config, ssh.ssh_config([self.endpoint], socket_dir()))
        try:
            ssh.wait_for_banner(22, BOOT_LIMIT, lambda: self.running, str(self.address.ip))
        except LabError as error:
            raise LabError(
                f"node {self.name}: {error}; look at: {' '.join(self._argv('logs', self._container))}"
            ) from error
        links = " ".join(f"/dev/disk/by-id/{disk.link}" for disk in self.machine.disks)
        wait = f"for i in $(seq 150); do ls {links} >/dev/null 2>&1 && exit 0; sleep 0.2; done; ls {links}"
        if links:
            self.ssh(wait)
        self.born = True

    def power_cut(self) -> None:
        """Pull the plug: cable and processes end at once; what was written to the disks' files is there."""
        if self.running:
            self.network.cut(self.name)
            self._podman("kill", "--signal", "KILL", self._container)
        self._let_go()

    def power_off(self) -> None:
        """Shut it down and wait until it is off; it is killed when it takes longer than 30 s."""
        if self.running:
            self._podman("stop", "--time", str(_STOP_LIMIT), self._container)
        self._let_go()

    def keep(self, machine: Machine, say: Say) -> None:
        """Leave it alone, but give it the disks that the inventory has gained."""
        have = {disk.serial for disk in self.machine.disks}
        for disk in machine.disks:
            if disk.serial not in have:
                self.add_disk(disk)
                say(f"{self.name}: disk {disk.serial} put in")
        self.wait_until_up()
        for serial in sorted(have - {disk.serial for disk in machine.disks}):
            say(f"{self.name}: disk {serial} is no longer in the inventory; it stays until the next down and up")

    def remove(self) -> None:
        """Remove all that it left, disks and root included."""
        self.power_cut()
        shutil.rmtree(self.folder)

    def release(self) -> None:
        """Nothing is held between commands."""

    # -- speaking to it

    def ssh(
        self, cmd: str, check: bool = True, input: str | None = None, timeout: float | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command line in the node."""
        return ssh.run(self.ssh_config, self.name, cmd, check=check, input=input, timeout=timeout)

    def add_disk(self, disk: Disk) -> None:
        """Put a disk in while the node runs, and wait until it has seen it."""
        self.machine = replace(self.machine, disks=(*self.machine.disks, disk))
        self._write_settings([self.disks.attach(one) for one in self.machine.disks])
        self.save()
        name = self.disks.attach(disk)
        self.ssh(f"udevadm trigger --action=add --settle /sys/block/{name}")

    # -- remembering it

    def save(self) -> None:
        """Write down what the next command needs to find it."""
        known = {"machine": asdict(self.machine), "tree": str(self.tree.folder), "born": self.born}
        write_atomically(self.folder / "node.json", json.dumps(known, indent=2) + "\n")

    # -- its parts

    @property
    def _container(self) -> str:
        return self.network.namespace(self.name)

    def _argv(self, *words: str) -> list[str]:
        """Podman with a store of the site's own: no other container of this machine is seen or touched."""
        store = self.folder.parent / "podman"
        state = Path("/run/barestore-lab") / self.network.bridge
        return [
            "podman", "--root", str(store), "--runroot", str(state / "run"), "--tmpdir", str(state / "tmp"),
            "--network-config-dir", str(store / "networks"), "--cgroup-manager", "cgroupfs", "--runtime", "runc",
            *words,
        ]  # fmt: skip

    def _podman(self, *words: str, check: bool = True) -> str:
        return run(self._argv(*words), check=check)

    def _own(self, name: str) -> Path:
        return self.folder / "own" / name

    def _mount(self) -> None:
        for name in ("upper", "work", "root", *(f"own/{name}" for name in _OWN_FOLDERS)):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        layers = f"lowerdir={self.tree.root},upperdir={self.folder / 'upper'},workdir={self.folder / 'work'}"
        run(["mount", "-t", "overlay", f"barestore-lab-{self.name}", "-o", layers, str(self.root)])

    def _write_settings(self, devices: list[str]) -> None:
        """The node's name and disks, into its root: from outside, so that a node that is rebooted finds them."""
        settings = self.root / "etc/barestore-lab"
        (settings / "properties").mkdir(parents=True, exist_ok=True)
        (settings / "disks").write_text("".join(f"{name}\n" for name in devices))
        for disk in self.machine.disks:
            path = settings / "properties" / self.disks.file(disk).stem
            path.write_text(loop_disks.properties(disk))
        (self.root / "etc/udev/rules.d/50-node-disks.rules").write_text(self.disks.rules())
        if not self.born:
            (self.root / "etc/hostname").write_text(f"{self.name}\n")
            hosts = f"127.0.0.1 localhost\n{self.address.ip} {self.name}\n"
            (self.root / "etc/hosts").write_text(hosts)
            # Nobody answers there, but a resolver without any server is an error to some.
            (self.root / "etc/resolv.conf").write_text(f"nameserver {gateway_of(self.address).ip}\n")

    def _let_go(self) -> None:
        """Remove container, cable, loop devices and mount; the files stay."""
        number = self._podman("inspect", "--format", "{{.Id}}", self._container, check=False).strip()
        self._podman("rm", "--force", "--time", "0", self._container, check=False)
        _remove_cgroups(number, self.name)
        self.disks.detach()
        with locked(self.folder.parent / "network.lock"):
            self.network.disconnect(self.name)
        while self.root.is_mount():
            run(["umount", "--recursive", str(self.root)])


def recall(folder: Path) -> Node | None:
    """The node that was saved in a folder, if any."""
    try:
        known = json.loads((folder / "node.json").read_text())
    except FileNotFoundError:
        return None
    described = known["machine"]
    machine = Machine(**{**described, "disks": tuple(Disk(**disk) for disk in described["disks"])})
    return Node(folder, machine, Tree(Path(known["tree"])), born=known["born"])


def _remove_cgroups(number: str, name: str) -> None:
    """Control groups that processes of the node made for themselves outlive it, empty."""
    for top in _cgroup_trees():
        for folder in (top / "barestore-lab" / name, top / "libpod_parent" / f"libpod-{number}"):
            inner = sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True)
            for one in [*inner, folder]:
                _try_rmdir(one)
            with suppress(OSError):  # other nodes may still be in it
                folder.parent.rmdir()


def _cgroup_trees() -> Iterator[Path]:
    top = Path("/sys/fs/cgroup")
    yield from [top] if (top / "cgroup.controllers").exists() else (path for path in top.iterdir() if path.is_dir())


def _weigh() -> None:
    """Processor time for many processes: the group of all containers would get as much as one process beside it."""
    for top in _cgroup_trees():
        shares = top / "libpod_parent" / "cpu.shares"
        if shares.exists():
            shares.write_text(str(_SHARES))


def _try_rmdir(folder: Path) -> None:
    for _ in range(20):
        try:
            folder.rmdir()
            return
        except FileNotFoundError:
            return
        except OSError:  # a process in it is still ending
            time.sleep(0.05)
