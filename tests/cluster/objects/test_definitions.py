# SPDX-License-Identifier: GPL-3.0-or-later
"""Our objects against the real definitions of the pinned Rook: its CRDs, and the rights that its charts give."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(ROOT / "tests/unit")]

from site_cases import facts_of  # noqa: E402

from ansible_collections.barestore.storage.plugins.module_utils.cluster.document import (  # noqa: E402
    HostFacts,
    SiteFacts,
)
from ansible_collections.barestore.storage.plugins.module_utils.cluster.objects.rbac import rights  # noqa: E402
from ansible_collections.barestore.storage.plugins.module_utils.cluster.objects.rook import (  # noqa: E402
    csi_values,
    operator_values,
)
from ansible_collections.barestore.storage.plugins.module_utils.cluster.objects.site import (  # noqa: E402
    cluster_objects,
    store_objects,
    toolbox_objects,
)
from ansible_collections.barestore.storage.plugins.plugin_utils.cluster_document import with_defaults  # noqa: E402
from barestore.site import load_site  # noqa: E402
from tests.cluster.objects import charts  # noqa: E402
from tests.cluster.objects.crds import mistakes, schemas  # noqa: E402

pytestmark = pytest.mark.cluster
Object = dict[str, Any]


def of_inventory(folder: Path) -> SiteFacts:
    read = load_site(folder)
    assert not read.all_findings()
    [cluster] = [host.cluster for host in read.hosts[:1]]
    assert cluster is not None
    hosts = tuple(HostFacts(host.name, host.rack or "", host.groups, host.document or {}) for host in read.hosts)
    return SiteFacts({name: with_defaults(name, each) for name, each in cluster.sections.items()}, hosts)


@pytest.fixture(scope="module", params=["every key", "inventories/sample"])
def site(request: pytest.FixtureRequest) -> SiteFacts:
    if request.param == "every key":
        return facts_of(yaml.safe_load((ROOT / "tests/unit/cases/sites/whole.yml").read_text()))
    return of_inventory(ROOT / request.param)


def test_each_object_is_what_the_definition_of_its_kind_allows(site: SiteFacts) -> None:
    objects = [each for name in site.clusters for each in (*cluster_objects(site, name), *store_objects(site, name))]
    ours = [each for each in objects if each["apiVersion"] == "ceph.rook.io/v1"]
    assert {each["kind"] for each in ours} >= {"CephCluster", "CephBlockPool", "CephObjectStore"}
    assert [text for each in ours for text in mistakes(each)] == []


def test_the_definitions_find_what_is_wrong() -> None:
    known = schemas()
    assert len(known) > 15
    gateway = {"port": 80, "type": "s3"}  # a field that Rook had once, and drops silently now
    wrong = {
        "apiVersion": "ceph.rook.io/v1",
        "kind": "CephObjectStore",
        "metadata": {"name": "x"},
        "spec": {"gateway": gateway},
    }
    assert any("'type' was unexpected" in text for text in mistakes(wrong))


def test_the_rights_are_those_that_the_chart_gives(site: SiteFacts) -> None:
    name = next(iter(site.clusters))
    theirs = charts.rendered("rook-ceph-cluster", name, {"operatorNamespace": "rook-ceph", "cephClusterSpec": {}})
    kinds = ("ServiceAccount", "Role", "RoleBinding", "ClusterRoleBinding")

    def essence(objects: list[Object]) -> dict[tuple[str, str, str], Any]:
        found = {}
        for each in objects:
            if each["kind"] in kinds:
                key = (each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"])
                found[key] = {part: each[part] for part in ("rules", "roleRef", "subjects") if part in each}
        return found

    assert essence(list(rights(name))) == essence(theirs)


def test_the_operator_chart_takes_our_values(site: SiteFacts) -> None:
    values = operator_values(site)
    objects = charts.rendered("rook-ceph", "rook-ceph", values)
    [operator] = [
        each for each in objects if each["kind"] == "Deployment" and each["metadata"]["name"] == "rook-ceph-operator"
    ]
    [container] = operator["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"{values['image']['repository']}:{values['image']['tag']}"
    assert operator["spec"]["template"]["spec"]["priorityClassName"] == "system-cluster-critical"
    told = {each["name"]: each.get("value") for each in container["env"]}
    assert (told["ROOK_RECONCILE_CONCURRENT_CLUSTERS"], told["ROOK_CURRENT_NAMESPACE_ONLY"]) == ("2", "false")
    assert {each["kind"] for each in objects} >= {"CustomResourceDefinition", "ClusterRole", "ServiceAccount"}
    managers = [each for each in objects if "csi" in each["metadata"]["name"] and each["kind"] == "Deployment"]
    [image] = [each["image"] for one in managers for each in one["spec"]["template"]["spec"]["containers"]]
    assert image.endswith("cephcsi/ceph-csi-operator:v1.0.4")


def test_without_csi_nothing_of_it_runs_and_its_definitions_are_there(site: SiteFacts) -> None:
    sections = {**site.sections, "ceph": {**site.sections["ceph"], "csi": False}}
    objects = charts.rendered("rook-ceph", "rook-ceph", operator_values(SiteFacts(sections, site.hosts)))
    managers = [each for each in objects if each["kind"] == "Deployment" and "csi" in each["metadata"]["name"]]
    assert [each["spec"]["replicas"] for each in managers] == [0]
    definitions = {each["metadata"]["name"] for each in objects if each["kind"] == "CustomResourceDefinition"}
    assert definitions >= {"cephconnections.csi.ceph.io", "clientprofiles.csi.ceph.io"}


def test_the_driver_chart_takes_our_values(site: SiteFacts) -> None:
    objects = charts.rendered("ceph-csi-drivers", "rook-ceph", csi_values(site))
    drivers = {each["metadata"]["name"]: each for each in objects if each["kind"] == "Driver"}
    expected = {"rook-ceph.rbd.csi.ceph.com"}
    if any(cluster.get("filesystems") for cluster in site.clusters.values()):
        expected.add("rook-ceph.cephfs.csi.ceph.com")
    assert set(drivers) == expected


def test_the_classes_name_the_drivers_that_are_installed(site: SiteFacts) -> None:
    drivers = {each["name"] for each in csi_values(site)["drivers"].values() if each["enabled"]}
    for name in site.clusters:
        for each in cluster_objects(site, name):
            if each["kind"] == "StorageClass":
                assert each["provisioner"] in drivers


def test_the_toolbox_uses_what_the_chart_uses(site: SiteFacts) -> None:
    """The names of what the operator makes for it: a toolbox that mounts anything else would never start."""
    name = next(iter(site.clusters))
    values = {"toolbox": {"enabled": True}, "cephClusterSpec": {}}
    [theirs] = [each for each in charts.rendered("rook-ceph-cluster", name, values) if each["kind"] == "Deployment"]
    [ours] = toolbox_objects(site, name)

    def sources(deployment: Object) -> set[str]:
        found = set()
        for volume in deployment["spec"]["template"]["spec"]["volumes"]:
            for kind, key in (("secret", "secretName"), ("configMap", "name")):
                if kind in volume:
                    found.add(f"{kind} {volume[kind][key]}")
        return found

    assert sources(ours) == sources(theirs)
    assert ours["metadata"]["labels"]["app"] == theirs["metadata"]["labels"]["app"]
    account = "serviceAccountName"
    assert ours["spec"]["template"]["spec"][account] == theirs["spec"]["template"]["spec"][account]
