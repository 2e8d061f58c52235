# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that the inventory brings are found nowhere but in their files: not on the host, not on the controller.

Each run is ``ansible-playbook -vvvv --diff`` or the command, as people start them. On the host, sshd itself is traced,
so that the arguments and the environment of every process that a run starts there are seen; on the controller they
are read while it runs. The tests of this file follow one another on one host.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from barestore.lab.throwaway import throwaway
from barestore.lab.vm import VirtualMachine
from tests.lab.converge import PYTHON, ROOT
from tests.lab.look import family

pytestmark = pytest.mark.lab

LUKS, ZFS = "/etc/barestore/keys/data", "/etc/zfs/keys/tank.key"
KEYS = {LUKS: "right-horse-battery-staple-7f3a91", ZFS: "5d0e6f" * 10 + "a1b2"}
# One that opens nothing, and one that is no key at all.
WRONG = {LUKS: "wrong-horse-battery-staple-c04d55", ZFS: "no-hexadecimal-digits-b3-e8-21"}
DISKS: list[dict[str, Any]] = [
    {"serial": "HDD1", "type": "hdd", "size": "512 MiB"},
    {"serial": "HDD2", "type": "hdd", "size": "512 MiB"},
]
# Argon2 takes minutes where the processor is only emulated.
_LUKS = {"device": "one", "key_file": LUKS, "pbkdf": {"type": "pbkdf2", "iterations": 1000}}
_DATASET = {"encryption": "on", "keyformat": "hex", "keylocation": f"file://{ZFS}", "mount": "/srv/secret"}
DOCUMENT: dict[str, Any] = {
    "disks": {"one": {"match": {"serial": "HDD1"}, "count": 1}, "two": {"match": {"serial": "HDD2"}, "count": 1}},
    "luks": {"data": _LUKS},
    "filesystems": {"data": {"device": "data", "type": "ext4", "mount": "/srv/data"}},
    "zfs": {"tank": {"data": {"stripe": ["two"]}, "datasets": {"secret": _DATASET}}},
}
_TRACE = "/srv/processes"
_CLOSE = "umount /srv/data && cryptsetup close data && zfs unmount tank/secret && zfs unload-key tank/secret"
# sshd is started anew under strace; what it starts inherits the filter, so that other calls are not slowed down.
_SSHD = f"""
systemctl stop ssh.socket ssh.service 2>/dev/null
systemd-run --quiet --unit=traced-sshd --property=RuntimeDirectory=sshd \
    strace --follow-forks --seccomp-bpf --no-abbrev --string-limit=65536 -e trace=execve -o {_TRACE} /usr/sbin/sshd -D
touch /srv/begin
"""
# Everything that was written since, on each file system that is not the kernel's own.
_WRITTEN = r"""
findmnt -rno TARGET -t ext4,xfs,tmpfs,zfs | while read -r mount; do
    find "$mount" -xdev -type f -newer /srv/begin ! -path /srv/patterns -print0
done | xargs -0 grep -lF -f /srv/patterns
journalctl --all --quiet --output=verbose | grep -qF -f /srv/patterns && echo the journal
dmesg | grep -qF -f /srv/patterns && echo the log of the kernel
rm /srv/patterns
"""


def forms(secret: str) -> set[str]:
    """How a secret may be written: as it is, in base64 at each offset, in hexadecimal digits."""
    raw = secret.encode()
    coded = {base64.b64encode(b" " * offset + raw).decode()[4 if offset else 0 : -4] for offset in range(3)}
    return {secret, raw.hex(), *coded}


PATTERNS = sorted(form for keys in (KEYS, WRONG) for secret in keys.values() for form in forms(secret))


def found_in(text: str) -> list[str]:
    """Which of the secrets are in a text; what is packed in it, as in the report, is looked at too."""
    packed = [base64.b64decode(one) for one in re.findall(r"H4sI[A-Za-z0-9+/]+={0,2}", text)]
    texts = [text, *(gzip.decompress(one).decode() for one in packed)]
    return [form for form in PATTERNS if any(form in one for one in texts)]


@dataclass
class Watch:
    """Arguments and environments of a process and all below it, read as long as it runs."""

    pid: int
    seen: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.01):
            for pid in family(self.pid):
                for name in ("cmdline", "environ"):
                    with suppress(OSError):
                        self.seen.add(Path(f"/proc/{pid}/{name}").read_bytes())

    def end(self) -> str:
        self._over.set()
        self._thread.join()
        return b"\n".join(self.seen).decode(errors="replace")


class Site:
    """An inventory of one host in a folder, and what people run with it; all that is left behind is in ``left``."""

    def __init__(self, folder: Path, vm: VirtualMachine) -> None:
        self.folder, self.vm, self.left = folder, vm, folder / "left"
        for name in ("site", "left/tmp"):
            (folder / name).mkdir(parents=True)
        variables = {
            "ansible_ssh_common_args": f"-F {vm.ssh_config}",
            "ansible_ssh_args": "",
            "ansible_python_interpreter": PYTHON,
            "host_storage": DOCUMENT,
            "host_storage_keys": "{{ site_keys }}",
        }
        (folder / "site/hosts.json").write_text(json.dumps({"all": {"hosts": {vm.name: variables}}}))
        (folder / "site/group_vars").mkdir()
        self.bring(KEYS)

    def bring(self, keys: object) -> None:
        """The inventory has these keys from now on."""
        (self.folder / "site/group_vars/all.json").write_text(json.dumps({"site_keys": keys}))

    def run(self, *words: str) -> tuple[int, str]:
        """A command to its end, which nobody could learn a key from; its code and output."""
        environment = {
            **os.environ,
            "ANSIBLE_HOME": str(self.left / "ansible"),
            "ANSIBLE_LOG_PATH": str(self.left / "ansible.log"),
            "TMPDIR": str(self.left / "tmp"),
            "NO_COLOR": "1",
        }
        program = str(Path(sys.executable).with_name(words[0]))
        with subprocess.Popen(
            [program, *words[1:]], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        ) as process:  # fmt: skip
            watch = Watch(process.pid)
            assert process.stdout
            output = process.stdout.read()
        processes = watch.end()
        assert "ansible-playbook" in processes
        for text in (output, processes, *(path.read_text(errors="replace") for path in self._files())):
            assert not found_in(text)
        return process.returncode, output

    def _files(self) -> Iterator[Path]:
        return (path for path in self.left.rglob("*") if path.is_file() and not path.is_symlink())

    def playbook(self) -> tuple[int, str]:
        """``site.yml`` at its most talkative; what Ansible itself puts aside is counted by its log."""
        before = (self.left / "ansible.log").stat().st_size if (self.left / "ansible.log").exists() else 0
        code, output = self.run("ansible-playbook", "-vvvv", "--diff", "-i", str(self.folder / "site"), "site.yml")
        assert (self.left / "ansible.log").stat().st_size > before
        return code, output


def nowhere(vm: VirtualMachine) -> str:
    """All processes of the host since the begin; no key is in them, nor in what was written, but for the key files."""
    vm.ssh("cat >/srv/patterns", input="\n".join(PATTERNS) + "\n")
    assert set(vm.ssh(_WRITTEN, check=False).stdout.splitlines()) == set(KEYS)
    processes = vm.ssh(f"cat {_TRACE}").stdout
    assert not found_in(processes)
    argv = ["grep", "-qaF", "-f", "-", *(str(vm.disk_path(disk.serial)) for disk in vm.machine.disks)]
    assert subprocess.run(argv, input="\n".join(PATTERNS), text=True, check=False).returncode == 1
    return processes


@pytest.fixture(scope="module")
def vm() -> Iterator[VirtualMachine]:
    with throwaway({"disks": DISKS}, name="lab1", say=print) as host:
        host.ssh(_SSHD)
        # The connection that is kept open belongs to the sshd that nobody traces.
        subprocess.run(["ssh", "-F", str(host.ssh_config), "-O", "exit", host.name], capture_output=True, check=False)
        yield host


@pytest.fixture(scope="module")
def site(vm: VirtualMachine, tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("secrets"), vm)


def test_everything_is_made(site: Site, vm: VirtualMachine) -> None:
    code, output = site.playbook()
    assert code == 0, output[-4000:]
    assert "Put the keys where the document says" in output and "luks.format:data" in output
    processes = nowhere(vm)
    for words in ('"cryptsetup", "luksFormat"', '"zfs", "create"', '"/bin/sh", "-c"', LUKS):
        assert words in processes, f"{words} was not seen, so that nothing is shown by this test"


def test_a_wrong_key_is_not_told(site: Site, vm: VirtualMachine) -> None:
    vm.ssh(_CLOSE)
    site.bring(WRONG)
    code, output = site.playbook()
    assert code != 0 and "No key available with this passphrase" in output, output[-4000:]
    nowhere(vm)


def test_keys_of_the_wrong_form_are_not_told(site: Site) -> None:
    """A mistake in the inventory itself: one key where there should be a mapping, a list of them, a mapping in it."""
    for keys in (KEYS[LUKS], list(KEYS.values()), {LUKS: {"key": KEYS[LUKS]}}):
        site.bring(keys)
        code, output = site.playbook()
        assert code != 0, output[-4000:]
    site.bring(KEYS)


def test_the_command_its_plan_and_its_report(site: Site, vm: VirtualMachine) -> None:
    """What was closed is opened by the plan in a file."""
    site.bring(KEYS)
    vm.ssh(f"umask 277; cat >{LUKS}.new && mv {LUKS}.new {LUKS}", input=KEYS[LUKS])
    vm.ssh(f"umask 277; cat >{ZFS}.new && mv {ZFS}.new {ZFS}", input=KEYS[ZFS])
    where, plan = ("-i", str(site.folder / "site")), str(site.left / "plan.json")
    code, output = site.run("barestore", "plan", *where, "--out", plan, "--markdown", str(site.left / "plan.md"))
    assert code == 2, output
    code, output = site.run("barestore", "report", *where, "--out", str(site.left / "report.html"))
    assert "H4sI" in (site.left / "report.html").read_text(), output
    code, output = site.run("barestore", "observe", *where, "--save", str(site.left / "recordings"))
    assert code == 0, output
    code, output = site.run("barestore", "apply", *where, "--plan", plan)
    assert code == 0, output
    assert '"cryptsetup", "open"' in nowhere(vm)
