# SPDX-License-Identifier: GPL-3.0-or-later
"""Image archives: what an importer reads in them, byte for byte the same each time, and each blob once."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.bed.ociimage import File, Files, Folder, Image, Link, Tarball, write_archive

TOOLS = Files(
    (
        File("/usr/bin/busybox", b"\x7fELF"),
        Link("bin/sh", "../usr/bin/busybox"),
        Folder("var/lib/ceph", 0o750, 167, 167),
        File("var/lib/ceph/keyring", b"key", 0o600),
    )
)


def blobs(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        names = [member.name for member in archive]
        assert len(names) == len(set(names)), "something is in the archive twice"
        return {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]


def blob(path: Path, descriptor: dict[str, Any]) -> bytes:
    algorithm, _, digest = descriptor["digest"].partition(":")
    content = blobs(path)[f"blobs/{algorithm}/{digest}"]
    assert hashlib.sha256(content).hexdigest() == digest
    assert len(content) == descriptor["size"]
    return content


def test_an_importer_finds_name_config_and_layers(tmp_path: Path) -> None:
    write_archive(tmp_path / "a.tar", [Image("docker.io/local/tools:1", (TOOLS,), {"Entrypoint": ["/bin/sh"]})])
    (entry,) = json.loads(blobs(tmp_path / "a.tar")["index.json"])["manifests"]
    assert entry["annotations"]["io.containerd.image.name"] == "docker.io/local/tools:1"
    manifest = json.loads(blob(tmp_path / "a.tar", entry))
    config = json.loads(blob(tmp_path / "a.tar", manifest["config"]))
    assert config["config"]["Entrypoint"] == ["/bin/sh"]
    assert config["config"]["Env"][0].startswith("PATH=/usr/local/sbin:")
    assert config["rootfs"]["diff_ids"] == [layer["digest"] for layer in manifest["layers"]]
    with tarfile.open(fileobj=io.BytesIO(blob(tmp_path / "a.tar", manifest["layers"][0]))) as layer:
        found = {member.name: member for member in layer}
        folders = ["usr", "usr/bin", "bin", "var", "var/lib"]
        assert sorted(found) == sorted([*folders, *(str(entry.target).lstrip("/") for entry in TOOLS.entries)])
        assert list(found).index("usr/bin") < list(found).index("usr/bin/busybox")
        assert found["usr/bin/busybox"].mode == 0o755
        assert found["bin/sh"].issym() and found["bin/sh"].linkname == "../usr/bin/busybox"
        assert (found["var/lib/ceph"].mode, found["var/lib/ceph"].uid) == (0o750, 167)
        assert layer.extractfile("var/lib/ceph/keyring").read() == b"key"  # type: ignore[union-attr]


def test_equal_contents_give_equal_bytes_whatever_the_files_times_are(tmp_path: Path) -> None:
    for name in ("one", "two"):
        source = tmp_path / name / "tool"
        source.parent.mkdir()
        source.write_bytes(b"tool")
        source.chmod(0o600 if name == "one" else 0o700)
        write_archive(tmp_path / f"{name}.tar", [Image("a/b:1", (Files((File("bin/tool", source),)),))])
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


def test_a_shared_layer_is_in_the_archive_once(tmp_path: Path) -> None:
    root = tmp_path / "root.tar"
    with tarfile.open(root, "w") as archive:
        archive.addfile(tarfile.TarInfo("etc"), None)
    images = [Image("a/operator:1", (Tarball(root),)), Image("a/ceph:1", (Tarball(root), TOOLS))]
    write_archive(tmp_path / "a.tar", images)
    first, second = json.loads(blobs(tmp_path / "a.tar")["index.json"])["manifests"]
    layers = [json.loads(blob(tmp_path / "a.tar", entry))["layers"] for entry in (first, second)]
    assert layers[0][0] == layers[1][0]
    assert blob(tmp_path / "a.tar", layers[0][0]) == root.read_bytes()


def test_a_missing_file_leaves_neither_an_archive_nor_a_part_of_one(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(FileNotFoundError):
        write_archive(out / "a.tar", [Image("a/b:1", (Files((File("bin/x", tmp_path / "absent"),)),))])
    assert list(out.iterdir()) == []
