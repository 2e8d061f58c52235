# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Recorded answers as values."""

from __future__ import annotations

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.cluster import reading
from ansible_collections.barestore.storage.plugins.module_utils.cluster.quantities import human, quantity
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import ObserveError
from tests.unit.plugins.module_utils.cluster import recorded


def test_osds_have_their_place_fullness_and_uuid() -> None:
    seen = recorded.cluster("busy")
    assert seen.osds[8].place == {"root": "default", "rack": "rack3", "host": "rack3-h3"}
    assert seen.osds[8].up and seen.osds[8].is_in and seen.osds[8].size == 2 * 1024**3
    assert seen.osd_of("hdd-data-8abcde") is seen.osds[8]
    assert not seen.strays


def test_pools_have_their_rule_and_their_raw_bytes() -> None:
    seen = recorded.cluster("busy")
    pools = {one.name: one for one in seen.pools}
    assert (pools["data"].size, pools["data"].k, seen.rules[pools["data"].rule].domain) == (3, 1, "rack")
    assert (pools["ecdata"].size, pools["ecdata"].k, pools["ecdata"].copies) == (3, 2, "k+m 2+1")
    assert pools["data"].stored > 8 * 1024**3


def test_a_drained_osd_is_out_without_weight() -> None:
    osd = recorded.cluster("drained").osds[8]
    assert osd.up and not osd.is_in and osd.weight == 0


def test_safe_to_destroy_says_yes_while_placement_groups_recover() -> None:
    seen = recorded.cluster("draining")
    assert seen.safe == {8}
    assert seen.progress.degraded > 1000


def test_a_stopped_osd_without_statistics_is_not_safe() -> None:
    assert recorded.cluster("stopped").safe == frozenset()


def test_flags_and_profile_are_those_that_somebody_set() -> None:
    seen = recorded.cluster("flags")
    assert seen.flags == {"noout", "norebalance"}
    assert seen.profile == "high_recovery_ops"
    assert recorded.cluster("drained").flags == frozenset()


def test_an_osd_that_crush_does_not_know_is_astray() -> None:
    assert recorded.cluster("new_without_place").strays


def test_keys_are_names_only() -> None:
    assert "osd.3" in recorded.cluster("drained").keys
    assert '"key"' not in (recorded.FOLDER / "drained.json").read_text()


def test_a_question_that_ceph_does_not_answer_is_an_error() -> None:
    told = {**recorded.answers("drained"), "osd dump": {"rc": -110, "out": None, "err": "timed out"}}
    with pytest.raises(ObserveError, match="does not answer 'osd dump': timed out"):
        reading.cluster({"kubernetes": [recorded.custom(9)], "ceph": told}, "ceph-hdd")


def test_a_namespace_without_a_cluster_is_an_error() -> None:
    with pytest.raises(ObserveError, match="there are 0 CephClusters"):
        reading.cluster({"kubernetes": [], "ceph": recorded.answers("drained")}, "ceph-hdd")


@pytest.mark.parametrize(("text", "size"), [("5Gi", 5 * 2**30), ("1k", 1000), ("1e3", 1000), ("1500m", 2), ("7", 7)])
def test_quantities(text: str, size: int) -> None:
    assert quantity(text) == size


def test_a_word_is_no_quantity() -> None:
    with pytest.raises(ObserveError, match="'5 GB' is no quantity"):
        quantity("5 GB")


def test_bytes_are_told_in_three_digits() -> None:
    assert [human(10), human(1536), human(200 * 2**30)] == ["10 B", "1.5 KiB", "200 GiB"]
