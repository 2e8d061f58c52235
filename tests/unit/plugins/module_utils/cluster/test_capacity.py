# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The capacity proof: exact boundaries, and what Ceph itself reached in the recording."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.cluster import capacity, spread
from ansible_collections.barestore.storage.plugins.module_utils.cluster.state import Cluster, Osd, Pool, Rule
from tests.unit.plugins.module_utils.cluster import recorded

TIB = 1024**4


def uniform(racks: int, disks: int, share: float, size: int = 3, domain: str = "rack") -> Cluster:
    osds = {
        r * disks + d: Osd(
            r * disks + d, f"u{r}{d}", True, True, 1.0, "hdd", TIB, int(TIB * share), 100,
            {"root": "default", "rack": f"rack{r}", "host": f"h{r}{d}"},
        )
        for r in range(racks)
        for d in range(disks)
    }  # fmt: skip
    stored = int(racks * disks * TIB * share)
    return replace(
        recorded.cluster("drained"),
        osds=osds,
        pools=(Pool("data", size, 2, 1, 1, 128, 128, "on", stored),),
        rules={1: Rule(1, "byrack", "default", "", domain)},
    )


@pytest.mark.parametrize(("share", "refused"), [(0.5333, False), (0.5334, True), (0.60, True)])
def test_the_boundary_is_exact(share: float, refused: bool) -> None:
    # Three racks of three: one OSD less and its rack holds the same on two thirds, 0.5333 * 1.5 = 0.79995 of 0.80.
    proof = capacity.prove(uniform(3, 3, share), [0], 0.05)
    assert bool(proof.refusals) is refused


def test_a_refusal_has_the_numbers() -> None:
    proof = capacity.prove(uniform(3, 3, 0.6), [0], 0.05)
    assert proof.refusals[0].sentence() == (
        "rack rack0: rack rack0 (default) would be 90.0 % full, 1.8 TiB of 2.0 TiB, and its fullest OSD 90.0 %; "
        "near-full 85 % less 5 % allows less than 80.0 %; keep more OSDs, add others first, or delete data."
    )


def test_a_rack_that_holds_one_of_three_copies_carries_what_goes_alone() -> None:
    figures = {one.domain: one.share for one in capacity.prove(uniform(3, 3, 0.4), [0], 0.05).figures}
    assert figures["rack0"] == pytest.approx(0.6)
    assert figures["rack1"] == pytest.approx(0.4)


def test_more_racks_than_copies_share_what_goes() -> None:
    figures = {one.domain: one.share for one in capacity.prove(uniform(6, 3, 0.4), [0], 0.05).figures}
    assert 0.4 < figures["rack0"] < 0.46
    assert 0.4 < figures["rack1"] < 0.43


def test_too_few_domains_for_the_copies_are_refused() -> None:
    proof = capacity.prove(uniform(3, 1, 0.1), [0], 0.05)
    assert "size 3 needs 3 racks with OSDs of default, and there would be 2" in proof.refusals[0].message


def test_an_uneven_osd_counts_as_uneven_as_it_is() -> None:
    seen = uniform(3, 3, 0.4)
    osds = dict(seen.osds)
    osds[1] = replace(osds[1], used=int(TIB * 0.5))
    osds[2] = replace(osds[2], used=int(TIB * 0.3))
    fullest = capacity.prove(replace(seen, osds=osds), [0], 0.05).fullest
    assert fullest is not None and fullest.fullest == pytest.approx(0.75, abs=0.01)


def test_one_copy_pools_are_found() -> None:
    assert [one.target for one in capacity.single_copies(uniform(3, 3, 0.1, size=1))] == ["pool data"]


def test_the_proof_agrees_with_what_ceph_reached() -> None:
    """Recorded: osd.8 of rack3 was drained; the proof was made of the answers from before."""
    before = recorded.cluster("busy")
    after = recorded.cluster("drained")
    told = {one.domain: one for one in capacity.prove(before, [8], 0.05).figures}
    for rack in ("rack1", "rack2", "rack3"):
        inside = [one for one in after.osds.values() if one.place["rack"] == rack and one.size]
        reached = sum(one.used for one in inside) / sum(one.size for one in inside)
        assert told[rack].share == pytest.approx(reached, abs=0.03)


def test_shares_of_straws() -> None:
    assert spread.shares({"a": 1, "b": 1, "c": 1}, 3) == pytest.approx({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3})
    assert spread.shares({"a": 2, "b": 1}, 1) == pytest.approx({"a": 2 / 3, "b": 1 / 3})
    # Two of three: the heavy one is drawn first in half, and second in 2 * 1/4 * 2/3 of all cases.
    assert spread.shares({"a": 2, "b": 1, "c": 1}, 2)["a"] == pytest.approx((1 / 2 + 1 / 3) / 2)
    many = spread.shares({str(number): 1.0 for number in range(40)}, 3)
    assert sum(many.values()) == pytest.approx(1) and many["7"] == pytest.approx(1 / 40)
    with pytest.raises(ValueError, match="3 copies need 3 domains and 2 have weight"):
        spread.shares({"a": 1, "b": 1, "c": 0}, 3)
