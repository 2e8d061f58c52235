# SPDX-License-Identifier: GPL-3.0-or-later
"""The purge Job's command: what it removes, and that it says success when it removed nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.cluster.operator.standin import remove
from tests.cluster.operator.standin.ceph import CephError
from tests.cluster.operator.standin.words import DEVICE_SET, OSD_CLAIM, SET_INDEX

CLAIM = "hdd-data-2abcde"


@dataclass
class FakeCeph:
    up: dict[int, int]
    unsafe: int = 0  # so often it says no before it says yes
    said: list[str] = field(default_factory=list)

    def json(self, *command: str) -> Any:
        if command[:2] == ("osd", "dump"):
            return {"osds": [{"osd": number, "up": up} for number, up in self.up.items()]}
        if command[1] == "safe-to-destroy":
            if self.unsafe:
                self.unsafe -= 1
                raise CephError("Error EBUSY: OSD(s) 2 have 3 pgs currently mapped to them")
            return {"safe_to_destroy": [int(command[2])]}
        return {"crush_location": {"host": "h1", "root": "default"}}

    def text(self, *command: str) -> str:
        self.said.append(" ".join(command))
        return ""


@dataclass
class FakeApi:
    deleted: list[str] = field(default_factory=list)

    def get(self, kind: str, namespace: str, name: str) -> Any:
        labels = {OSD_CLAIM: CLAIM} if kind == "Deployment" else {DEVICE_SET: "hdd", SET_INDEX: "2"}
        return {"metadata": {"name": name, "labels": labels}}

    def list(self, kind: str, namespace: str, labels: str) -> list[Any]:
        name = CLAIM if kind == "PersistentVolumeClaim" else f"rook-ceph-osd-prepare-{CLAIM}"
        return [{"metadata": {"name": name, "labels": {}}}]

    def delete(self, kind: str, namespace: str, name: str, propagation: str = "") -> bool:
        self.deleted.append(f"{kind}/{name}")
        return True


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr(remove.time, "sleep", waited.append)
    return waited


def removal(ceph: FakeCeph, api: FakeApi, *, preserve: bool = False, force: bool = False) -> remove.Removal:
    return remove.Removal(ceph, api, "ceph-hdd", preserve, force)  # type: ignore[arg-type]


def test_an_osd_that_is_up_is_left_alone_and_that_is_success() -> None:
    ceph, api = FakeCeph({2: 1}), FakeApi()
    assert removal(ceph, api).run(["2"]) == 0
    assert (ceph.said, api.deleted) == ([], [])


def test_one_that_is_down_goes_with_everything_that_rook_made_for_it() -> None:
    ceph, api = FakeCeph({2: 0}), FakeApi()
    assert removal(ceph, api).run(["2"]) == 0
    assert ceph.said == [
        "osd out osd.2",
        "osd purge osd.2 --force --yes-i-really-mean-it",
        "osd crush rm h1",
    ]
    assert api.deleted == [
        "Deployment/rook-ceph-osd-2",
        f"Job/rook-ceph-osd-prepare-{CLAIM}",
        f"PersistentVolumeClaim/{CLAIM}",
    ]


def test_it_waits_until_it_is_safe_unless_it_is_told_not_to(no_waiting: list[float]) -> None:
    assert removal(FakeCeph({2: 0}, unsafe=2), FakeApi()).run(["2"]) == 0
    assert no_waiting == [15.0, 15.0]
    assert removal(FakeCeph({2: 0}, unsafe=2), FakeApi(), force=True).run(["2"]) == 0
    assert no_waiting == [15.0, 15.0]


def test_a_claim_that_is_to_be_kept_is_kept() -> None:
    api = FakeApi()
    removal(FakeCeph({2: 0}), api, preserve=True).run(["2"])
    assert f"PersistentVolumeClaim/{CLAIM}" not in api.deleted


def test_no_number_is_passed_over_and_an_unknown_one_fails() -> None:
    ceph = FakeCeph({2: 1})
    assert removal(ceph, FakeApi()).run(["two", "2"]) == 0
    assert removal(ceph, FakeApi()).run(["7"]) == 1


def test_a_failure_in_between_is_logged_and_the_rest_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(FakeApi):
        def delete(self, kind: str, namespace: str, name: str, propagation: str = "") -> bool:
            raise CephError("no permission")

    ceph = FakeCeph({2: 0})
    assert removal(ceph, Broken()).run(["2"]) == 0
    assert "no permission" in caplog.text
    assert "osd purge osd.2 --force --yes-i-really-mean-it" in ceph.said
