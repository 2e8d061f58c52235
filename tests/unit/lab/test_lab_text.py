# SPDX-License-Identifier: GPL-3.0-or-later
"""ssh_config, image keys, mirrors, and the inventory of this repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from barestore.lab import debian, image
from barestore.lab.building import package_names, recipe_hash
from barestore.lab.errors import LabError
from barestore.lab.inventory import machines, state_dir
from barestore.lab.ssh import Endpoint, free_port, ssh_config

ROOT = Path(__file__).parents[3]
VERSIONS = debian.Versions("6.12.1-cloud-amd64", "6.12.1-1", "2.3.2-2")


def test_ssh_itself_understands_the_configuration(tmp_path: Path) -> None:
    ends = [Endpoint("ss2", 2202, tmp_path / "id"), Endpoint("ss1", 2201, tmp_path / "id")]
    file = tmp_path / "ssh_config"
    file.write_text(ssh_config(ends, Path("/run/lab")))
    shown = subprocess.run(
        ["ssh", "-G", "-F", str(file), "ss2"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for line in (
        "hostname 127.0.0.1",
        "port 2202",
        "user root",
        "stricthostkeychecking false",
        "controlpersist 60",
    ):
        assert line in shown
    assert file.read_text().index("Host ss1") < file.read_text().index("Host ss2")


def test_a_taken_port_is_not_given_again() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) != port
    assert free_port() > 0


def test_equal_recipes_and_versions_have_equal_keys() -> None:
    recipe = recipe_hash({"a": "1", "b": "2"})
    assert recipe == recipe_hash({"b": "2", "a": "1"})
    key = image.image_key(recipe, VERSIONS)
    assert key == image.image_key(recipe, VERSIONS)
    assert len(key) == 16
    assert key != image.image_key(recipe_hash({"a": "1", "b": "3"}), VERSIONS)
    assert key != image.image_key(recipe, debian.Versions("6.12.2-cloud-amd64", "6.12.2-1", "2.3.2-2"))


def test_the_package_list_has_no_comments_and_no_doubles() -> None:
    listed = package_names((image.RECIPE / "packages.txt").read_text())
    assert "lvm2" in listed
    assert all(name.replace("-", "").isalnum() for name in listed)
    assert sorted(set(listed)) == list(listed)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (
            ["URIs: http://mirror.example/debian-security", "URIs: http://mirror.example/debian"],
            "http://mirror.example/debian",
        ),
        (
            ["# deb http://old.example/debian x", "deb [arch=amd64] https://m.example/debian/ bookworm main"],
            "https://m.example/debian",
        ),
        (["deb https://packages.example/apt stable main"], None),
        (["deb-src http://m.example/debian trixie main"], None),
        ([], None),
    ],
)
def test_the_mirror_is_the_one_of_this_machine(lines: list[str], found: str | None) -> None:
    assert debian.mirror_in(lines) == found


def test_the_environment_names_another_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BARESTORE_DEBIAN_MIRROR", "http://inside.example/debian/")
    assert debian.mirror() == "http://inside.example/debian"


def test_the_inventory_of_the_lab() -> None:
    (lab1,) = machines(ROOT / "inventories" / "lab")
    assert lab1.name == "lab1"
    assert [disk.type for disk in lab1.disks] == ["hdd"] * 6 + ["nvme"] * 2


def test_what_is_not_in_an_inventory_is_said(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"host ss9 has no lab_machine .* lab1"):
        machines(ROOT / "inventories" / "lab", ["ss9"])
    with pytest.raises(LabError, match="there is no inventory"):
        machines(tmp_path / "none")
    (tmp_path / "hosts").write_text("one\ntwo\n")
    with pytest.raises(LabError, match="no host of inventory"):
        machines(tmp_path / "hosts")


def test_state_is_beside_the_inventory_or_where_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("BARESTORE_LAB", raising=False)
    (tmp_path / "hosts.yml").touch()
    assert state_dir(tmp_path) == state_dir(tmp_path / "hosts.yml") == tmp_path / ".lab"
    monkeypatch.setenv("BARESTORE_LAB", str(tmp_path / "elsewhere"))
    assert state_dir(tmp_path) == tmp_path / "elsewhere"
