# SPDX-License-Identifier: GPL-3.0-or-later
"""A page of Ceph clusters: one of which OSDs go and come, as a model of it answers, and one that waits."""

from __future__ import annotations

from simulated_rook import NAME, small

from ansible_collections.barestore.storage.plugins.module_utils.cluster.observer import Observer
from ansible_collections.barestore.storage.plugins.module_utils.cluster.recording import recording
from ansible_collections.barestore.storage.plugins.module_utils.cluster.wanted import Wanted
from barestore.clusters import Cluster
from barestore.commands.offline_clusters import planned
from barestore.hostplan import HostPlan
from barestore.lines import cluster_view
from barestore.report.page import html

MADE = "2026-11-21T10:00:00Z"


def plan(count: int) -> HostPlan:
    """Of a cluster with six OSDs on three hosts in three racks, with room for nine."""
    document = {"device_sets": {"hdd": {"count": count}}, "failure_domain": "rack", "osd_changes": {}}
    observer = Observer(small(6), Wanted(NAME, {}))
    observer.look(whole=True)
    return planned(Cluster(NAME, "site", "cp1", document), recording(observer.last, NAME, MADE))


def clusters_page() -> str:
    """The page, without any host."""
    later = HostPlan("ceph-ssd", "", "later", message="Its OSDs are planned later.", observed=MADE, kind="cluster")
    return html("site", MADE, [], [], [cluster_view(plan(4)), cluster_view(later)])
