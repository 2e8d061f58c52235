# SPDX-License-Identifier: GPL-3.0-or-later
"""Datasets and volumes: a recording of a virtual host and a document in, commands or sentences out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.plugins.module_utils.host.zfs.recorded import DATASETS, commands, plan, sentences

MYSQL = "mysql: {recordsize: 16 KiB, mount: /srv/mysql}"
VOLUME = "vm1: {size: 100 MiB, sparse: true}"
FOLDER = {"type": "directory", "owner": "root", "group": "root", "mode": "0755", "link": "", "empty": True}


def test_parents_come_first_even_when_no_line_names_them() -> None:
    assert commands(plan("blank"), "zfs_dataset") == [
        "zfs create tank/lxd",
        "zfs create -o quota=1073741824 -o xattr=sa tank/lxd/containers",
        "zfs create -o mountpoint=/srv/mysql -o recordsize=16384 tank/mysql",
        "zfs create -s -V 104857600 tank/vm1",
    ]


@pytest.mark.parametrize(
    ("old", "new", "argv"),
    [
        (MYSQL, "mysql: {recordsize: 16K, mount: /srv/mysql}", []),
        (MYSQL, "mysql: {recordsize: 16384}", []),
        (MYSQL, "mysql: {recordsize: 32K, mount: none}", ["zfs set mountpoint=none recordsize=32768 tank/mysql"]),
        (MYSQL, "mysql: {recordsize: inherit}", ["zfs inherit recordsize tank/mysql"]),
        (VOLUME, "vm1: {size: 200 MiB}", ["zfs set volsize=209715200 tank/vm1"]),
        (VOLUME, "vm1: {size: 104857601 B}", ["zfs set volsize=104873984 tank/vm1"]),
        (VOLUME, "vm1: {size: 100 MiB, sparse: false}", ["zfs set refreservation=auto tank/vm1"]),
        (VOLUME, "{}: {{size: 16 MiB}}".format("vm1: {size: 100 MiB}, vm2"), ["zfs create -V 16777216 tank/vm2"]),
        (MYSQL, f"{MYSQL}, a/b: {{canmount: off}}", ["zfs create tank/a", "zfs create -o canmount=off tank/a/b"]),
    ],
)
def test_changes(old: str, new: str, argv: list[str]) -> None:
    assert commands(plan("made", (old, new), answers={"links:/dev/zvol/tank": {"vm1": "zd0"}}), "zfs_dataset") == argv


@pytest.mark.parametrize(
    ("old", "new", "answers", "sentence"),
    [
        (
            VOLUME,
            "vm1: {size: 50 MiB}",
            {},
            "dataset tank/vm1: it has 100 MiB and the document says 50 MiB; shrinking comes with a later release; "
            "write its size as it is.",
        ),
        (
            VOLUME,
            "vm1: {size: 100 MiB, volblocksize: 8K}",
            {},
            "dataset tank/vm1: its volblocksize is 16384 for ever; write volblocksize: 16384.",
        ),
        (
            VOLUME,
            "mysql: {size: 100 MiB}",
            {},
            "pool tank: 'mysql' is named as a dataset and as a volume; correct the document.",
        ),
        (VOLUME, "mysql/a: {size: 100 MiB}, vm1/b: {size: 1 MiB}, vm1: {size: 100 MiB}", {}, ""),
        (
            MYSQL,
            f"{MYSQL}, vm1: {{}}",
            {},
            "pool tank: 'vm1' is named as a dataset and as a volume; correct the document.",
        ),
        (
            MYSQL,
            f"{MYSQL}, a: {{mount: /srv/a}}",
            {"stat:/srv/a": {**FOLDER, "empty": False}},
            "dataset tank/a: its mount /srv/a is not an empty folder, and a mount would hide what is in it; "
            "move its files away first, or choose another path.",
        ),
        (
            MYSQL,
            f"{MYSQL}, a: {{mount: /srv/a}}",
            {"stat:/srv/a": {**FOLDER, "type": "file"}},
            "dataset tank/a: its mount /srv/a is a file and no folder; choose another path.",
        ),
        (
            MYSQL,
            f"{MYSQL}, a: {{mount: /}}",
            {"stat:/": FOLDER},
            "dataset tank/a: vda is mounted on / already; unmount it, or choose another path.",
        ),
        (
            MYSQL,
            f"{MYSQL}, a: {{keylocation: 'file:///etc/key', encryption: on, keyformat: raw}}",
            {"stat:/etc/key": None},
            "dataset tank/a: its key file /etc/key is not on this host; put it there first.",
        ),
    ],
)
def test_what_cannot_be(old: str, new: str, answers: dict[str, Any], sentence: str) -> None:
    found = plan("made", (old, new), answers=answers)
    if sentence:
        assert sentences(found) == [sentence]
    else:
        assert "lies below the volume" in sentences(found)[0]


def test_a_property_that_this_zfs_does_not_know() -> None:
    answer = {"rc": 2, "stdout": "", "stderr": "bad property list: invalid property 'recordsiez'\n"}
    (refusal,) = sentences(plan("made", (MYSQL, "mysql: {recordsiez: 1}"), answers={DATASETS: answer}))
    assert refusal == "zfs: ZFS of this host knows no property 'recordsiez'; correct its name, or remove it."
