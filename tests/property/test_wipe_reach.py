# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a wipe reaches: groups, pools and arrays over several disks, and whoever uses a disk now."""

from __future__ import annotations

import re
from typing import Any

import disk_sets
import pytest
import yaml
from simulated_block import GIB, MIB, Content, DiskModel, Node
from simulated_host import SITE, SimulatedHost

from ansible_collections.barestore.storage.plugins.module_utils.host.state import Site
from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Action, Plan

OLD = Action("test", "make", "old", steps=())
LINE = re.compile(r"below wipe: (- \{.*\})\.$")
DISKS = tuple(DiskModel(f"S{one}", "scsi", one, 4 * GIB, wwn=f"0x5000c5000000000{one}") for one in range(1, 4))
ONE: dict[str, Any] = {
    "disks": {"one": {"match": {"serial": "S1"}, "count": 1}},
    "filesystems": {"data": {"device": "one", "type": "ext4"}},
}


@pytest.fixture
def host() -> SimulatedHost:
    return SimulatedHost((disk_sets.system_disk(), *DISKS))


def disk(host: SimulatedHost, serial: str) -> Node:
    return next(node for node in host.nodes if node.disk and node.disk.serial == serial)


def group(host: SimulatedHost, *serials: str) -> None:
    """A volume group with an active volume."""
    paths = [disk(host, one).links[0] for one in serials]
    for path in paths:
        options = ("--norestorefile", "--dataalignment", f"{MIB}b", "--dataalignmentoffset", "0")
        host.command(("pvcreate", "--uuid", f"uuid-of-{path[-2:]}", *options, path), "", OLD)
    host.command(("vgcreate", "--physicalextentsize", f"{4 * MIB}b", "old", *paths), "", OLD)
    host.command(("lvcreate", "--type", "linear", "--extents", "1", "--name", "left", "--yes", "old"), "", OLD)
    host.fresh.clear()


def both(kind: str, host: SimulatedHost) -> None:
    for serial in ("S1", "S2"):
        disk(host, serial).content = Content(kind, "7e57ab1e-0000-4000-8000-00000000001d", "old")


def lines(plan: Plan) -> list[dict[str, str]]:
    found = [LINE.search(one.sentence()) for one in plan.refusals]
    return [entry for one in found if one for entry in yaml.safe_load(one[1])]


def site(wipe: list[dict[str, str]]) -> Site:
    return Site(SITE.name, SITE.host, {"wipe": wipe})


def test_a_group_goes_as_a_whole_when_all_its_disks_are_consented(host: SimulatedHost) -> None:
    group(host, "S1", "S2")
    refused = host.plan(ONE)
    assert "it is in the volume group old, which goes with it" in refused.refusals[1].sentence()
    wipe = lines(refused)
    assert [one["serial"] for one in wipe] == ["S1", "S2"]
    for one in wipe:
        assert len(lines(host.plan(ONE, site([one])))) == 1
    plan = host.plan(ONE, site(wipe))
    ids = [action.id for action in plan.actions]
    assert ids.index("volume_group.deactivate:old") < ids.index("disk.wipe:S1") < ids.index("filesystem.create:one@S1")
    assert "disk.wipe:S2" in ids
    assert set(plan.identities) == {"wwn-0x5000c50000000001", "wwn-0x5000c50000000002"}
    for action in plan.actions:
        host.run(action)
    assert host.plan(ONE, site(wipe)).actions == ()
    assert disk(host, "S2").signatures() == []


@pytest.mark.parametrize(
    ("kind", "word"), [("linux_raid_member", "md array"), ("zfs_member", "pool"), ("btrfs", "Btrfs")]
)
def test_what_a_disk_that_stays_is_a_member_of_is_kept(host: SimulatedHost, kind: str, word: str) -> None:
    """S2 was given away: its contents are its owner's."""
    both(kind, host)
    host.links["/var/lib/barestore/local-volumes/two/wwn-0x5000c50000000002"] = disk(host, "S2").links[0]
    document = {
        **ONE,
        "disks": {**ONE["disks"], "two": {"match": {"serial": "S2"}, "count": 1}},
        "local_volumes": {"two": {"storage_class": "local"}},
    }
    (refusal,) = host.plan(document).refusals
    assert f"the {word}" in refusal.hint and "lies on disk S2" in refusal.hint and "stays" in refusal.hint
    assert lines(host.plan(document)) == []


@pytest.mark.parametrize("kind", ["linux_raid_member", "zfs_member", "btrfs"])
def test_members_of_one_thing_are_asked_for_together(host: SimulatedHost, kind: str) -> None:
    both(kind, host)
    wipe = lines(host.plan(ONE))
    assert [one["serial"] for one in wipe] == ["S1", "S2"]
    assert host.plan(ONE, site(wipe[:1])).actions == ()
    assert [one.verb for one in host.plan(ONE, site(wipe)).actions] == ["pin", "wipe", "wipe", "create"]


def test_what_is_mounted_is_not_wiped(host: SimulatedHost) -> None:
    one = disk(host, "S1")
    one.content = Content("btrfs", "7e57ab1e-0000-4000-8000-00000000001d", "old")
    wipe = lines(host.plan(ONE))
    host.mounts["/mnt"] = one
    one.users.add("mount")
    for consents in ([], wipe):
        (refusal,) = host.plan(ONE, site(consents)).refusals
        assert refusal.hint == f"{one.path} is mounted on /mnt: unmount it by hand first"


def test_a_volume_in_use_keeps_its_group(host: SimulatedHost) -> None:
    group(host, "S1")
    volume = next(node for node in host.nodes if node.kind == "lvm")
    host.mounts["/mnt"] = volume
    volume.users.add("mount")
    (refusal,) = host.plan(ONE).refusals
    assert refusal.hint == f"{volume.path} is mounted on /mnt: unmount it by hand first"


def test_a_wwn_is_asked_for_where_there_is_no_serial() -> None:
    nameless = DiskModel("", "scsi", 1, 4 * GIB, wwn="0x5000c50000000001")
    host = SimulatedHost((disk_sets.system_disk(), nameless))
    host.nodes[1].content = Content("btrfs", "7e57ab1e-0000-4000-8000-00000000001d")
    document = {**ONE, "disks": {"one": {"match": {"wwn": "0x5000c50000000001"}, "count": 1}}}
    wipe = lines(host.plan(document))
    assert [list(one) for one in wipe] == [["wwn", "contents"]]
    assert host.plan(document, site(wipe)).refusals == ()


def test_a_record_that_is_damaged_is_an_error(host: SimulatedHost) -> None:
    host.files["/var/lib/barestore/wipes"] = "{"
    with pytest.raises(Exception, match="is damaged, so nobody knows which consents"):
        host.plan(ONE)


def test_an_unfinished_wipe_needs_its_consent_still(host: SimulatedHost) -> None:
    one = disk(host, "S1")
    one.content = Content("btrfs", "7e57ab1e-0000-4000-8000-00000000001d", "old")
    wipe = lines(host.plan(ONE))
    action = next(each for each in host.plan(ONE, site(wipe)).actions if each.verb == "wipe")
    host.step(action.steps[0], action)
    assert lines(host.plan(ONE)) == wipe
    # Somebody puts something else on it: what was begun does not hold for that.
    one.content = Content("crypto_LUKS", "7e57ab1e-0000-4000-8000-00000000001d", "new")
    assert len(lines(host.plan(ONE, site(wipe)))) == 1
    # Nothing is left of it: the end is remembered without any consent, since nothing is lost.
    one.content = None
    plan = host.plan(ONE)
    assert [each.verb for each in plan.actions] == ["pin", "wipe", "create"]
    assert plan.actions[1].destroys == ()


def test_partitions_of_the_document_are_never_offered_to_a_wipe(host: SimulatedHost) -> None:
    """A mistake in sizes is answered by words on sizes."""
    table: dict[str, Any] = {
        "disks": ONE["disks"],
        "partitions": {"one": [{"name": "a", "size": "1 GiB"}, {"name": "b", "size": "rest"}]},
    }
    for action in host.plan(table).actions:
        host.run(action)
    table["partitions"]["one"][0]["size"] = "512 MiB"
    (refusal,) = host.plan(table).refusals
    assert refusal.hint == "correct the sizes under partitions"
