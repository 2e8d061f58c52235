# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tools a document needs and what brings them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host.tools import family, needed, packages_of

THIN: dict[str, Any] = {"fast": {"physical_volumes": ["log"], "thin_pools": {"pool": {"size": "70%"}}}}
VOLUME: dict[str, Any] = {"fast": {"physical_volumes": ["log"], "volumes": {"a": {"size": "1 GiB"}}}}
XFS: dict[str, Any] = {"fast": {"physical_volumes": ["log"], "volumes": {"a": {"size": "1 GiB", "filesystem": "xfs"}}}}
CACHE: dict[str, Any] = {"fast": {"physical_volumes": ["log"], "volumes": {"a": {"size": "1 GiB", "cache": {}}}}}
TABLE: dict[str, Any] = {"log": [{"name": "a", "size": "rest", "use": "zfs"}]}


@pytest.mark.parametrize(
    ("document", "tools"),
    [
        ({}, set()),
        ({"disks": {"osd": {"match": {"serial": "S1"}, "count": 1}}, "local_volumes": {"osd": {}}}, set()),
        ({"partitions": TABLE}, {"sfdisk"}),
        ({"lvm": VOLUME}, {"lvm"}),
        ({"lvm": THIN}, {"lvm", "thin_check", "cache_check"}),
        ({"lvm": CACHE}, {"lvm", "thin_check", "cache_check"}),
        ({"lvm": XFS}, {"lvm", "mkfs.xfs"}),
        ({"zfs": {"tank": {}}}, {"zpool", "zfs", "zfs.ko"}),
        ({"md": {"safe": {"level": "raid1", "devices": ["log"]}}}, {"mdadm"}),
        ({"luks": {"a": {"device": "log", "key_file": "/k"}}}, {"cryptsetup", "systemd-cryptenroll"}),
        ({"luks": {"a": {"device": "log", "clevis": {}}}}, {"cryptsetup", "systemd-cryptenroll", "clevis"}),
        ({"filesystems": {"a": {"device": "osd", "type": "vfat"}}}, {"mkfs.vfat"}),
    ],
)
def test_a_document_needs_the_tools_of_what_it_asks_for(document: dict[str, Any], tools: set[str]) -> None:
    assert needed(document) == tools


@pytest.mark.parametrize(
    ("text", "of"),
    [
        ("ID=debian\n", "debian"),
        ("ID=ubuntu\nID_LIKE=debian\n", "ubuntu"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "rhel"),
        ("ID=raspbian\nID_LIKE=debian\n", "debian"),
        ("ID=alpine\n", "debian"),
        ("", "debian"),
    ],
)
def test_the_family_comes_from_os_release(text: str, of: str) -> None:
    assert family(text) == of


@pytest.mark.parametrize(
    ("tool", "of", "packages"),
    [
        ("mkfs.xfs", "debian", ("xfsprogs",)),
        ("zpool", "debian", ("zfsutils-linux",)),
        ("zfs.ko", "debian", ("linux-headers-6.12.1-amd64", "zfs-dkms")),
        ("thin_check", "rhel", ("device-mapper-persistent-data",)),
        ("sfdisk", "rhel", ("util-linux",)),
        ("systemd-cryptenroll", "debian", ("systemd-cryptsetup",)),
        ("systemd-cryptenroll", "rhel", ("systemd-udev",)),
        ("clevis", "debian", ("clevis-luks", "clevis-systemd")),
        ("unheard-of", "debian", ("unheard-of",)),
    ],
)
def test_each_family_has_its_own_names(tool: str, of: str, packages: tuple[str, ...]) -> None:
    assert packages_of(tool, of, "6.12.1-amd64") == packages
