# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decisions on the last OSD of a set, on claims without an OSD, and on claims that are being deleted."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.barestore.storage.plugins.module_utils.cluster.decide import decide
from ansible_collections.barestore.storage.plugins.module_utils.cluster.state import Cluster
from ansible_collections.barestore.storage.plugins.module_utils.cluster.wanted import Wanted
from tests.unit.plugins.module_utils.cluster.test_placement import layout, racks


def seen() -> Cluster:
    """Four OSDs, one on each of four hosts in four racks."""
    return layout(racks(4, 1, 1))


def test_a_set_that_loses_all_is_lowered_to_one_and_dropped() -> None:
    """Rook takes no count of zero: the last claim goes with its set."""
    found = decide(seen(), Wanted("ceph-hdd", {"hdd": 0}, "rack"))
    assert {name: count for name, (_set, count) in found.lower.items()} == {"hdd": 1}
    assert [one.name for one in found.drop] == ["hdd"]
    assert len(found.leavers) == 4


def test_a_claim_without_an_osd_goes_first_and_has_its_turn() -> None:
    now = seen()
    now = replace(now, deployments=tuple(one for one in now.deployments if one.osd != 2))
    found = decide(now, Wanted("ceph-hdd", {"hdd": 3}, "rack"))
    assert [(one.claim, one.osd) for one in found.leavers] == [("hdd-data-2", -1)]
    assert found.waves == (("hdd-data-2",),)


def test_a_claim_that_is_being_deleted_counts_no_more() -> None:
    now = seen()
    claims = {**now.claims, "hdd-data-3": replace(now.claims["hdd-data-3"], deleting=True)}
    assert decide(replace(now, claims=claims), Wanted("ceph-hdd", {"hdd": 3}, "rack")).leavers == ()
