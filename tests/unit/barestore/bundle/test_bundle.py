# SPDX-License-Identifier: GPL-3.0-or-later
"""Bundles against a registry and a chart repository that answer on this machine."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

# Imported before Ansible's own importer takes over in load_site, which expects to be the first.
from ansible_collections.barestore.storage.plugins.module_utils.cluster.artifacts import Artifact
from barestore.bundle import build as builder
from barestore.bundle.cli import app
from barestore.bundle.contents import lacking
from barestore.bundle.layout import Layout

ROOT = Path(__file__).resolve().parents[4]
LAYER, CONFIG = b"layer" * 1000, b'{"architecture": "amd64", "os": "linux"}'
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def descriptor(content: bytes, kind: str, **rest: object) -> dict[str, object]:
    return {"mediaType": kind, "digest": digest(content), "size": len(content), **rest}


MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": descriptor(CONFIG, "application/vnd.oci.image.config.v1+json"),
        "layers": [descriptor(LAYER, "application/vnd.oci.image.layer.v1.tar+gzip")],
    }
).encode()
INDEX = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": INDEX_TYPE,
        "manifests": [descriptor(MANIFEST, MANIFEST_TYPE, platform={"os": "linux", "architecture": "amd64"})],
    }
).encode()


class Server:
    """A registry that wants a token, and a chart repository; ``asked`` are the paths in order."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.blobs = {digest(each): each for each in (LAYER, CONFIG)}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path, status, kind, body = request.path, 200, "application/octet-stream", b""
        self.asked.append(path)
        if path.startswith("/token"):
            body = b'{"token": "t"}'
        elif path.startswith("/v2/") and request.headers.get("Authorization") != "Bearer t":
            status = 401
        elif path in ("/v2/team/app/manifests/1.0", f"/v2/team/app/manifests/{digest(INDEX)}"):
            body, kind = INDEX, INDEX_TYPE
        elif path == f"/v2/team/app/manifests/{digest(MANIFEST)}":
            body, kind = MANIFEST, MANIFEST_TYPE
        elif path.startswith("/v2/team/app/blobs/"):
            body = self.blobs[path.rpartition("/")[2]]
        elif path == "/charts/index.yaml":
            body = b"entries: {app: [{version: v2.0.0, urls: [app-v2.0.0.tgz]}]}"
        elif path == "/charts/app-v2.0.0.tgz":
            body = b"chart"
        else:
            status = 404
        request.send_response(status)
        if status == 401:
            request.send_header("WWW-Authenticate", f'Bearer realm="http://{self.host}/token",service="s"')
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.server.shutdown()
    made.server.server_close()


def image(server: Server, version: str = "1.0", pinned: str = "") -> Artifact:
    return Artifact("app", "image", f"{server.host}/team/app", version, "ceph", pinned)


def bring(server: Server, folder: Path, *artifacts: Artifact) -> list[str]:
    return builder.build(artifacts, Layout(folder), lambda line: None, plain=True)


def test_an_image_comes_whole_and_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    one = image(server)
    assert bring(server, tmp_path, one) == []
    assert list(lacking((one,), Layout(tmp_path), thorough=True)) == []
    assert json.loads((tmp_path / "images/oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    server.asked.clear()
    assert bring(server, tmp_path, one) == []
    assert [path for path in server.asked if "/blobs/" in path] == []


def test_all_that_is_missing_is_named_at_once(server: Server, tmp_path: Path) -> None:
    wanted = (
        image(server),
        image(server, "2.0"),
        Artifact("app", "chart", f"http://{server.host}/charts", "v2.0.0", "ceph"),
        Artifact("tool", "binary", "http://nowhere.invalid/{version}/tool", "1", "ceph"),
        Artifact("lvm2", "package", "lvm2", "", "ceph"),
    )
    assert list(lacking(wanted, Layout(tmp_path))) == [
        f"image {server.host}/team/app:1.0 is missing",
        f"image {server.host}/team/app:2.0 is missing",
        "chart app v2.0.0 is missing",
        "binary tool 1 is missing",
        "package lvm2 is missing",
    ]


def test_what_cannot_be_brought_does_not_stop_the_rest(server: Server, tmp_path: Path) -> None:
    chart = Artifact("app", "chart", f"http://{server.host}/charts", "v2.0.0", "ceph")
    other = Artifact("app", "chart", f"http://{server.host}/charts", "v3.0.0", "ceph")
    assert bring(server, tmp_path, image(server, "2.0"), other, chart) == [
        f"Image {server.host}/team/app:2.0 cannot be fetched: the registry has no such image; see that the name is "
        "right.",
        f"http://{server.host}/charts/index.yaml has no chart app v3.0.0; see that the version is right.",
    ]
    assert (tmp_path / "charts/app-v2.0.0.tgz").read_bytes() == b"chart"


def test_a_blob_that_is_not_what_it_says_is_not_kept(server: Server, tmp_path: Path) -> None:
    server.blobs[digest(LAYER)] = LAYER[:-1] + b"X"
    [sentence] = bring(server, tmp_path, image(server))
    assert f"what came as {digest(LAYER)} is sha256:" in sentence
    assert list(lacking((image(server),), Layout(tmp_path))) == [f"image {server.host}/team/app:1.0 is missing"]


def test_a_moved_tag_is_refused_where_a_digest_is_written(server: Server, tmp_path: Path) -> None:
    assert bring(server, tmp_path, image(server, pinned=digest(INDEX))) == []
    [sentence] = bring(server, tmp_path, image(server, pinned="sha256:" + "0" * 64))
    assert "cannot be fetched: the registry has no such image" in sentence


def test_a_damaged_and_a_cut_off_blob_are_found(server: Server, tmp_path: Path) -> None:
    one, layout = image(server), Layout(tmp_path)
    bring(server, tmp_path, one)
    layout.blob(digest(LAYER)).write_bytes(LAYER[:-1] + b"X")
    assert list(lacking((one,), layout)) == []
    assert list(lacking((one,), layout, thorough=True)) == [f"image {one.reference}: {digest(LAYER)} is damaged"]
    layout.blob(digest(LAYER)).write_bytes(LAYER[:-1])
    assert list(lacking((one,), layout)) == [f"image {one.reference}: {digest(LAYER)} is missing"]


def test_the_sample_site_lists_what_it_needs_and_a_bundle_without_it_fails(tmp_path: Path) -> None:
    sample = str(ROOT / "inventories/sample")
    listed = CliRunner().invoke(app, ["list", "-i", sample])
    assert listed.exit_code == 0
    for words in ("docker.io/rook/ceph:v1.20.6", "quay.io/ceph/ceph:v20.2.4", "topolvm-with-sidecar:0.41.0", "kubeadm"):
        assert words in listed.stdout
    assert "pvc-autoresizer" not in listed.stdout
    checked = CliRunner().invoke(app, ["check", str(tmp_path), "-i", sample])
    assert checked.exit_code == 1
    assert len(checked.stderr.splitlines()) == len(listed.stdout.splitlines()) + 1
