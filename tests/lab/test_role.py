# SPDX-License-Identifier: GPL-3.0-or-later
"""The role on a host that lacks tools: it installs what the document asks for from the distribution, once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from barestore.lab.throwaway import throwaway
from barestore.lab.vm import VirtualMachine
from tests.lab.converge import ROOT

pytestmark = pytest.mark.lab

DISKS: list[dict[str, Any]] = [{"serial": "HDD1", "type": "hdd", "size": "4 GiB"}]
DOCUMENT: dict[str, Any] = {
    "disks": {"data": {"match": {"serial": "HDD1"}, "count": 1}},
    "lvm": {
        "data": {
            "physical_volumes": ["data"],
            "volumes": {"srv": {"size": "1 GiB", "filesystem": "xfs", "mount": "/srv/data"}},
        }
    },
}


@pytest.fixture
def vm() -> Iterator[VirtualMachine]:
    with throwaway({"disks": DISKS}, name="bare1", say=print) as host:
        yield host


def site(vm: VirtualMachine, folder: Path) -> str:
    """Run site.yml as people do; its output, which must end well."""
    variables = {
        "ansible_ssh_common_args": f"-F {vm.ssh_config}",
        "ansible_ssh_args": "",
        "host_storage_site": "lab",
        "host_storage": DOCUMENT,
    }
    (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {vm.name: variables}}}))
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(folder), "site.yml"],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


def test_missing_tools_are_installed_once(vm: VirtualMachine, tmp_path: Path) -> None:
    vm.ssh("dpkg --purge --force-depends lvm2 xfsprogs >/dev/null 2>&1; ! command -v lvm && ! command -v mkfs.xfs")
    first = site(vm, tmp_path)
    assert "Install the packages" in first
    assert vm.ssh("findmnt -rno FSTYPE /srv/data").stdout.strip() == "xfs"
    second = site(vm, tmp_path)
    assert "Install the packages" not in second
    assert "changed=0" in second
