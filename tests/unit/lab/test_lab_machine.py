# SPDX-License-Identifier: GPL-3.0-or-later
"""``lab_machine``: what is understood, and the sentence about each mistake; the schema says the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from barestore.lab.errors import LabError
from barestore.lab.machine import MIB, parse_disk, parse_machine, parse_size

SCHEMA = json.loads((Path(__file__).parents[3] / "schemas" / "lab_machine.schema.json").read_text())
HDD = {"serial": "HDD1", "type": "hdd", "size": "4 GiB"}
SSD = {"serial": "SSD1", "type": "ssd", "size": "4 GiB"}
NVME = {"serial": "NVME1", "type": "nvme", "size": "2 GiB"}


def conforms(raw: object) -> bool:
    """Whether the schema accepts it."""
    return bool(jsonschema.Draft202012Validator(SCHEMA).is_valid(raw))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_defaults() -> None:
    machine = parse_machine("lab1", {"disks": [HDD, SSD, NVME]})
    assert (machine.memory, machine.cpus) == (1536 * MIB, 2)
    hdd, ssd, nvme = machine.disks
    assert (hdd.rotation_rate, hdd.model, hdd.sector_size, hdd.physical_sector_size) == (
        7200,
        "HDD",
        512,
        4096,
    )
    assert (ssd.rotation_rate, ssd.model) == (1, "SSD")
    assert (nvme.rotation_rate, nvme.wwn) == (None, None)


def test_a_wwn_is_made_from_the_serial() -> None:
    disk, again, other = (parse_disk({**HDD, "serial": serial}) for serial in ("A", "A", "B"))
    assert disk.wwn == again.wwn != other.wwn
    assert f"{disk.wwn:#018x}".startswith("0x5000c5")


def test_slots_are_filled_around_those_given_and_per_bus() -> None:
    disks = [{**HDD, "serial": "A"}, {**HDD, "serial": "B", "bus_slot": 0}, {**HDD, "serial": "C"}, NVME]
    assert [disk.slot for disk in parse_machine("lab1", {"disks": disks}).disks] == [1, 0, 2, 0]


def test_links_are_the_names_that_udev_gives() -> None:
    assert parse_disk({**HDD, "wwn": "0x5000C50000000001"}).link == "wwn-0x5000c50000000001"
    assert parse_disk(NVME).link == "nvme-QEMU_NVMe_Ctrl_NVME1"


@pytest.mark.parametrize(
    ("text", "size"),
    [("4 GiB", 4 << 30), ("1.5GiB", 3 << 29), ("12 TB", 12 * 10**12), ("400 kB", 400_000), ("7 B", 7)],
)
def test_sizes_are_exact(text: str, size: int) -> None:
    assert parse_size(text, "size") == size


MISTAKES: list[tuple[object, str, bool]] = [  # what, the words that must be in the sentence, whether the schema sees it
    ([], "lab_machine: [] is no mapping", True),
    ({"ram": "2 GiB"}, "'ram' is not known; allowed keys are kind", True),
    ({"kind": "lxc"}, "'lxc' is none of vm, container", True),
    ({"address": "10.77.0.11/24"}, "address: a vm is reached by a port", True),
    ({"kind": "container"}, "address: '' must be an IPv4 address", True),
    ({"kind": "container", "address": "10.77.0.11"}, "with its network's length", True),
    ({"kind": "container", "address": "10.77.0.1/24"}, "the first address of the network is this machine's", False),
    ({"kind": "container", "address": "10.77.0.11/24", "memory": "2 GiB"}, "all memory of this machine", True),
    ({"kind": "container", "address": "10.77.0.11/24", "disks": [NVME]}, "a container has no nvme disks", True),
    ({"memory": 2048}, "memory: 2048 is no size", True),
    ({"memory": "100 MiB"}, "512 MiB at least", False),
    ({"memory": "2000001 kB"}, "whole MiB", False),
    ({"cpus": 0}, "cpus: 0 must be a whole number from 1", True),
    ({"cpus": True}, "cpus: True must be", True),
    ({"disks": {"a": 1}}, "is no list", True),
    ({"disks": "HDD1"}, "is no list", True),
    ({"disks": ["HDD1"]}, "disks[0]: 'HDD1' is no mapping", True),
    ({"disks": [{"serial": "A", "type": "hdd"}]}, "disks[0]: size is missing", True),
    ({"disks": [{**HDD, "colour": "red"}]}, "'colour' is not known", True),
    ({"disks": [{**HDD, "serial": 1234}]}, "quote a number", True),
    ({"disks": [{**HDD, "serial": "A" * 21}]}, "1 to 20", True),
    ({"disks": [{**HDD, "serial": "A B"}]}, "1 to 20", True),
    ({"disks": [{**HDD, "type": "tape"}]}, "'tape' is none of hdd, ssd, nvme", True),
    ({"disks": [{**HDD, "size": "4 GiBi"}]}, "is no size", True),
    ({"disks": [{**HDD, "size": "0 GiB"}]}, "above zero", False),
    ({"disks": [{**HDD, "size": "0.3 B"}]}, "whole number of bytes", False),
    ({"disks": [{**HDD, "size": "1000 B"}]}, "no multiple of the sector size of 512", False),
    ({"disks": [{**HDD, "wwn": 0x5000C50000000001}]}, "must be quoted text", True),
    ({"disks": [{**HDD, "rotation_rate": 1}]}, "rotation_rate: 1 must be", True),
    ({"disks": [{**SSD, "rotation_rate": 7200}]}, "an ssd does not rotate", True),
    ({"disks": [{**HDD, "vendor": "SEAGATE-LONG"}]}, "1 to 8", True),
    ({"disks": [{**HDD, "sector_size": 520}]}, "must be one of 512, 4096", True),
    ({"disks": [{**HDD, "sector_size": 4096, "physical_sector_size": 512}]}, "less than the logical", False),
    ({"disks": [{**NVME, "wwn": "0x5000c50000000001"}]}, "its own wwn", True),
    ({"disks": [{**NVME, "model": "X"}]}, "its own model", True),
    ({"disks": [{**NVME, "bus_slot": 8}]}, "from 0 to 7", True),
    ({"disks": [HDD, HDD]}, "serial HDD1 is given to 2 disks", False),
    (
        {"disks": [{**HDD, "wwn": "0x5000c50000000001"}, {**SSD, "wwn": "0x5000C50000000001"}]},
        "wwn 0x5000c50000000001 is given to 2 disks",
        False,
    ),
    (
        {"disks": [{**HDD, "bus_slot": 3}, {**SSD, "bus_slot": 3}]},
        "disks[1].bus_slot: 3 is taken by disks[0]",
        False,
    ),
    ({"disks": [{**NVME, "serial": f"N{n}"} for n in range(9)]}, "no slot is left", False),
]


@pytest.mark.parametrize(("raw", "words", "seen"), MISTAKES, ids=[words for _, words, _ in MISTAKES])
def test_a_mistake_has_a_sentence(raw: Any, words: str, seen: bool) -> None:
    with pytest.raises(LabError) as caught:
        parse_machine("ss1", raw)
    assert words in str(caught.value)
    assert str(caught.value).startswith("host ss1: lab_machine")
    assert conforms(raw) is not seen


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"disks": [HDD, SSD, NVME]},
        {"memory": "2 GiB", "cpus": 4, "disks": [{**HDD, "sector_size": 4096, "bus_slot": 255}]},
        {"kind": "container", "address": "10.77.0.11/24", "disks": [HDD, SSD]},
    ],
)
def test_what_is_understood_conforms_to_the_schema(raw: Any) -> None:
    parse_machine("ss1", raw)
    assert conforms(raw)
