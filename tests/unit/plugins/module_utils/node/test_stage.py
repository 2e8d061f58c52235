# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a node is, when its certificates end, and whether an API server answers."""

from __future__ import annotations

import datetime
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.node import api, certificates
from ansible_collections.barestore.storage.plugins.module_utils.node.stage import (
    API_MANIFEST,
    BEGUN,
    KUBELET,
    Node,
    node,
)

STAGES: list[tuple[tuple[str, ...], Node]] = [
    ((), Node("absent", False)),
    ((BEGUN,), Node("half", False)),
    ((BEGUN, KUBELET, API_MANIFEST), Node("half", True)),
    ((KUBELET,), Node("joined", False)),
    ((KUBELET, API_MANIFEST), Node("joined", True)),
    # A manifest alone is what somebody else left: kubeadm itself will say so.
    ((API_MANIFEST,), Node("absent", True)),
]


@pytest.mark.parametrize(("files", "expected"), STAGES)
def test_the_stage_follows_from_the_files(files: tuple[str, ...], expected: Node) -> None:
    assert node(frozenset(files)) == expected


@pytest.mark.parametrize("days", [300, 20000])  # 20000 days are beyond 2050, which is written in another form
def test_the_end_of_a_certificate_is_read_from_its_bytes(tmp_path: Path, days: int) -> None:
    if not shutil.which("openssl"):
        pytest.skip("needs openssl, which makes the certificate")
    file = tmp_path / "apiserver.crt"
    argv = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-days", str(days)]
    subprocess.run([*argv, "-keyout", str(tmp_path / "key"), "-out", str(file)], check=True, capture_output=True)
    said = subprocess.run(
        ["openssl", "x509", "-noout", "-enddate", "-in", str(file)], check=True, capture_output=True, text=True
    ).stdout
    end = datetime.datetime.strptime(said.partition("=")[2].strip(), "%b %d %H:%M:%S %Y GMT")
    assert certificates.ends(file.read_text()) == end.replace(tzinfo=datetime.UTC).timestamp()
    assert certificates.days_left(str(tmp_path)) == days - 1
    (tmp_path / "ca.crt").write_text("no certificate: authorities are not read")
    assert certificates.days_left(str(tmp_path)) == days - 1


def test_without_certificates_there_is_no_end(tmp_path: Path) -> None:
    assert certificates.days_left(str(tmp_path)) is None
    with pytest.raises(ValueError, match="no certificate"):
        certificates.ends("nothing")


def test_a_port_where_nobody_listens_is_said_in_words() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert "refused" in api.why_silent("127.0.0.1", taken.getsockname()[1], 0)
