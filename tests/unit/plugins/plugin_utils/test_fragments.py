# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.barestore.storage.plugins.plugin_utils.fragments import (
    is_fragment,
    looks_like_fragment,
    merge,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("host_storage", True),
        ("host_storage__lxd", True),
        ("host_storage__", False),
        ("host_storage_consent", False),
        ("host_storage_lxd", False),
        ("my_host_storage", False),
    ],
)
def test_names_of_fragments(name: str, expected: bool) -> None:
    assert is_fragment(name) is expected


def test_a_fragment_with_an_ignored_name_is_noticed_by_what_it_holds() -> None:
    assert looks_like_fragment("host_storage_lxd", {"zfs": {}})
    assert looks_like_fragment("hoststorage", {"disks": {}, "lvm": {}})
    assert not looks_like_fragment("host_storage_packages", ["lvm2"])
    assert not looks_like_fragment("host_storage__lxd", {"zfs": {}})


def test_mappings_are_merged_at_every_level() -> None:
    one = {"zfs": {"tank": {"data": {"mirror": ["a"]}, "datasets": {"x": {"atime": "off"}}}}}
    two = {"zfs": {"tank": {"datasets": {"y": {}, "x": {"exec": "off"}}}}, "disks": {}}
    merged = merge({"host_storage": one, "host_storage__lxd": two})
    assert merged.conflicts == []
    assert merged.document == {
        "zfs": {
            "tank": {
                "data": {"mirror": ["a"]},
                "datasets": {"x": {"atime": "off", "exec": "off"}, "y": {}},
            }
        },
        "disks": {},
    }
    assert merged.variable(("zfs", "tank", "data", "mirror", 0)) == "host_storage"
    assert merged.variable(("zfs", "tank", "datasets", "x", "exec")) == "host_storage__lxd"
    assert merged.variable(("disks",)) == "host_storage__lxd"


@pytest.mark.parametrize(
    ("one", "two", "path"),
    [
        ({"lvm": {"a": {"extent_size": "4 MiB"}}}, {"lvm": {"a": {"extent_size": "8 MiB"}}}, "lvm.a.extent_size"),
        ({"lvm": {"a": {"extent_size": "4 MiB"}}}, {"lvm": {"a": {"extent_size": "4 MiB"}}}, "lvm.a.extent_size"),
        ({"partitions": {"a": [1]}}, {"partitions": {"a": [2]}}, "partitions.a"),
        ({"zfs": {"tank": {"data": {}}}}, {"zfs": {"tank": {"data": [{}]}}}, "zfs.tank.data"),
    ],
)
def test_the_same_key_twice_is_a_conflict_that_names_both(one: object, two: object, path: str) -> None:
    merged = merge({"host_storage__b": two, "host_storage__a": one})
    assert [conflict.sentence() for conflict in merged.conflicts] == [
        f"{path} is set by both host_storage__a and host_storage__b; fragments are merged and never override each "
        "other: keep it in one of them"
    ]


def test_merging_leaves_the_fragments_as_they_were() -> None:
    one: dict[str, dict[str, object]] = {"lvm": {"a": {}}}
    merge({"host_storage": one, "host_storage__x": {"lvm": {"b": {}}}})
    assert one == {"lvm": {"a": {}}}
