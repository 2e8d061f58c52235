# SPDX-License-Identifier: GPL-3.0-or-later
"""Wipes of real devices: refused without consent and with a wrong one, clean afterwards as other tools see it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host.observation import ReadFile, Signatures
from ansible_collections.barestore.storage.plugins.module_utils.host.observer import Observer
from ansible_collections.barestore.storage.plugins.module_utils.host.selection import Disk
from ansible_collections.barestore.storage.plugins.module_utils.host.signatures.area import places
from ansible_collections.barestore.storage.plugins.module_utils.host.state import Device
from ansible_collections.barestore.storage.plugins.module_utils.host.wiping import records
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import Surprise
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner
from tests.loop.wiping import consent, digest, execute, plan
from tests.signature_images import CORPUS

pytestmark = pytest.mark.loop

MIB = 1024**2
SIZE = 2048 * MIB
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


@pytest.mark.parametrize("name", [*TOOLS, *CORPUS])
def test_refused_then_wiped_clean(disk: Callable[[str], Disk], tmp_path: Path, name: str) -> None:
    one = disk(name)
    before = digest(tmp_path / "disk0", one.path)
    line = consent(plan(one))
    assert line["serial"] == one.serial
    wrong = {**line, "contents": "sha256:" + "0" * 64}
    assert "names other contents" in plan(one, wrong).refusals[0].message
    assert consent(plan(one, wrong)) == line
    assert digest(tmp_path / "disk0", one.path) == before
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
    before = digest(tmp_path / "disk0", one.path)
    with pytest.raises(Surprise, match="no longer carries what it was planned for"):
        execute(ready, tmp_path)
    assert digest(tmp_path / "disk0", one.path) == before
    assert "xfs" in plan(one, consent(plan(one))).actions[0].destroys[0].what


@pytest.mark.parametrize("swapped", ["names", "contents"])
def test_disks_that_change_places_between_plan_and_wipe_are_kept(
    disk: Callable[[str], Disk], tmp_path: Path, swapped: str
) -> None:
    """The consents hold for both disks, and still neither is written to: each was for what the other carries now."""
    one, other = disk("mkfs.ext4"), disk("mkfs.xfs")
    nodes = [os.path.realpath(each.path) for each in (one, other)]
    ready = [(each, consent(plan(each)), plan(each, consent(plan(each)))) for each in (one, other)]
    if swapped == "names":
        for each, node in ((one, nodes[1]), (other, nodes[0])):
            Path(each.path).unlink()
            Path(each.path).symlink_to(node)
    else:
        for image in ("disk0", "disk1"):
            subprocess.run(["cp", "--sparse=always", tmp_path / image, tmp_path / f"{image}.copy"], check=True)
        for image, node in (("disk0.copy", other.path), ("disk1.copy", one.path)):
            subprocess.run(["blkdiscard", node], check=True)
            subprocess.run(["dd", f"if={tmp_path / image}", f"of={node}", "bs=1M", "conv=notrunc,sparse"], check=True)
    before = [digest(tmp_path / f"disk{number}", node) for number, node in enumerate(nodes)]
    for each, line, planned in ready:
        with pytest.raises(Surprise, match="no longer carries what it was planned for"):
            execute(planned, tmp_path)
        # Who plans anew after the swap is refused as well, with the same consent.
        if swapped == "contents":
            assert "names other contents" in plan(each, line).refusals[0].message
    assert [digest(tmp_path / f"disk{number}", node) for number, node in enumerate(nodes)] == before


def test_what_somebody_holds_is_refused(disk: Callable[[str], Disk], tmp_path: Path) -> None:
    one = disk("mkfs.ext4")
    ready = plan(one, consent(plan(one)))
    before = digest(tmp_path / "disk0", one.path)
    handle = os.open(one.path, os.O_RDONLY | os.O_EXCL)
    try:
        assert "in use by the kernel" in plan(one).refusals[0].sentence()
        with pytest.raises(Surprise, match="in use by the kernel"):
            execute(ready, tmp_path)
    finally:
        os.close(handle)
    assert digest(tmp_path / "disk0", one.path) == before


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
