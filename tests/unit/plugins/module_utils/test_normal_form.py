# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.barestore.storage.plugins.module_utils.host.normal_form import (
    long_form,
    plain_values,
    property_text,
)
from ansible_collections.barestore.storage.plugins.plugin_utils.validation import validate

DOCUMENTS = sorted((Path(__file__).resolve().parents[2] / "cases/documents").glob("*.yml"))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_both_forms_are_valid_and_stay_as_they_are(path: Path) -> None:
    document = yaml.safe_load(path.read_text())["host_storage"]
    for form in (plain_values, long_form):
        once = form(document)
        assert validate(once) == []
        assert form(once) == once


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("recordsize", "16 KiB", "16384"),
        ("recordsize", 131072, "131072"),
        ("recordsize", "1M", "1048576"),
        ("quota", "none", "none"),
        ("quota", "1.5G", "1610612736"),
        ("atime", False, "off"),
        ("atime", "on", "on"),
        ("copies", 2, "2"),
        ("compression", "zstd-3", "zstd-3"),
    ],
)
def test_properties_as_zfs_prints_them(name: str, value: object, expected: str) -> None:
    assert property_text(name, value) == expected


def test_shorthand_is_written_out() -> None:
    document = {
        "disks": {"a": {"match": {"serial": "X"}, "count": 1}},
        "lvm": {
            "vg": {
                "physical_volumes": ["a"],
                "volumes": {
                    "v": {"size": "1 GiB", "filesystem": "xfs", "mount": "/srv"},
                    "s": {"size": "1 GiB", "swap": True},
                },
            }
        },
        "local_volumes": {"a": {"storage_class": "x"}},
    }
    assert long_form(document) == {
        "disks": {"a": {"match": {"serial": ["X"]}, "count": 1}},
        "lvm": {
            "vg": {
                "extent_size": "4 MiB",
                "physical_volumes": ["a"],
                "thin_pools": {},
                "volumes": {
                    "v": {
                        "size": "1 GiB",
                        "size_policy": "at_least",
                        "type": "linear",
                        "filesystem": {"type": "xfs"},
                        "mount": {"path": "/srv"},
                    },
                    "s": {"size": "1 GiB", "size_policy": "at_least", "type": "linear", "swap": {}},
                },
            }
        },
        "local_volumes": {"a": {"source": "a", "mode": "block", "storage_class": "x"}},
    }
