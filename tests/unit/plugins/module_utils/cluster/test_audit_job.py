# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The hourly audit: what its pod runs is run here, from nothing but the files that its ConfigMap brings."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.cluster.objects.audit import SOURCES, audit
from tests.unit.plugins.module_utils.cluster import recorded

UTILS = Path(__file__).resolve().parents[5] / "plugins/module_utils"
TEXTS = {name: (UTILS / name).read_text() for name in SOURCES}
# In place of the API and of Ceph stand recorded answers; all else is what the pod does.
_RUN = """
import json, sys
from module_utils.cluster.audit import inside
from module_utils.plan.errors import ObserveError
objects, ceph = json.loads(sys.stdin.read())
def get(path):
    if path not in objects:
        raise ObserveError("Kubernetes answers %s with 403" % path, "look at the rights")
    return {"items": objects[path]}
inside._get, inside._ceph = get, lambda asked: {one: ceph[one] for one in asked}
sys.exit(inside.main("ceph-hdd"))
"""


def planned(**more: Any) -> dict[str, dict[str, Any]]:
    return {one["kind"]: one for one in audit("ceph-hdd", "quay.io/ceph/ceph:v20.2.4", TEXTS, **more)}


def objects() -> dict[str, list[dict[str, Any]]]:
    """A clean cluster as the API lists it: items of a list do not say their kind."""
    of_osds = [recorded.of_osd(number) for number in range(9)]
    namespace = "namespaces/ceph-hdd"
    found: dict[str, list[dict[str, Any]]] = {
        f"/apis/ceph.rook.io/v1/{namespace}/cephclusters": [recorded.custom(9)],
        f"/api/v1/{namespace}/persistentvolumeclaims": [one[0] for one in of_osds],
        "/api/v1/persistentvolumes": [volume(f"local-{number}", f"wwn-0x{number}") for number in range(9)],
        f"/apis/apps/v1/{namespace}/deployments": [one[1] for one in of_osds],
        f"/api/v1/{namespace}/pods": [],
    }
    for items in found.values():
        for one in items:
            one.pop("kind", None)
    return found


def volume(name: str, leaf: str) -> dict[str, Any]:
    terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "values": ["ss1"]}]}]
    return {
        "metadata": {"name": name},
        "spec": {
            "local": {"path": f"/var/lib/barestore/local-volumes/osd/{leaf}"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": terms}},
        },
    }


def run(folder: Path, listed: dict[str, list[dict[str, Any]]]) -> tuple[int, str]:
    """Lay the ConfigMap out as the pod mounts it, and nothing else of ours."""
    pod = planned()["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    [sources] = [one["configMap"]["items"] for one in pod["volumes"] if one["name"] == "sources"]
    for item in sources:
        path = folder / "module_utils" / item["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(planned()["ConfigMap"]["data"][item["key"]])
    done = subprocess.run(
        [sys.executable, "-B", "-c", _RUN],
        input=json.dumps([listed, recorded.answers("drained")]), env={"PYTHONPATH": str(folder)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def test_a_clean_cluster_passes(tmp_path: Path) -> None:
    assert run(tmp_path, objects()) == (0, "0 signs of two owners of one disk in ceph-hdd.\n")


def test_two_volumes_of_one_disk_fail_the_job_with_their_names(tmp_path: Path) -> None:
    listed = objects()
    listed["/api/v1/persistentvolumes"] += [volume("alias", "wwn-0x3"), volume("part", "wwn-0x4-part1")]
    code, said = run(tmp_path, listed)
    assert code == 2
    assert "ss1 device wwn-0x3: volumes alias, local-3 all lead to it; delete all but" in said
    assert "ss1 device wwn-0x4: volume part lies on device wwn-0x4, which is all of volume local-4;" in said


def test_a_deployment_that_could_start_two_fails_the_job(tmp_path: Path) -> None:
    listed = objects()
    listed["/apis/apps/v1/namespaces/ceph-hdd/deployments"][3]["spec"]["replicas"] = 2
    assert run(tmp_path, listed)[0] == 2


def test_what_cannot_be_read_is_no_clean_cluster(tmp_path: Path) -> None:
    listed = objects()
    del listed["/api/v1/persistentvolumes"]
    code, said = run(tmp_path, listed)
    assert (code, said) == (1, "Kubernetes answers /api/v1/persistentvolumes with 403; look at the rights.\n")


def test_it_may_read_and_nothing_else() -> None:
    rules = [one for kind in ("Role", "ClusterRole") for one in planned()[kind]["rules"]]
    assert {verb for one in rules for verb in one["verbs"]} == {"list"}
    pod = planned()["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert not any("hostPath" in one for one in pod["volumes"])
    assert pod["containers"][0]["securityContext"]["runAsNonRoot"] is True


def test_each_path_that_is_read_is_allowed() -> None:
    allowed = {
        (group, resource)
        for kind in ("Role", "ClusterRole")
        for one in planned()[kind]["rules"]
        for group in one["apiGroups"]
        for resource in one["resources"]
    }
    asked = {("" if path.startswith("/api/") else path.split("/")[2], path.rpartition("/")[2]) for path in objects()}
    assert asked == allowed


def test_alerts_come_with_monitoring_and_name_its_jobs() -> None:
    assert "PrometheusRule" not in planned()
    rules = planned(monitoring=True)["PrometheusRule"]["spec"]["groups"][0]["rules"]
    assert [one["alert"] for one in rules] == ["BarestoreAuditFailed", "BarestoreAuditSilent"]
    name = planned()["CronJob"]["metadata"]["name"]
    assert f'job_name=~"{name}-.+"' in rules[0]["expr"] and f'cronjob="{name}"' in rules[1]["expr"]
    assert rules[0]["annotations"]["description"].endswith("logs job/{{ $labels.job_name }} says which.")


@pytest.mark.parametrize("name", ["ceph-hdd", "ceph-ssd"])
def test_clusters_take_turns(name: str) -> None:
    [job] = [one for one in audit(name, "image", TEXTS) if one["kind"] == "CronJob"]
    minute, _rest = job["spec"]["schedule"].split(" ", 1)
    assert 0 <= int(minute) < 60
