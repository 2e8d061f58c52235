# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleUndefinedVariable
from ansible.parsing.dataloader import DataLoader

from ansible_collections.barestore.storage.plugins.plugin_utils.host_document import HostDocument, host_document
from ansible_collections.barestore.storage.plugins.plugin_utils.variable_files import HostFiles

Read = Callable[..., HostDocument]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Write files of variables and read the document of host ``h1`` of group ``servers`` from them."""
    monkeypatch.chdir(tmp_path)

    def reader(template: Callable[[object], object] = lambda value: value, **texts: str) -> HostDocument:
        variables: dict[str, Any] = {}
        for name, text in texts.items():
            file = tmp_path / ("host_vars" if name.startswith("h1") else "group_vars") / f"{name}.yml"
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
            variables.update(yaml.safe_load(text))
        files = HostFiles.find(DataLoader(), "h1", ["all", "servers"], [str(tmp_path)])
        return host_document(variables, template, files)

    return reader


def sentences(document: HostDocument) -> list[str]:
    return [finding.sentence() for finding in document.findings]


def test_fragments_of_two_files_are_one_document(read: Read) -> None:
    found = read(
        servers="host_storage:\n  disks: {a: {match: {transport: nvme}, count: 2}}\nrack: rack1\n",
        h1="host_storage__x:\n  zfs: {tank: {data: {mirror: [a]}, properties: {autotrim: on}}}\n",
    )
    assert sentences(found) == []
    assert found.rack == "rack1"
    assert found.document == {
        "disks": {"a": {"match": {"transport": "nvme"}, "count": 2}},
        "zfs": {"tank": {"data": {"mirror": ["a"]}, "properties": {"autotrim": "on"}}},
    }


def test_a_mistake_is_located_in_the_file_of_its_fragment(read: Read) -> None:
    found = read(
        servers="host_storage:\n  disks: {a: {match: {transport: nvme}, count: 2}}\n",
        h1="host_storage__x:\n  zfs:\n    tank:\n      data: {mirror: [b]}\n",
    )
    assert sentences(found) == [
        "host_vars/h1.yml:4:23: host_storage__x.zfs.tank.data.mirror[0]: 'b' is no disk group; known: a"
    ]


def test_a_key_in_two_fragments_names_both_places(read: Read) -> None:
    found = read(
        servers="host_storage:\n  lvm:\n    vg: {extent_size: 4 MiB}\n",
        h1="host_storage__x:\n  lvm:\n    vg:\n      extent_size: 8 MiB\n",
    )
    assert sentences(found) == [
        "host_vars/h1.yml:4:7: host_storage__x.lvm.vg.extent_size: host_storage sets this already "
        "(group_vars/servers.yml:3:10), and fragments never override each other; keep it in one of the two"
    ]


def test_a_key_twice_in_one_mapping_is_a_mistake(read: Read) -> None:
    found = read(servers="host_storage:\n  disks:\n    a: {match: {transport: nvme}, count: 2, count: 3}\n")
    assert sentences(found) == [
        "group_vars/servers.yml:3:45: host_storage.disks.a.count: the key 'count' is written twice in this mapping, "
        "first in line 3; YAML would silently drop the first; keep one"
    ]


def test_a_fragment_with_one_underscore_is_not_ignored(read: Read) -> None:
    found = read(servers="host_storage_lxd:\n  disks: {}\n")
    assert sentences(found) == [
        "group_vars/servers.yml:1:1: host_storage_lxd: no part of the document has this name, so it would be "
        "ignored; call it host_storage__lxd, with two underscores, or host_storage"
    ]


def test_a_fragment_that_is_no_mapping(read: Read) -> None:
    assert sentences(read(servers="host_storage__x: [disks]\n")) == [
        "group_vars/servers.yml:1:18: host_storage__x: found a list; write sections below it, such as disks, lvm "
        "and zfs"
    ]


def test_consent_and_rack(read: Read) -> None:
    digest = "sha256:" + 64 * "a"
    text = f"""\
host_storage_consent:
  wipe:
    - {{serial: A, contents: '{digest}'}}
    - {{serial: A, contents: '{digest}'}}
rack: 3
"""
    assert sentences(read(h1=text)) == [
        "host_vars/h1.yml:4:7: host_storage_consent.wipe[1]: the disk with serial 'A' is named by wipe[0] already; "
        "keep the entry that the newest plan prints",
        "host_vars/h1.yml:5:7: rack: found the number 3; put it in quotes: '3'",
    ]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{contents: x}", "the disk is not named; name the disk by exactly one of serial and wwn"),
        (
            "{serial: 123, contents: 'sha256:%s'}" % (64 * "a"),
            "found the number 123; put it in quotes: '123'",
        ),
        (
            "{serial: A, contents: sha256:4be1}",
            "found 'sha256:4be1'; paste the digest that the plan prints: 'sha256:' and 64 hexadecimal digits",
        ),
    ],
)
def test_bad_consent(read: Read, entry: str, expected: str) -> None:
    found = sentences(read(h1=f"host_storage_consent: {{wipe: [{entry}]}}\n"))
    assert any(sentence.endswith(expected) for sentence in found), found


def test_a_template_that_cannot_be_filled_is_a_sentence(read: Read) -> None:
    def template(value: object) -> object:
        raise AnsibleUndefinedVariable("'size' is undefined")

    assert sentences(read(template, servers="host_storage:\n  disks: {}\n")) == [
        "group_vars/servers.yml:1:1: host_storage: the template cannot be filled: 'size' is undefined; define what "
        "it asks for"
    ]
