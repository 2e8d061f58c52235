# SPDX-License-Identifier: GPL-3.0-or-later
"""Counting claims: what a device set's count makes, and what it never removes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cluster.operator.standin import devicesets
from tests.cluster.operator.standin.words import CLAIM_ID, DEVICE_SET, SET_INDEX, labels_of

IMAGE = "quay.io/ceph/ceph:v20.2.4"


def device_set(name: str = "hdd", count: int = 3) -> dict[str, Any]:
    template = {
        "metadata": {"name": "data", "annotations": {"crushDeviceClass": "hdd"}},
        "spec": {"volumeMode": "Block"},
    }
    return {"name": name, "count": count, "volumeClaimTemplates": [template]}


def claim(index: int, name: str = "hdd", *, detached: bool = False) -> dict[str, Any]:
    labels = {DEVICE_SET: name, SET_INDEX: str(index), CLAIM_ID: f"{name}-data-{index}"}
    if detached:
        del labels[CLAIM_ID]
    return {"metadata": {"name": f"{name}-data-{index}x7k2p", "labels": labels}}


def missing_indices(planned: devicesets.Claims) -> list[int]:
    return [int(labels_of(made)[SET_INDEX]) for made in planned.missing]


def test_a_new_set_gets_its_count_of_claims_from_zero() -> None:
    planned = devicesets.plan([device_set(count=3)], [], IMAGE)
    assert missing_indices(planned) == [0, 1, 2]
    first = planned.missing[0]
    assert first["metadata"]["generateName"] == "hdd-data-0"
    assert labels_of(first)[CLAIM_ID] == "hdd-data-0"
    assert labels_of(first)["ceph.rook.io/cephImageAtCreation"] == "quay.io_ceph_ceph_v20.2.4"


def test_more_are_numbered_behind_the_highest_and_gaps_stay() -> None:
    planned = devicesets.plan([device_set(count=4)], [claim(0), claim(2), claim(5)], IMAGE)
    assert missing_indices(planned) == [6]


def test_a_lower_count_removes_nothing_and_makes_nothing() -> None:
    planned = devicesets.plan([device_set(count=1)], [claim(0), claim(1), claim(2)], IMAGE)
    assert planned.missing == ()
    assert len(planned.existing) == 3


def test_a_claim_without_its_identity_is_nobodys_and_its_number_may_come_again() -> None:
    planned = devicesets.plan([device_set(count=2)], [claim(0), claim(1, detached=True)], IMAGE)
    assert missing_indices(planned) == [1]
    assert list(planned.existing) == ["hdd-data-0x7k2p"]


def test_a_claim_that_is_being_removed_is_gone() -> None:
    leaving = claim(1)
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert missing_indices(devicesets.plan([device_set(count=2)], [claim(0), leaving], IMAGE)) == [1]


def test_sets_are_counted_apart() -> None:
    planned = devicesets.plan([device_set("hdd", 1), device_set("ssd", 1)], [claim(0, "hdd")], IMAGE)
    assert [labels_of(made)[DEVICE_SET] for made in planned.missing] == ["ssd"]


def test_dots_in_a_name_become_dashes() -> None:
    assert devicesets.claim_id("rack.one", "data", 3) == "rack-one-data-3"


def test_a_set_without_a_template_is_an_error_and_no_reason_to_stop() -> None:
    broken = {"name": "bad", "count": 1, "volumeClaimTemplates": []}
    planned = devicesets.plan([broken, device_set(count=1)], [], IMAGE)
    assert len(planned.errors) == 1
    assert "no volumeClaimTemplate is specified" in planned.errors[0]
    assert missing_indices(planned) == [0]


@pytest.mark.parametrize(
    ("names", "expected"), [(["wal"], "data"), (["data", "metadata"], "metadata")], ids=["single", "two"]
)
def test_a_single_template_is_the_data_template(names: list[str], expected: str) -> None:
    templates = [{"metadata": {"name": name}, "spec": {}} for name in names]
    assert devicesets.template_name(templates[-1], templates) == expected
