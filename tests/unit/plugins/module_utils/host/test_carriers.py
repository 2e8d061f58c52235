# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the document puts on devices."""

from __future__ import annotations

from ansible_collections.barestore.storage.plugins.module_utils.host.carriers import carriers
from ansible_collections.barestore.storage.plugins.module_utils.host.normal_form import long_form

TABLE = {"disk": [{"name": "a", "size": "1 GiB", "use": "swap"}, {"name": "b", "size": "rest", "use": "swap"}]}


def test_a_swap_partition_with_an_entry_of_its_own_is_swap_once() -> None:
    """Two would edit each other's line of fstab on every run."""
    document = long_form({"partitions": TABLE, "swap": {"main": {"device": "disk.a", "priority": 10}}})
    assert [(one.ref, one.swap) for one in carriers(document)] == [
        ("disk.b", {}),
        ("disk.a", {"device": "disk.a", "priority": 10}),
    ]
