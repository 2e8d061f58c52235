# SPDX-License-Identifier: GPL-3.0-or-later
"""What only one detector sees must count, whatever link a device was asked for by."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host import observer
from ansible_collections.barestore.storage.plugins.module_utils.host.observation import Signatures
from ansible_collections.barestore.storage.plugins.module_utils.host.signatures.area import Area
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Result, Runner

LABEL = "B\u00fcro\n\x1b[2J\u202e"


class _Wipefs(Runner):
    """wipefs and blkid of util-linux 2.41 on a disk of which only the backup GPT is left."""

    def run(self, argv: Sequence[str], stdin: str = "") -> Result:
        if argv[0] == "blkid":
            return Result(tuple(argv), 2, "", "", 0.0)
        rows = [
            {"device": Path(one).name, "offset": "0xfffffe00", "type": "gpt", "uuid": None, "label": LABEL}
            for one in argv
            if one.startswith("/")
        ]
        return Result(tuple(argv), 0, json.dumps({"signatures": rows}), "", 0.0)


def test_a_signature_is_found_through_a_link(monkeypatch: pytest.MonkeyPatch) -> None:
    link = "/dev/disk/by-id/wwn-0x5000c5004f1f0001"
    monkeypatch.setattr(observer, "_unopened", lambda path: ("", False))
    monkeypatch.setattr(observer, "_area", lambda path: Area(4096, {0: bytes(4096)}))
    monkeypatch.setattr(observer.os.path, "realpath", lambda path: "/dev/sdb" if path == link else path)
    answer = observer.Observer(_Wipefs()).answers([Signatures(link)])[Signatures(link).key]
    assert [one["type"] for one in answer["found"]] == ["gpt"]
    # A label is on one line, and no terminal obeys it.
    assert answer["found"][0]["label"] == "B\u00fcro\\n\\x1b[2J\\u202e"
