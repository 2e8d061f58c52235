# SPDX-License-Identifier: GPL-3.0-or-later
"""The one task for all clusters of a site, run by Ansible itself: what modules are told, and whose answer is whose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from barestore.clusters import OsdCall, call, clusters
from barestore.fleet import Answer
from barestore.hosts import without_mistakes
from tests.unit.barestore.test_cluster_plays import HOSTS, ROOT, SITE, STORAGE


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANSIBLE_COLLECTIONS_PATH", str(ROOT / "collections"))
    for name, text in {"hosts": HOSTS, "group_vars/all": SITE, "group_vars/kube_node": STORAGE}.items():
        path = tmp_path / f"site/{name}.yml"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
    return tmp_path / "site"


@pytest.mark.parametrize("module", ["ceph_osds", "ceph_osds_info"])
def test_each_cluster_is_told_its_own_and_answers_for_itself(folder: Path, module: str) -> None:
    found = clusters(without_mistakes(folder))
    assert [(one.name, one.control_plane, one.site) for one in found] == [
        ("ceph-hdd", "cp1", "site"),
        ("ceph-two", "cp1", "site"),
    ]
    made = call([str(folder)], found, module)
    made.start()
    answers = made.wait()
    for one in found:
        answer = answers[one.key]
        # No cluster is here: each fails with a sentence of its own, and the second is asked all the same.
        assert (answer.how, answer.result["absent"]) == ("failed", True), answer.result
        assert f"the Ceph cluster {one.name} is not there yet" in answer.message
        given = answer.result["invocation"]["module_args"]
        assert {key: given[key] for key in one.options} == one.options


def test_only_the_clusters_that_were_chosen(folder: Path) -> None:
    [_first, second] = clusters(without_mistakes(folder))
    made = call([str(folder)], [second], "ceph_osds", expected={"ceph-two": "sha256:1"})
    made.start()
    answers = made.wait()
    assert list(answers) == ["cluster ceph-two"]
    assert answers["cluster ceph-two"].result["invocation"]["module_args"]["expected_digest"] == "sha256:1"


def test_the_role_tells_the_module_the_same(folder: Path) -> None:
    [task] = yaml.safe_load((ROOT / "roles/ceph_osds/tasks/main.yml").read_text())
    ours = call([""], clusters(without_mistakes(folder)), "ceph_osds", expected={})
    words = {
        key: text.replace("ceph_osds_cluster", "item.key").replace("ceph_osds_document", "item.value")
        for key, text in task["barestore.storage.ceph_osds"].items()
        if key != "expected_digest"
    }
    told = dict(ours.task["barestore.storage.ceph_osds"])
    del told["expected_digest"]
    assert {key: text.replace(" | default(omit)", "") for key, text in told.items()} == {
        key: text.replace(" | default(omit)", "") for key, text in words.items()
    }


def test_an_answer_for_nobody_is_not_taken_as_nothing_to_do(folder: Path) -> None:
    found = clusters(without_mistakes(folder))
    made = OsdCall((), ["cp1"], {}, clusters=found, answers={"cp1": Answer("cp1", "ok", {"results": []})})
    made._ended.set()
    assert {answer.how for answer in made.wait().values()} == {"silent"}


def test_what_is_wanted_is_of_osds_alone(folder: Path) -> None:
    [first, _second] = clusters(without_mistakes(folder))
    pools = replace(first, document={**first.document, "pools": {"more": {"replicas": 3}}})
    sets = replace(first, document={**first.document, "device_sets": {}})
    assert first.wanted == pools.wanted != sets.wanted
