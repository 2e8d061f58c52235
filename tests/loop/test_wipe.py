# SPDX-License-Identifier: GPL-3.0-or-later
"""Wipes of real devices: refused without consent and with a wrong one, clean afterwards as other tools see it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.barestore.storage.plugins.module_utils.host import blockdevices
from ansible_collections.barestore.storage.plugins.module_utils.host.executor import Executor
from ansible_collections.barestore.storage.plugins.module_utils.host.lvm.report import FULLREPORT
from ansible_collections.barestore.storage.plugins.module_utils.host.observation import (
    Observation,
    Probe,
    ReadFile,
    Signatures,
)
from ansible_collections.barestore.storage.plugins.module_utils.host.observer import Observer
from ansible_collections.barestore.storage.plugins.module_utils.host.selection import Disk
from ansible_collections.barestore.storage.plugins.module_utils.host.signatures.area import places
from ansible_collections.barestore.storage.plugins.module_utils.host.state import Device, Site, State
from ansible_collections.barestore.storage.plugins.module_utils.host.wiping import records
from ansible_collections.barestore.storage.plugins.module_utils.host.wiping.wipes import Wipes
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import Surprise
from ansible_collections.barestore.storage.plugins.module_utils.plan.journal import Journal
from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Plan, Refusal
from ansible_collections.barestore.storage.plugins.module_utils.plan.order import ordered
from ansible_collections.barestore.storage.plugins.module_utils.plan.policy import refusals
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner
from tests.signature_images import CORPUS

pytestmark = pytest.mark.loop

MIB = 1024**2
SIZE = 2048 * MIB
BLOCK = 4096
LINE = re.compile(r"below wipe: (- \{.*\})$")
LUKS = ["cryptsetup", "luksFormat", "-q", "--key-file", "-", "--pbkdf-force-iterations", "1000"]
TOOLS = {
    "mkfs.ext4": ["mkfs.ext4", "-q", "-F"],
    "mkfs.xfs": ["mkfs.xfs", "-q"],
    "mkfs.btrfs": ["mkfs.btrfs", "-q"],
    "mkfs.vfat": ["mkfs.vfat"],
    "mkswap": ["mkswap"],
    "sfdisk-gpt": ["sfdisk", "--quiet", "--no-reread", "--label", "gpt"],
    "sfdisk-dos": ["sfdisk", "--quiet", "--no-reread", "--label", "dos"],
    "cryptsetup-luks1": [*LUKS, "--type", "luks1"],
    "cryptsetup-luks2": [*LUKS, "--type", "luks2", "--pbkdf", "pbkdf2"],
    "pvcreate": ["pvcreate", "-qq"],
}


@pytest.fixture
def disk(
    loop: Callable[..., Device], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Disk]]:
    """``disk(name)``: a disk with a name below /dev/disk/by-id that carries an image of the corpus or of a tool."""
    monkeypatch.setattr(records, "FILE", str(tmp_path / "wipes"))
    monkeypatch.setattr(records, "PROBE", ReadFile(str(tmp_path / "wipes")))
    links: list[Path] = []

    def make(name: str) -> Disk:
        device = loop(SIZE)
        fill(device.path, name)
        link = Path(f"/dev/disk/by-id/loop-barestore-{os.getpid()}-{len(links)}")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(device.path)
        links.append(link)
        kname = Path(device.path).name
        return Disk(link.name, kname, f"LOOP{len(links)}", "", "", "", "", SIZE, 512, 512, False, "", ())

    yield make
    for link in links:
        link.unlink()


def fill(path: str, name: str) -> None:
    if name in TOOLS:
        if shutil.which(TOOLS[name][0]) is None:
            pytest.skip(f"{TOOLS[name][0]} is not installed")
        subprocess.run([*TOOLS[name], path], input=b",,\n", check=True, capture_output=True)
        return
    handle = os.open(path, os.O_RDWR)
    for offset, raw in CORPUS[name][1](SIZE).items():
        os.pwrite(handle, raw, offset)
    os.fsync(handle)
    os.close(handle)


class NoGroups(Observer):
    """LVM as it answers where no group is: the labels of these images belong to none, and the tool may not be here."""

    def answers(self, probes: Iterable[Probe]) -> dict[str, Any]:
        none = {FULLREPORT.key: {"rc": 0, "stdout": '{"report": []}', "stderr": ""}}
        asked = list(probes)
        found = super().answers(one for one in asked if one != FULLREPORT)
        return {**found, **(none if FULLREPORT in asked else {})}


def plan(disk: Disk, *consents: dict[str, str]) -> Plan:
    """What a plan with this disk in its way makes of it."""

    def planned(seen: Observation) -> Plan:
        have = State({"disk": (disk,)}, blockdevices.read(seen))
        wipes = Wipes(have, seen, Site("loop", "here", {"wipe": list(consents)}))
        wipes.add([Refusal(f"disk {disk.title}", "it is in the way", "", (disk.id,))], [disk])
        actions = tuple(wipes.actions())
        refused = tuple(wipes.refusals())
        return Plan(() if refused else ordered(actions), refused or tuple(refusals(actions, wipes.consents)))

    return NoGroups(Runner()).observe((*blockdevices.PROBES, records.PROBE), planned)[1]


def consent(plan: Plan) -> dict[str, str]:
    (refusal,) = plan.refusals
    line = LINE.search(refusal.hint)
    assert line, refusal.sentence()
    (entry,) = yaml.safe_load(line[1])
    return dict(entry)


def execute(plan: Plan, folder: Path) -> None:
    assert not plan.refusals, [one.sentence() for one in plan.refusals]
    runner = Runner()
    journal = Journal.create(str(folder), 64)
    try:
        Executor(runner, journal, Observer(runner).shortfall).execute(plan)
    finally:
        journal.close()


def digest(path: Path) -> str:
    """Of a sparse file: what is in it, and where."""
    os.sync()
    found = hashlib.sha256()
    with path.open("rb") as handle:
        end = 0
        while end < SIZE:
            try:
                start = os.lseek(handle.fileno(), end, os.SEEK_DATA)
            except OSError:
                break
            end = os.lseek(handle.fileno(), start, os.SEEK_HOLE)
            # Extents come and go as the file system likes; blocks with something in them do not.
            for at in range(start // BLOCK * BLOCK, end, BLOCK):
                raw = os.pread(handle.fileno(), BLOCK, at)
                if any(raw):
                    found.update(f"{at} ".encode() + raw)
    return found.hexdigest()


@pytest.mark.parametrize("name", [*TOOLS, *CORPUS])
def test_refused_then_wiped_clean(disk: Callable[[str], Disk], tmp_path: Path, name: str) -> None:
    one = disk(name)
    before = digest(tmp_path / "disk0")
    line = consent(plan(one))
    assert line["serial"] == one.serial
    wrong = {**line, "contents": "sha256:" + "0" * 64}
    assert "names other contents" in plan(one, wrong).refusals[0].message
    assert consent(plan(one, wrong)) == line
    assert digest(tmp_path / "disk0") == before
    execute(plan(one, line), tmp_path)
    wipefs = subprocess.run(["wipefs", "--no-act", one.path], capture_output=True, text=True)
    assert (wipefs.returncode, wipefs.stdout, wipefs.stderr) == (0, "", "")
    assert subprocess.run(["blkid", "-p", one.path], capture_output=True).returncode == 2
    with open(one.path, "rb") as handle:
        for offset, length in places(SIZE):
            handle.seek(offset)
            assert not any(handle.read(length))
    answer = Observer(Runner()).answers([Signatures(one.path)])[Signatures(one.path).key]
    assert (answer["found"], answer["error"]) == ([], "")
    # The same contents once more: the consent was used.
    fill(one.path, name)
    assert consent(plan(one, line)) != line


def test_what_changes_between_plan_and_wipe_is_kept(disk: Callable[[str], Disk], tmp_path: Path) -> None:
    one = disk("mkfs.ext4")
    ready = plan(one, consent(plan(one)))
    subprocess.run(["mkfs.xfs", "-q", "-f", one.path], check=True)
    before = digest(tmp_path / "disk0")
    with pytest.raises(Surprise, match="no longer carries what it was planned for"):
        execute(ready, tmp_path)
    assert digest(tmp_path / "disk0") == before
    assert "xfs" in plan(one, consent(plan(one))).actions[0].destroys[0].what


def test_what_somebody_holds_is_refused(disk: Callable[[str], Disk], tmp_path: Path) -> None:
    one = disk("mkfs.ext4")
    ready = plan(one, consent(plan(one)))
    before = digest(tmp_path / "disk0")
    handle = os.open(one.path, os.O_RDONLY | os.O_EXCL)
    try:
        assert "in use by the kernel" in plan(one).refusals[0].sentence()
        with pytest.raises(Surprise, match="in use by the kernel"):
            execute(ready, tmp_path)
    finally:
        os.close(handle)
    assert digest(tmp_path / "disk0") == before


@pytest.mark.parametrize("name", ["sfdisk-gpt", "cryptsetup-luks2", "zfs", "md-1.2", "bluestore"])
def test_a_wipe_that_was_cut_off_goes_on(disk: Callable[[str], Disk], tmp_path: Path, name: str) -> None:
    """The host remembers the wipe; of the disk the first sectors are gone, and nothing else."""
    one = disk(name)
    line = consent(plan(one))
    (wipe,) = plan(one, line).actions
    Path(records.FILE).write_text(f"{wipe.steps[0].after}\n")  # type: ignore[union-attr]
    handle = os.open(one.path, os.O_RDWR)
    os.pwrite(handle, bytes(1024), 0)
    os.close(handle)
    assert consent(plan(one)) == line if plan(one).refusals else True
    execute(plan(one, line), tmp_path)
    assert '"done":1' in Path(records.FILE).read_text()
