# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which OSDs go and where new ones come; among them the twins of two production layouts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.cluster import placement
from ansible_collections.barestore.storage.plugins.module_utils.cluster.decide import decide
from ansible_collections.barestore.storage.plugins.module_utils.cluster.room import Room
from ansible_collections.barestore.storage.plugins.module_utils.cluster.state import (
    Claim,
    Cluster,
    Deployment,
    DeviceSet,
    Node,
    Osd,
    Volume,
)
from ansible_collections.barestore.storage.plugins.module_utils.cluster.wanted import Wanted
from tests.unit.plugins.module_utils.cluster import recorded

TIB = 1024**4


def layout(
    hosts: dict[str, tuple[str, int]], free: dict[str, int] | None = None, used: dict[int, float] | None = None
) -> Cluster:
    """Hosts by name with their rack and number of OSDs; free volumes by host; fullness by OSD."""
    osds, claims, deployments, volumes = {}, {}, [], {}
    number = 0
    for host, (rack, count) in hosts.items():
        for _one in range(count):
            claim = f"hdd-data-{number}"
            share = (used or {}).get(number, 0.4)
            place = {"root": "default", "rack": rack, "host": host}
            osds[number] = Osd(number, f"u{number}", True, True, 1.0, "hdd", TIB, int(TIB * share), 9, place)
            claims[claim] = Claim(claim, "hdd", number, True, "Bound", f"v{number}", "", False)
            volumes[f"v{number}"] = volume(f"v{number}", host, f"ceph-hdd/{claim}")
            deployments.append(Deployment(f"rook-ceph-osd-{number}", number, claim, 1, 1, False, "Recreate", False))
            number += 1
        for extra in range((free or {}).get(host, 0)):
            volumes[f"free-{host}-{extra}"] = volume(f"free-{host}-{extra}", host, "")
    return replace(
        recorded.cluster("drained"),
        osds=osds,
        claims=claims,
        volumes=volumes,
        deployments=tuple(deployments),
        nodes={host: Node(host, rack, True, True) for host, (rack, _count) in hosts.items()},
        sets=(DeviceSet("hdd", 0, number, "local-storage", "hdd", TIB),),
    )


def volume(name: str, node: str, claim: str) -> Volume:
    phase = "Bound" if claim else "Available"
    return Volume(name, "local-storage", phase, TIB, node, f"/v/{name}", name, claim, "", "Retain")


def racks(count: int, hosts: int, each: int) -> dict[str, tuple[str, int]]:
    return {f"h{r}{h}": (f"rack{r}", each) for r in range(1, count + 1) for h in range(1, hosts + 1)}


def gone(seen: Cluster, number: int, kind: str = "rack") -> list[int]:
    return [one.osd.id for one in placement.leaving(seen, seen.sets[0], number, kind) if one.osd]


def after(seen: Cluster, ids: list[int], kind: str) -> dict[str, int]:
    return placement.spread(seen, "hdd", kind, ids)


@pytest.mark.parametrize(
    ("hosts", "to"),
    [(racks(3, 2, 3), 15), (racks(3, 2, 3), 16), (racks(3, 3, 2), 9), (racks(4, 5, 1), 16), (racks(5, 2, 2), 15)],
    ids=["18 HDD to 15", "18 HDD to 16", "18 HDD to 9", "20 NVMe to 16", "20 NVMe to 15"],
)
def test_twins_of_production_stay_balanced(hosts: dict[str, tuple[str, int]], to: int) -> None:
    seen = layout(hosts)
    ids = gone(seen, len(seen.osds) - to)
    assert len(ids) == len(set(ids)) == len(seen.osds) - to
    for kind in ("rack", "host"):
        counts = after(seen, ids, kind)
        assert max(counts.values()) - min(counts.values()) <= 1, counts


def test_racks_that_have_more_give_first() -> None:
    seen = layout({"a": ("rack1", 4), "b": ("rack2", 2), "c": ("rack3", 2)})
    assert after(seen, gone(seen, 2), "rack") == {"rack1": 2, "rack2": 2, "rack3": 2}


def test_the_emptiest_goes_among_equals() -> None:
    seen = layout(racks(1, 1, 3), used={0: 0.5, 1: 0.2, 2: 0.5})
    assert gone(seen, 1) == [1]


def test_small_differences_of_fullness_change_no_plan() -> None:
    first = layout(racks(1, 1, 3), used={0: 0.401, 1: 0.402, 2: 0.404})
    second = layout(racks(1, 1, 3), used={0: 0.404, 1: 0.402, 2: 0.401})
    assert gone(first, 2) == gone(second, 2) == [2, 1]


def test_a_claim_without_an_osd_goes_first() -> None:
    seen = layout(racks(3, 1, 2))
    claims = {**seen.claims, "hdd-data-9": Claim("hdd-data-9", "hdd", 9, True, "Pending", "", "", False)}
    chosen = placement.leaving(replace(seen, claims=claims), seen.sets[0], 1, "rack")
    assert [(one.claim.name, one.osd) for one in chosen] == [("hdd-data-9", None)]


def test_new_osds_come_where_there_are_fewest() -> None:
    seen = layout({"a": ("rack1", 2), "b": ("rack2", 1), "c": ("rack3", 1)}, free={"a": 3, "b": 3, "c": 3})
    assert placement.arriving(seen, seen.sets[0], 4, "rack", Room(seen, "rack")) == (
        ("rack2", "rack3", "rack1", "rack2"),
        (),
    )


def test_a_rack_without_disks_is_told() -> None:
    seen = layout(racks(3, 1, 2), free={"h11": 2, "h21": 2})
    _domains, refused = placement.arriving(seen, seen.sets[0], 4, "rack", Room(seen, "rack"))
    assert (
        "4 in rack rack1, 4 in rack rack2, 2 in rack rack3, since rack rack3 has no free volume" in refused[0].message
    )


def test_too_few_volumes_are_counted_by_rack() -> None:
    seen = layout(racks(3, 1, 2), free={"h11": 1})
    _domains, refused = placement.arriving(seen, seen.sets[0], 3, "rack", Room(seen, "rack"))
    assert refused[0].message == (
        "3 new OSDs need 3 free volumes of at least 1.0 TiB in local-storage, and there are 1: "
        "rack rack1 1, rack rack2 0, rack rack3 0"
    )


def test_volumes_on_nodes_that_are_not_ready_do_not_count() -> None:
    seen = layout(racks(3, 1, 2), free={"h11": 1, "h21": 1, "h31": 1})
    nodes = {**seen.nodes, "h31": replace(seen.nodes["h31"], schedulable=False)}
    assert Room(replace(seen, nodes=nodes), "rack").places(seen.sets[0]) == {"rack1": 1, "rack2": 1}


def test_volumes_that_were_deleted_do_not_count() -> None:
    seen = layout(racks(3, 1, 2), free={"h11": 1, "h21": 1})
    volumes = {**seen.volumes, "free-h11-0": replace(seen.volumes["free-h11-0"], deleting=True)}
    assert Room(replace(seen, volumes=volumes), "rack").places(seen.sets[0]) == {"rack2": 1}


def test_topolvm_has_room_by_bytes() -> None:
    seen = layout(racks(3, 1, 2))
    bare = {name: replace(one, path="") for name, one in seen.volumes.items()}
    nodes = {name: replace(one, free={"00default": int(2.5 * TIB)}) for name, one in seen.nodes.items()}
    room = Room(replace(seen, volumes=bare, nodes=nodes), "rack")
    assert room.places(seen.sets[0]) == {"rack1": 2, "rack2": 2, "rack3": 2}
    assert room.spread(seen.sets[0], {"rack1": 1, "rack2": 0}, 2) == ("rack2", "rack3")
    assert room.places(seen.sets[0]) == {"rack1": 2, "rack2": 1, "rack3": 1}


def two_sets(free: dict[str, int], request: int = TIB, **claims: Claim) -> Cluster:
    """Sets ``hdd`` of six OSDs and ``more`` of none, both on the same StorageClass."""
    seen = layout(racks(3, 1, 2), free)
    sets = (seen.sets[0], DeviceSet("more", 1, 0, "local-storage", "hdd", request))
    return replace(seen, sets=sets, claims={**seen.claims, **claims})


def raised(seen: Cluster, **counts: int) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    decided = decide(seen, Wanted("ceph-hdd", counts, "rack", pace="fast"))
    return {one.device_set.name: one.domains for one in decided.steps}, [one.message for one in decided.refusals]


def test_what_one_set_takes_is_not_free_for_the_next() -> None:
    seen = two_sets({"h11": 2, "h21": 2, "h31": 2})
    every = ("rack1", "rack2", "rack3")
    assert raised(seen, hdd=9, more=3) == ({"hdd": every, "more": every}, [])
    found, refused = raised(seen, more=4, hdd=9)
    assert found == {"hdd": every}
    assert refused == [
        "4 new OSDs need 4 free volumes of at least 1.0 TiB in local-storage, and there are 3: "
        "rack rack1 1, rack rack2 1, rack rack3 1"
    ]


def test_a_set_takes_the_smallest_volume_that_does() -> None:
    seen = two_sets({"h11": 1, "h21": 1, "h31": 1}, request=2 * TIB)
    large = {f"large-{host}": replace(volume(f"large-{host}", host, ""), size=2 * TIB) for host in seen.nodes}
    seen = replace(seen, volumes={**large, **seen.volumes})
    assert raised(seen, hdd=9, more=3)[1] == []
    assert "there are 2: " in raised(seen, hdd=10, more=3)[1][0]


def test_claims_that_look_for_a_volume_take_theirs_first() -> None:
    pending = Claim("more-data-0", "more", 0, True, "Pending", "", "", False)
    seen = two_sets({"h11": 2, "h21": 1, "h31": 1}, **{pending.name: pending})
    assert raised(seen, hdd=9) == ({"hdd": ("rack1", "rack2", "rack3")}, [])
    seen = two_sets({"h11": 1, "h21": 1, "h31": 1}, **{pending.name: pending})
    assert "3 new OSDs need 3 free volumes" in raised(seen, hdd=9)[1][0]
    assert raised(seen, hdd=9, more=0)[1] == [], "it goes, and looks for none"
