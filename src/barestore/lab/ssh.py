# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH to the guests: the configuration that everything goes through, and waiting until a guest answers."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from barestore.lab.errors import LabError


@dataclass(frozen=True)
class Endpoint:
    """How one guest is reached from this machine."""

    name: str
    port: int
    identity: Path
    address: str = "127.0.0.1"


class GuestCommandError(LabError):
    """A command in the guest ended with an error; the parts are kept for tests."""

    def __init__(self, name: str, command: str, done: subprocess.CompletedProcess[str]) -> None:
        """Keep the code and the output, and put the end of it into the sentence."""
        self.returncode, self.stdout, self.stderr = done.returncode, done.stdout, done.stderr
        tail = (done.stderr.strip() or done.stdout.strip())[-2000:]
        super().__init__(f"host {name}: the command {command!r} ended with code {done.returncode}: {tail}")


def ssh_config(endpoints: Iterable[Endpoint], control: Path) -> str:
    """The text of an ssh_config with one block for each guest.

    Guests come and go with new keys on ports of this machine, so host keys say nothing and are not kept.
    """
    blocks = [
        # By its address too, which an inventory may name as ansible_host.
        f"Host {end.name}{'' if end.address == '127.0.0.1' else f' {end.address}'}\n"
        f"  HostName {end.address}\n"
        f"  Port {end.port}\n"
        "  User root\n"
        f'  IdentityFile "{end.identity}"\n'
        "  IdentitiesOnly yes\n"
        "  PreferredAuthentications publickey\n"
        "  StrictHostKeyChecking no\n"
        "  UserKnownHostsFile /dev/null\n"
        "  LogLevel ERROR\n"
        "  ConnectTimeout 60\n"
        "  ControlMaster auto\n"
        "  ControlPersist 60\n"
        f"  ControlPath {control}/%C\n"
        for end in sorted(endpoints, key=lambda end: end.name)
    ]
    return "# Written by barestore lab at each up and down.\n" + "\n".join(blocks)


def free_port(preferred: int | None = None) -> int:
    """A free port of 127.0.0.1; the preferred one if nobody took it."""
    for port in [*([preferred] if preferred else []), 0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise LabError("no port of 127.0.0.1 is free for SSH to a virtual host")


def wait_for_banner(port: int, limit: float, alive: Callable[[], bool], address: str = "127.0.0.1") -> None:
    """Wait until sshd of the guest greets: QEMU itself accepts connections long before."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if not alive():
            raise LabError("it ended before it answered by SSH")
        try:
            with socket.create_connection((address, port), timeout=5) as connection:
                connection.settimeout(20)
                if connection.recv(4).startswith(b"SSH"):
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise LabError(f"the guest did not answer by SSH within {limit:.0f} s")


def run(
    config: Path,
    name: str,
    command: str,
    *,
    check: bool = True,
    input: str | None = None,
    timeout: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run one command line in the guest's shell and capture what it says."""
    argv = ["ssh", "-F", str(config), name, command]
    done = subprocess.run(
        argv,
        input=input or "",
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=timeout,
    )
    if check and done.returncode:
        raise GuestCommandError(name, command, done)
    return done
