# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds' commands with the real tools on loop devices: what they make is what their own reading finds again."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host import blockdevices, normal_form
from ansible_collections.barestore.storage.plugins.module_utils.host.executor import Executor
from ansible_collections.barestore.storage.plugins.module_utils.host.kinds import (
    filesystem,
    mount,
    partition_table,
    swap,
)
from ansible_collections.barestore.storage.plugins.module_utils.host.observation import Observation
from ansible_collections.barestore.storage.plugins.module_utils.host.observer import Observer
from ansible_collections.barestore.storage.plugins.module_utils.host.state import Device, Site, State
from ansible_collections.barestore.storage.plugins.module_utils.plan.journal import Journal
from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Action, Note, Plan, Refusal
from ansible_collections.barestore.storage.plugins.module_utils.plan.order import ordered
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner

pytestmark = pytest.mark.loop

MIB = 1024**2
UDEV = Path("/run/udev/control")
SITE = Site("loop", "here")
KINDS = (filesystem, swap, mount)


def plan(document: dict[str, Any], device: Device) -> Plan:
    """The plan of the kinds that need no device-mapper, with ``device`` as what the reference ``disk`` means."""
    long = normal_form.long_form(document)

    def planned(seen: Observation) -> Plan:
        have = State({}, blockdevices.read(seen))
        want = State(block=have.block, devices={"disk": (device,)})
        for kind in KINDS:
            have.kinds[kind.KIND] = kind.observe(seen, have.block)
            want.kinds[kind.KIND] = tuple(kind.declare(long, have, want, SITE, seen))
        steps = [step for kind in KINDS for step in kind.plan(have, want, SITE, seen)]
        actions = {step.id: step for step in steps if isinstance(step, Action)}
        refusals = tuple(step for step in steps if isinstance(step, Refusal))
        return Plan(
            ordered(actions.values()), refusals, notes=tuple(x.sentence() for x in steps if isinstance(x, Note))
        )

    probes = (*blockdevices.PROBES, *(probe for kind in KINDS for probe in kind.probes(long)))
    return Observer(Runner()).observe(probes, planned)[1]


def apply(document: dict[str, Any], device: Device, folder: Path) -> list[str]:
    """Run the plan; its action ids. A second plan must be empty."""
    found = plan(document, device)
    assert not found.refusals, [one.sentence() for one in found.refusals]
    for path in {Path(one) for action in found.actions for one in action.waits if one != device.path}:
        link(path, device)
    runner = Runner()
    journal = Journal.create(str(folder), 64)
    Executor(runner, journal, Observer(runner).shortfall).execute(found)
    journal.close()
    probe(device)
    again = plan(document, device)
    assert not again.refusals
    assert [one.id for one in again.actions] == []
    return [one.id for one in found.actions]


def link(path: Path, device: Device) -> None:
    """What udev does where it runs."""
    if UDEV.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(device.path)


def probe(device: Device) -> None:
    """Another thing that udev does: what libblkid finds goes into its database, where lsblk reads it."""
    if UDEV.exists():
        return
    number = os.stat(device.path).st_rdev
    found = subprocess.run(["blkid", "-p", "-o", "udev", device.path], capture_output=True, text=True)
    lines = ["I:1", *(f"E:{line}" for line in found.stdout.splitlines())]
    path = Path(f"/run/udev/data/b{os.major(number)}:{os.minor(number)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))


def filesystem_document(kind: str, path: Path, **fields: Any) -> dict[str, Any]:
    return {"filesystems": {"data": {"device": "disk", "type": kind, "mount": {"path": str(path)}, **fields}}}


@pytest.mark.parametrize("sector", [512, 4096])
@pytest.mark.parametrize("kind, label", [("ext4", "a-label"), ("xfs", "a-label"), ("vfat", "A-LABEL")])
def test_made_labelled_mounted_and_grown(
    loop: Callable[..., Device], tmp_path: Path, kind: str, label: str, sector: int
) -> None:
    device, path = loop(400 * MIB, sector), tmp_path / "srv"
    document = filesystem_document(kind, path, label=label)
    if f"\t{kind}\n" not in Path("/proc/filesystems").read_text():
        # This machine's kernel cannot mount it: made and labelled is what can be seen here; the lab mounts it.
        del document["filesystems"]["data"]["mount"]
        assert apply(document, device, tmp_path) == ["filesystem.create:disk"]
        found = subprocess.run(["blkid", "-p", "-o", "export", device.path], capture_output=True, text=True, check=True)
        assert {f"TYPE={kind}", f"LABEL={label}"} <= set(found.stdout.splitlines())
        return
    assert apply(document, device, tmp_path) == ["filesystem.create:disk", f"mount.mount:{path}"]
    (path / "kept").write_text("kept")
    argv = ["findmnt", "-nro", "FSTYPE,LABEL,UUID", str(path)]
    seen = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()
    assert seen[:2] == [kind, label]
    assert f"UUID={seen[2]} {path} {kind} defaults,nofail" in Path("/etc/fstab").read_text()
    if kind != "vfat":
        grow(device, path, tmp_path, kind, label)


def grow(device: Device, path: Path, folder: Path, kind: str, label: str) -> None:
    """ext4 grows unmounted here, since growing it mounted takes a right that containers lack; the lab does both."""
    document = filesystem_document(kind, path, label=label)
    if kind == "ext4":
        subprocess.run(["umount", str(path)], check=True)
        del document["filesystems"]["data"]["mount"]
    with (folder / "disk0").open("r+b") as handle:
        handle.truncate(900 * MIB)
    subprocess.run(["losetup", "--set-capacity", device.path], check=True)
    grown = replace(device, size=900 * MIB)
    assert apply(document, grown, folder / "2") == ["filesystem.grow:disk"]
    if kind == "ext4":
        subprocess.run(["mount", device.path, str(path)], check=True)
    assert (path / "kept").read_text() == "kept"


def test_a_file_system_that_the_kernel_met_errors_in_is_told_until_it_was_checked(
    loop: Callable[..., Device], tmp_path: Path
) -> None:
    device, path = loop(100 * MIB), tmp_path / "srv"
    document = filesystem_document("ext4", path)
    apply(document, device, tmp_path)
    assert plan(document, device).notes == ()
    Path(f"/sys/fs/ext4/{Path(device.path).name}/trigger_fs_error").write_text("of this test")
    found = plan(document, device)
    assert (found.actions, found.refusals) == ((), ())
    (note,) = found.notes
    assert note.startswith(f"{path}: the kernel met errors in its ext4 (1) and may have stopped writing to it; unmount")
    subprocess.run(["umount", str(path)], check=True)
    subprocess.run(["e2fsck", "-f", "-y", device.path], check=False, capture_output=True)
    apply(document, device, tmp_path / "2")
    assert plan(document, device).notes == ()


def test_changed_options_and_owner_of_a_mount(loop: Callable[..., Device], tmp_path: Path) -> None:
    device, path = loop(64 * MIB), tmp_path / "srv"
    apply(filesystem_document("ext4", path), device, tmp_path)
    changed = filesystem_document("ext4", path)
    changed["filesystems"]["data"]["mount"].update(options=["noatime"], owner="daemon", group="daemon", mode="0750")
    assert apply(changed, device, tmp_path / "2") == [f"mount.change:{path}", f"mount.own:{path}"]
    assert "noatime" in subprocess.run(["findmnt", "-nro", "OPTIONS", str(path)], capture_output=True, text=True).stdout
    assert path.owner() == "daemon"
    assert path.stat().st_mode & 0o777 == 0o750


def test_swap(loop: Callable[..., Device], tmp_path: Path) -> None:
    device = loop(64 * MIB)
    done = apply({"swap": {"s": {"device": "disk", "priority": 7}}}, device, tmp_path)
    assert done == ["swap.create:disk", "swap.use:disk"]
    rows = [row.split() for row in Path("/proc/swaps").read_text().splitlines()]
    assert [device.path, "7"] in [[row[0], row[4]] for row in rows]


@pytest.mark.parametrize(
    "mkfs",
    [["mkfs.ext4", "-q"], ["mkfs.xfs", "-q"], ["mkfs.vfat"], ["mkswap"], ["sfdisk", "--quiet"]],
)
def test_what_carries_anything_is_refused_and_keeps_every_byte(
    loop: Callable[..., Device], tmp_path: Path, mkfs: list[str]
) -> None:
    device = loop(400 * MIB)
    subprocess.run([*mkfs, device.path], check=True, capture_output=True, input=b"label: gpt\n")
    if mkfs[0] in ("mkfs.ext4", "mkswap"):
        wanted = filesystem_document("xfs", tmp_path / "srv")
    else:
        wanted = {"swap": {"s": {"device": "disk"}}}
    before = subprocess.run(["sha256sum", device.path], capture_output=True, check=True).stdout
    (refusal,) = plan(wanted, device).refusals
    assert refusal.message.startswith("it carries ")
    assert subprocess.run(["sha256sum", device.path], capture_output=True, check=True).stdout == before


def test_a_folder_with_files_is_not_hidden_by_a_mount(loop: Callable[..., Device], tmp_path: Path) -> None:
    path = tmp_path / "srv"
    path.mkdir()
    (path / "precious").write_text("x")
    (refusal,) = plan(filesystem_document("ext4", path), loop(64 * MIB)).refusals
    assert refusal.sentence() == (
        f"{path}: the folder is not empty, and a mount would hide what is in it; move its files away first."
    )


@pytest.mark.parametrize("sector", [512, 4096])
def test_a_partition_table_is_what_was_planned(loop: Callable[..., Device], tmp_path: Path, sector: int) -> None:
    """The kernel of a loop device parses no table here, so that sfdisk reads it back."""
    device = loop(512 * MIB, sector)
    entries = [
        {"name": "slog", "size": "64 MiB", "use": "zfs"},
        {"name": "share", "size": "25%", "use": "lvm"},
        {"name": "rest", "size": "rest", "use": "filesystem"},
    ]
    document = {"partitions": {"disk": entries}}
    want = State(devices={"disk": (device,)})
    items = list(partition_table.declare(document, State(), want, SITE, Observation()))
    (table,) = [one for one in items if isinstance(one, partition_table.PartitionTable)]
    want.kinds[partition_table.KIND] = (table,)
    steps = partition_table.plan(State(), want, SITE, Observation())
    (create,) = [step for step in steps if isinstance(step, Action)]
    (command,) = create.steps
    result = Runner().run(command.argv, command.stdin)  # type: ignore[union-attr]
    assert result.rc == 0, result.stderr
    answer = subprocess.run(["sfdisk", "--json", device.path], capture_output=True, text=True, check=True)
    found = json.loads(answer.stdout)["partitiontable"]
    assert found["id"].lower() == table.uuid
    read = [
        (one["start"] * sector, one["size"] * sector, one["name"], one["uuid"].lower()) for one in found["partitions"]
    ]
    assert read == [(part.start, part.size, part.name, part.uuid) for part in table.partitions]
    assert all(start % MIB == 0 and size % MIB == 0 for start, size, _name, _uuid in read)
    assert read[-1][0] + read[-1][1] == 511 * MIB
