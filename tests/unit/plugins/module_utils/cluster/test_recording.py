# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Recordings of clusters: as good as the answers themselves, and without what nobody plans from."""

from __future__ import annotations

import json
from typing import Any

import pytest
from simulated_rook import NAME, SimulatedClock, SimulatedRook, small

from ansible_collections.barestore.storage.plugins.module_utils.cluster import reading, recording
from ansible_collections.barestore.storage.plugins.module_utils.cluster.observer import Observer
from ansible_collections.barestore.storage.plugins.module_utils.cluster.run import Job, Report, osds
from ansible_collections.barestore.storage.plugins.module_utils.cluster.wanted import Wanted
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import Absent, SpecError

WHEN = "2026-01-02T03:04:05Z"


def answers() -> dict[str, Any]:
    """What a modelled cluster says, with all that real objects have besides."""
    observer = Observer(small(6), Wanted(NAME, {"hdd": 5}, "rack"))
    observer.look(whole=True)
    template = {"spec": {"containers": [{"env": [{"name": "PASSWORD", "value": "hunter2"}]}]}}
    for one in observer.last["kubernetes"]:
        one["metadata"]["annotations"] = {
            **one["metadata"].get("annotations", {}),
            "kubectl.kubernetes.io/last-applied-configuration": '{"password": "hunter2"}',
        }
        if one["kind"] in ("Deployment", "Job"):
            one.setdefault("spec", {})["template"] = template
        if one["kind"] == "Pod":
            one["spec"].update(template["spec"])
    return observer.last


def test_a_recording_is_read_as_the_answers_are_and_holds_no_templates() -> None:
    told = answers()
    kept = json.loads(json.dumps(recording.recording(told, NAME, WHEN)))
    assert (kept["cluster"], kept["taken"]) == (NAME, WHEN)
    assert reading.cluster(recording.answers(kept, NAME), NAME) == reading.cluster(told, NAME)
    assert "hunter2" in json.dumps(told) and "hunter2" not in json.dumps(kept)


def test_a_cluster_that_was_not_there() -> None:
    with pytest.raises(Absent, match="it is not there yet"):
        recording.answers(recording.missing(NAME, WHEN, "it is not there yet; let site.yml make it."), NAME)


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"observation": 1, "host": "ss1", "answers": {}},
        {"observation": 1, "cluster": "other", "answers": {"kubernetes": [], "ceph": {}}},
        {"observation": 1, "cluster": NAME, "answers": {"kubernetes": {}}},
    ],
)
def test_what_is_no_recording_of_it(found: dict[str, Any]) -> None:
    with pytest.raises(SpecError):
        recording.answers(found, NAME)


class Monday(SimulatedClock):
    """A clock that stands still in the night of Monday."""

    def week(self) -> tuple[int, int]:
        return 0, 60


def run(rook: SimulatedRook, folder: object, check: bool, *windows: str) -> Report:
    job = Job(Wanted(NAME, {"hdd": 5}, "rack", windows=windows), check, folder=str(folder))
    return osds(job, rook, Monday(rook))


def test_a_check_plans_though_no_window_is_open_and_a_run_waits_for_one(tmp_path: object) -> None:
    open_, closed = run(small(6), tmp_path, True), run(small(6), tmp_path, True, "Sa 22:00-06:00")
    assert [one.id for one in closed.plan.actions] == [one.id for one in open_.plan.actions] != []
    assert "A run begins only in a maintenance window: Sa 22:00-06:00." in closed.notes
    rook = small(6)
    refused = run(rook, tmp_path, False, "Sa 22:00-06:00")
    assert [one.target for one in refused.plan.refusals] == ["gate window"] and not rook.log
    assert refused.as_json()["lacks"] == ()


@pytest.mark.parametrize(
    ("said", "absent"),
    [
        ("kubectl: not installed", True),
        ("error: stat /etc/kubernetes/admin.conf: no such file or directory", True),
        ('error: the server doesn\'t have a resource type "cephclusters"', True),
        ('Error from server (NotFound): namespaces "ceph-hdd" not found', True),
        ('Error from server (NotFound): deployments.apps "rook-ceph-tools" not found', True),
        ("The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?", False),
        ("error: unable to upgrade connection: container not found", False),
    ],
)
def test_what_was_never_made_is_no_failure(said: str, absent: bool) -> None:
    from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Result

    observer = Observer(small(6), Wanted(NAME, {}))
    assert isinstance(observer._unreadable(Result(("kubectl",), 1, "", said, 0.0)), Absent) is absent


def test_the_disks_of_a_plan_are_named_with_host_and_rack(tmp_path: object) -> None:
    report = run(small(6), tmp_path, True)
    [purged] = [one.target for one in report.plan.actions if one.id.startswith("osd.purge")]
    [disk] = [one for one in report.disks if one["osd"] == purged]
    assert disk["host"] == "ss" + disk["rack"][-1] + "1" and disk["serial"].startswith(disk["host"].upper())
    assert disk["volume"] == disk["id"] and disk["size"] > 0
    # All of one OSD is one disk, whether an action names its claim or its volume.
    assert len(report.disks) == 1
