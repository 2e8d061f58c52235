# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A dataset keeps what its line says, also when the dataset above it, from which it had that, is changed."""

from __future__ import annotations

from typing import Any

import pytest
from simulated_block import GIB, DiskModel
from simulated_host import SimulatedHost

DISK = DiskModel("D1", "sas", 1, 8 * GIB, wwn="0x5000c50000000001")


def _document(above: dict[str, Any], below: dict[str, Any]) -> dict[str, Any]:
    pool = {"data": {"stripe": ["d"]}, "datasets": {"a": above, "a/b": below}}
    return {"disks": {"d": {"match": {"serial": "D1"}, "count": 1}}, "zfs": {"tank": pool}}


def _applied(host: SimulatedHost, document: dict[str, Any]) -> list[str]:
    plan = host.plan(document)
    assert not plan.refusals, plan.refusals
    for action in plan.actions:
        host.run(action)
    return [action.id for action in plan.actions]


@pytest.mark.parametrize(
    ("above", "below", "later"),
    [
        ({"recordsize": "16 KiB"}, {"recordsize": "16 KiB"}, {"recordsize": "128 KiB"}),
        ({}, {"atime": True}, {"atime": False}),
        ({"mount": "/srv/a"}, {"mount": "/srv/a/b"}, {"mount": "/srv/other"}),
    ],
)
def test_a_new_line_is_kept_in_one_run(above: dict[str, Any], below: dict[str, Any], later: dict[str, Any]) -> None:
    """The line says what the dataset inherits already, and the dataset above it is changed with it."""
    host = SimulatedHost([DISK])
    _applied(host, _document(above, {}))
    assert _applied(host, _document(later, below)) == ["zfs_dataset.set:tank/a", "zfs_dataset.set:tank/a/b"]
    assert _applied(host, _document(later, below)) == []


def test_a_limit_above_is_no_limit_below() -> None:
    host = SimulatedHost([DISK])
    _applied(host, _document({}, {}))
    assert _applied(host, _document({"quota": "1 GiB"}, {"quota": "none"})) == ["zfs_dataset.set:tank/a"]
