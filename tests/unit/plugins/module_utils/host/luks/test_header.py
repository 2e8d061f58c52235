# SPDX-License-Identifier: GPL-3.0-or-later
"""A header that cryptsetup 2.6.1 made on a file, with the options that a plan gives it (``luks2.json``)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host.luks import header
from ansible_collections.barestore.storage.plugins.module_utils.host.observation import ReadLuks
from ansible_collections.barestore.storage.plugins.module_utils.host.observer import Observer
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner

UUID = "0b3d2f6e-1111-5222-8333-444455556666"
RECORDED = json.loads(Path(__file__).with_name("luks2.json").read_text())


def image(area: str = RECORDED["area"]) -> bytes:
    return (bytes.fromhex(RECORDED["head"]).ljust(4096, b"\0") + area.encode()).ljust(16384, b"\0")


def test_a_header_is_read_without_what_could_open_it() -> None:
    raw = image()
    assert header.length(raw[:4096]) == 16384
    found = header.public(raw)
    assert found == {
        "version": 2,
        "uuid": UUID,
        "offset": 16 * 1024**2,
        "sector": 512,
        "cipher": "aes-xts-plain64",
        "tokens": [],
    }
    assert raw[header.UUID_AT :].startswith(UUID.encode())
    assert "salt" in RECORDED["area"]
    assert "salt" not in json.dumps(found)


def test_tokens_are_told_by_their_type_alone() -> None:
    area = json.loads(RECORDED["area"])
    area["tokens"] = {"0": {"type": "clevis", "keyslots": ["1"], "jwe": {"ciphertext": "wrapped"}}}
    found = header.public(image(json.dumps(area)))
    assert found is not None
    assert found["tokens"] == ["clevis"]
    assert "wrapped" not in json.dumps(found)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", None),
        (b"\0" * 4096, None),
        (image("{"), "unreadable"),
        (image('{"segments": {}, "tokens": {}}'), "unreadable"),
        (b"LUKS\xba\xbe\0\1".ljust(4096, b"\0"), ""),
    ],
)
def test_what_is_no_header_and_what_is_damaged(raw: bytes, said: str | None) -> None:
    found = header.public(raw)
    assert (found["cipher"] if found else None) == said


def test_the_observer_records_only_what_is_public(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(image())
    probe = ReadLuks(str(path))
    assert Observer(Runner()).answers([probe]) == {probe.key: header.public(image())}
    missing = ReadLuks(str(tmp_path / "nothing"))
    assert Observer(Runner()).answers([missing]) == {missing.key: None}


def test_children_get_an_environment_that_holds_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "correct horse")
    assert "correct horse" not in Runner().run(("env",)).stdout
