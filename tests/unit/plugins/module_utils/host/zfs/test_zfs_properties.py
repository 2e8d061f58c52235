# SPDX-License-Identifier: GPL-3.0-or-later
"""Spellings of property values."""

from __future__ import annotations

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host.zfs.properties import (
    PropertyError,
    canonical,
    pool_same,
    same,
)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("atime", True, "on"),
        ("atime", False, "off"),
        ("compression", True, "on"),
        ("recordsize", "16 KiB", "16384"),
        ("recordsize", "1M", "1048576"),
        ("recordsize", "1m", "1048576"),
        ("recordsize", 131072, "131072"),
        ("quota", "1.5G", "1610612736"),
        ("quota", "10 MB", "10000000"),
        ("quota", "none", "none"),
        ("quota", 0, "none"),
        ("refquota", "0 GiB", "none"),
        ("reservation", 0, "0"),
        ("quota", "inherit", "inherit"),
        ("refreservation", "auto", "auto"),
        ("userquota@root", "5G", "5368709120"),
        ("projectobjquota@7", "1K", "1024"),
        ("copies", 2, "2"),
        ("comment", "1M", "1M"),
        ("net.example:size", "1M", "1M"),
        ("net.example:number", 7, "7"),
    ],
)
def test_canonical(name: str, value: object, text: str) -> None:
    assert canonical(name, value) == text


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "quota",
            "lots",
            "the value of 'quota' is no size: 'lots' is not a size; "
            "write a number and a unit, such as '16 GiB' or '4 TB'",
        ),
        (
            "net.example:backup",
            True,
            "the value of 'net.example:backup' is on, yes or true to YAML; put it in quotes, since ZFS keeps its text",
        ),
    ],
)
def test_what_means_nothing(name: str, value: object, sentence: str) -> None:
    with pytest.raises(PropertyError) as error:
        canonical(name, value)
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("name", "wanted", "found", "version", "equal"),
    [
        ("recordsize", "16384", "16384", None, True),
        ("recordsize", "16384", "131072", None, False),
        ("quota", "none", "0", None, True),
        ("snapshot_limit", "none", "18446744073709551615", None, True),
        ("acltype", "posixacl", "posix", None, True),
        ("acltype", "noacl", "off", None, True),
        ("aclinherit", "secure", "restricted", None, True),
        ("encryption", "on", "aes-256-gcm", None, True),
        ("compression", "gzip-6", "gzip", None, True),
        ("compression", "zstd-3", "zstd", None, False),
        ("xattr", "sa", "on", "2.3.9-0+deb13u1", True),
        ("xattr", "sa", "on", "2.1.11-1+deb12u1", False),
        ("xattr", "dir", "on", "2.1.11-1+deb12u1", True),
        ("xattr", "on", "sa", "2.4.0-1", True),
        ("xattr", "on", "dir", "2.4.0-1", False),
        ("net.example:a", "0", "none", None, False),
    ],
)
def test_same(name: str, wanted: str, found: str, version: str | None, equal: bool) -> None:
    assert same(name, wanted, found, version) is equal


@pytest.mark.parametrize(
    ("name", "wanted", "found", "equal"),
    [
        ("feature@async_destroy", "enabled", "active", True),
        ("feature@async_destroy", "enabled", "disabled", False),
        ("comment", "", "-", True),
        ("cachefile", "none", "-", True),
        ("autotrim", "on", "off", False),
    ],
)
def test_pool_same(name: str, wanted: str, found: str, equal: bool) -> None:
    assert pool_same(name, wanted, found) is equal
