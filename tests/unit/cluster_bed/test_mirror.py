# SPDX-License-Identifier: GPL-3.0-or-later
"""The mirror of the bed: what containerd and apt ask of it, over a real connection."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.bed.mirror import serve
from tests.cluster.bed.ociimage import File, Files, Image, write_archive

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def write(path: Path, content: bytes) -> None:
    write_archive(path, [Image("quay.io/ceph/ceph:v20.2.4", (Files((File("bin/ceph", content),)),))])


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[http.client.HTTPConnection]:
    (tmp_path / "apt").mkdir()
    (tmp_path / "apt/Release").write_text("SHA256:\n")
    (tmp_path / "apt/runc_1+b5~x.deb").write_text("!<arch>")
    (tmp_path / "secret").write_text("not for others")
    write(tmp_path / "images/a.tar", b"one")
    server = serve("127.0.0.1", 0, {"apt": tmp_path / "apt"}, [tmp_path / "images", tmp_path / "absent"])
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=30)
    yield connection
    connection.close()
    server.shutdown()
    server.server_close()
    thread.join()


def get(connection: http.client.HTTPConnection, path: str, method: str = "GET") -> tuple[int, bytes, str]:
    connection.request(method, path)
    answer = connection.getresponse()
    return answer.status, answer.read(), answer.headers.get("Content-Type", "")


def test_an_image_is_found_by_its_name_and_read_to_the_last_byte(ask: http.client.HTTPConnection) -> None:
    assert get(ask, "/v2/")[0] == 200
    status, body, kind = get(ask, "/v2/ceph/ceph/manifests/v20.2.4?ns=quay.io")
    assert (status, kind) == (200, MANIFEST)
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    assert get(ask, f"/v2/ceph/ceph/manifests/{digest}")[1] == body
    assert get(ask, "/v2/ceph/ceph/manifests/v20.2.4", "HEAD")[:2] == (200, b"")
    for part in (json.loads(body)["config"], *json.loads(body)["layers"]):
        status, content, _kind = get(ask, f"/v2/ceph/ceph/blobs/{part['digest']}")
        assert status == 200
        assert f"sha256:{hashlib.sha256(content).hexdigest()}" == part["digest"]


def test_an_archive_that_is_written_anew_is_served_anew(ask: http.client.HTTPConnection, tmp_path: Path) -> None:
    before = get(ask, "/v2/ceph/ceph/manifests/v20.2.4")[1]
    write(tmp_path / "images/a.tar", b"two")
    os.utime(tmp_path / "images/a.tar", (1, 1))
    assert get(ask, "/v2/ceph/ceph/manifests/v20.2.4")[1] != before


@pytest.mark.parametrize(
    "path",
    ["/v2/ceph/ceph/manifests/v1", f"/v2/ceph/ceph/blobs/sha256:{'0' * 64}", "/apt/../secret", "/apt/absent", "/else"],
)
def test_what_is_not_there_is_not_found(ask: http.client.HTTPConnection, path: str) -> None:
    status, body, _kind = get(ask, path)
    assert status == 404
    assert b"not for others" not in body


def test_packages_lie_below_apt(ask: http.client.HTTPConnection) -> None:
    assert get(ask, "/apt/./Release")[:2] == (200, b"SHA256:\n")
    assert get(ask, "/apt/./runc_1%2bb5%7ex.deb")[:2] == (200, b"!<arch>")
