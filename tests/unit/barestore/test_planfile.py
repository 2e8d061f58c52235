# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan files: what was kept is read back, and nothing else is believed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ansible_collections.barestore.storage.plugins.module_utils.plan.digest import sha256
from barestore import planfile, planread
from barestore.errors import Failed
from barestore.hostplan import HostPlan

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "schemas/plan.schema.json").read_text())
ACTION = {
    "id": "volume_group.create:fast", "kind": "volume_group", "verb": "create", "target": "fast", "disks": ["wwn-0x1"],
    "before": None, "after": {"members": 1}, "needs": [], "provides": ["volume_group:fast"], "destroys": [],
    "irreversible": "", "commands": [{"argv": ["vgcreate", "fast"]}], "expects": [],
}  # fmt: skip
IDENTITIES = {"wwn-0x1": {"serial": "Ü1", "wwn": "0x1"}}


OSDS = [{**ACTION, "id": "osd.purge:osd.7", "kind": "osd", "verb": "purge", "target": "osd.7", "disks": ["ZL7"]}]


def cluster(name: str = "ceph-hdd") -> HostPlan:
    identities = {"cluster": "f", "osd.7": {"uuid": "u", "serial": "ZL7"}}
    digest = sha256({"actions": OSDS, "identities": identities})
    return HostPlan(
        name, "", "changes", digest, OSDS, disks=[{"id": "v7", "osd": "osd.7"}], identities=identities, site="lab",
        wanted=sha256(name), observed="2026-01-02T03:04:05Z", kind="cluster",
    )  # fmt: skip


def host(name: str, status: str = "changes") -> HostPlan:
    actions = [ACTION] if status == "changes" else []
    identities = IDENTITIES if actions else {}
    digest = sha256({"actions": actions, "identities": identities})
    disks = [{"id": "wwn-0x1", "serial": "Ü1"}]
    return HostPlan(
        name, "r1", status, digest, actions, disks=disks, identities=identities, site="lab",
        wanted=sha256(name), observed="2026-01-02T03:04:05Z",
    )  # fmt: skip


def written(folder: Path, *plans: HostPlan) -> Path:
    path = folder / "plan.json"
    with planfile.writing(path, planfile.Head("lab", sha256("all"))) as keep:
        for plan in plans:
            keep(plan)
    return path


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    unreachable = HostPlan("three", "r1", "unreachable", message="It cannot be reached.")
    later = HostPlan("ceph-new", "", "later", message="It is not there yet.", kind="cluster")
    hosts = (host("one"), host("two", "nothing"), host("four", "refused"), unreachable)
    return written(tmp_path, *hosts, cluster(), later)


def test_what_was_kept_is_read_back(kept: Path) -> None:
    found = planread.read(kept)
    assert {name: plan.status for name, plan in found.hosts.items()} == {"one": "changes", "two": "nothing"}
    assert (found.hosts["one"].actions, found.hosts["one"].identities) == ([ACTION], IDENTITIES)
    assert planread.read(kept, found.digest).digest == found.digest
    assert {name: plan.actions for name, plan in found.clusters.items()} == {"ceph-hdd": OSDS}
    assert set(found.plans) == {"one", "two", "cluster ceph-hdd"}


def test_a_cluster_counts_for_the_digest_and_is_no_host_of_its_name(tmp_path: Path) -> None:
    alone = planread.read(written(tmp_path, host("one"))).digest
    assert planread.read(written(tmp_path, host("one"), cluster("one"))).digest != alone
    assert planread.read(written(tmp_path, cluster("one"))).clusters["one"].kind == "cluster"


def test_a_file_of_version_1_is_read_and_has_the_same_digest(tmp_path: Path) -> None:
    path = written(tmp_path, host("one"), host("two", "nothing"))
    digest = planread.read(path).digest

    def older(found: Any) -> None:
        del found["clusters"]
        found["barestore_plan"] = 1

    path.write_text(_edit(older, True)(path.read_text()))
    found = planread.read(path, digest)
    assert (set(found.hosts), found.clusters) == ({"one", "two"}, {})
    # It cannot have any.
    path.write_text(_edit(lambda found: found.update(clusters={}), True)(path.read_text()))
    with pytest.raises(Failed, match="something in it was edited afterwards"):
        planread.read(path)


def test_the_file_is_as_its_schema_says(kept: Path) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(kept.read_text()))


def test_equal_plans_made_at_other_times_have_one_digest(tmp_path: Path, kept: Path) -> None:
    again = written(tmp_path, host("one"), host("five", "nothing"))
    assert planread.read(again).digest == planread.read(written(tmp_path, host("one"))).digest


def _edit(change: Callable[[Any], None], reseal: bool = False) -> Callable[[str], str]:
    def edited(text: str) -> str:
        found = json.loads(text)
        change(found)
        if reseal:
            digests = planfile.Digests()
            for kind in ("host", "cluster"):
                for name, entry in found.get(f"{kind}s", {}).items():
                    digests.add(HostPlan(name, "", entry["status"], entry["digest"], kind=kind), entry)
            head = {key: found[key] for key in found if key not in ("hosts", "clusters", "exit", "digest", "seal")}
            found.update(digests.tail(head))
        return json.dumps(found)

    return edited


def _command(found: Any) -> None:
    found["hosts"]["one"]["actions"][0]["commands"][0]["argv"] = ["vgremove", "fast"]


def _disk(found: Any) -> None:
    found["hosts"]["one"]["identities"]["wwn-0x1"]["serial"] = "OTHER"


def _purge(found: Any) -> None:
    found["clusters"]["ceph-hdd"]["actions"][0]["target"] = "osd.8"


BAD: list[tuple[str, Callable[[str], str], str]] = [
    ("cut", lambda text: text[: len(text) // 2], "is cut off: it ends in the middle of a plan"),
    ("cut at the end", lambda text: text[:-90], "is cut off"),
    ("no JSON", lambda text: "plan", "is no plan: it is not JSON"),
    ("deep", lambda text: "[" * 100_000, "is no plan: it is not JSON"),
    ("a later format", _edit(lambda found: found.update(barestore_plan=3)), "is no plan of this release"),
    ("no clusters", _edit(lambda found: found.pop("clusters")), "is no plan of this release"),
    ("an edited purge", _edit(_purge, True), "was edited: the actions of cluster ceph-hdd are not those of its digest"),
    ("a cluster less", _edit(lambda found: found["clusters"].clear()), "something in it was edited afterwards"),
    ("an odd cluster", _edit(lambda found: found["clusters"].update(x=7)), "damaged where it speaks of cluster x"),
    ("an edited command", _edit(_command), "was edited: the actions of host one are not those of its digest"),
    ("an edited command, sealed again", _edit(_command, True), "was edited: the actions of host one are not those"),
    ("another disk, sealed again", _edit(_disk, True), "was edited: the actions of host one are not those"),
    ("a host less", _edit(lambda found: found["hosts"].pop("two")), "something in it was edited afterwards"),
    ("another site", _edit(lambda found: found["hosts"]["one"].update(site="x")), "something in it was edited"),
    ("a host allowed", _edit(lambda found: found["hosts"]["four"].update(status="changes")), "edited"),
    ("something more", _edit(lambda found: found.update(force=True)), "something in it was edited afterwards"),
    (
        "no actions",
        _edit(lambda found: found["hosts"]["one"].update(actions={})),
        "damaged where it speaks of host one",
    ),
    (
        "an odd action",
        _edit(lambda found: found["hosts"]["one"].update(actions=[7])),
        "damaged where it speaks of host",
    ),
    ("no time", _edit(lambda found: found.update(made=7)), "damaged where it speaks of its inventory"),
]


@pytest.mark.parametrize(("change", "said"), [each[1:] for each in BAD], ids=[each[0] for each in BAD])
def test_a_file_that_is_not_as_it_was_made(kept: Path, change: Callable[[str], str], said: str) -> None:
    kept.write_text(change(kept.read_text()))
    with pytest.raises(Failed, match=r"make one with 'barestore plan --out .*'\.$") as caught:
        planread.read(kept)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_only_the_plan_that_was_approved(kept: Path) -> None:
    with pytest.raises(Failed, match="and not sha256:00, which was approved"):
        planread.read(kept, "sha256:00")


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "plan.json").mkdir()
    with pytest.raises(Failed, match="cannot be written"):
        written(tmp_path, host("one"))
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]
