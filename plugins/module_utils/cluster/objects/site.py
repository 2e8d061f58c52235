# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All objects of a site, by the role that applies them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..artifacts import image
from ..document import SiteFacts
from .audit import audit
from .cluster import ceph_cluster, config_file
from .common import made
from .pools import block_classes, bucket_classes, filesystems, object_stores, pools
from .rbac import rights
from .toolbox import toolbox


def cluster_objects(site: SiteFacts, name: str, live: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """A Ceph cluster with its rights and pools, in the order in which they are applied.

    :param live: the CephCluster that is there; None where there is none yet.
    """
    document = site.clusters[name]
    return [
        made("v1", "Namespace", name),
        *rights(name),
        config_file(name),
        ceph_cluster(site, name, image(site.sections, "ceph"), live),
        *pools(name, document),
        *filesystems(name, document),
        *block_classes(name, document),
    ]


def store_objects(site: SiteFacts, name: str) -> list[dict[str, Any]]:
    """The object stores of a cluster, and the StorageClasses of their buckets."""
    document = site.clusters[name]
    return [*object_stores(name, document), *bucket_classes(name, document)]


def audit_objects(site: SiteFacts, name: str, sources: Mapping[str, str]) -> list[dict[str, Any]]:
    """The hourly audit of a cluster; ``sources`` are the texts of ``audit.SOURCES``."""
    document = site.clusters[name]
    network, monitoring = bool(document.get("host_network")), bool(document.get("monitoring"))
    return list(audit(name, image(site.sections, "ceph"), sources, network, monitoring))


def toolbox_objects(site: SiteFacts, name: str) -> list[dict[str, Any]]:
    """The toolbox of a cluster."""
    host_network = bool(site.clusters[name].get("host_network"))
    return [toolbox(name, image(site.sections, "ceph"), host_network)]
