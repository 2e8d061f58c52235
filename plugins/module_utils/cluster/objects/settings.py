# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each setting that is chosen for a CephCluster, with its reason and where that comes from.

``docs/ceph.md`` has this table; ``python -m barestore.reference ceph_settings`` writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Setting:
    """``path`` with dots below the spec of the CephCluster; the value is plain data."""

    path: str
    value: Any
    reason: str
    source: str


_SPEC = "Rook, Documentation/CRDs/Cluster/ceph-cluster-crd.md"
SPEC: tuple[Setting, ...] = (
    Setting(
        "cephVersion.allowUnsupported",
        False,
        "a version that Rook does not know is not run by accident",
        _SPEC,
    ),
    Setting("skipUpgradeChecks", False, "an upgrade waits until daemons can be stopped", _SPEC),
    Setting(
        "continueUpgradeAfterChecksEvenIfNotHealthy",
        False,
        "an upgrade ends where a daemon does not come back",
        _SPEC,
    ),
    Setting(
        "waitTimeoutForHealthyOSDInMinutes",
        30,
        "an OSD of large disks needs longer than the default of 10 minutes; after it Rook would go on",
        _SPEC,
    ),
    Setting(
        "upgradeOSDRequiresHealthyPGs",
        True,
        "the next OSD is stopped only when all placement groups are clean",
        _SPEC,
    ),
    Setting(
        "removeOSDsIfOutAndSafeToRemove",
        False,
        "Rook would delete the Deployment only and later make the OSD again (rook issues 4604, 7434); "
        "ceph_osds removes OSDs",
        "Rook, pkg/operator/ceph/cluster/osd/health.go",
    ),
    Setting("mon.allowMultiplePerNode", False, "the loss of a host takes one monitor at most", _SPEC),
    Setting("mgr.allowMultiplePerNode", False, "the loss of a host takes one manager at most", _SPEC),
    Setting(
        "mgr.modules",
        [{"name": "rook", "enabled": False}, {"name": "pg_autoscaler", "enabled": True}],
        "the rook module is not to be used before v20, and placement groups follow the pools' shares",
        "Rook, deploy/charts/rook-ceph-cluster/values.yaml",
    ),
    Setting("dashboard.ssl", True, "passwords are not sent in clear text", _SPEC),
    Setting("crashCollector.disable", False, "a crash is seen in ceph status and not only in a log", _SPEC),
    Setting(
        "logCollector",
        {"enabled": True, "periodicity": "daily", "maxLogSize": "500M"},
        "logs outlive the pod and do not fill the host",
        _SPEC,
    ),
    Setting(
        "priorityClassNames",
        {"mon": "system-node-critical", "osd": "system-node-critical", "mgr": "system-cluster-critical"},
        "under memory pressure other pods are evicted first: an evicted OSD that still ran was the start of "
        "rook issue 6530",
        "Rook issue 6530",
    ),
    Setting(
        "disruptionManagement.managePodBudgets",
        True,
        "a drain waits until no other failure domain is away",
        "Rook, pkg/operator/ceph/disruption",
    ),
    Setting(
        "disruptionManagement.osdMaintenanceTimeout",
        30,
        "a rebooting host comes back before its data are moved",
        "Rook, pkg/operator/ceph/disruption",
    ),
    Setting(
        "healthCheck.daemonHealth",
        {
            "mon": {"disabled": False, "interval": "45s"},
            "osd": {"disabled": False, "interval": "60s"},
            "status": {"disabled": False, "interval": "60s"},
        },
        "a lost monitor is replaced, and the state of the cluster is in its status",
        _SPEC,
    ),
    Setting(
        "healthCheck.livenessProbe",
        {"mon": {"disabled": False}, "mgr": {"disabled": False}, "osd": {"disabled": False}},
        "a daemon that hangs is started again",
        _SPEC,
    ),
    Setting(
        "healthCheck.startupProbe.osd",
        {"disabled": False, "probe": {"initialDelaySeconds": 10, "periodSeconds": 10, "failureThreshold": 720}},
        "an OSD that replays its log or repairs has two hours before it is killed",
        "Rook, pkg/operator/ceph/config/livenessprobe.go",
    ),
    Setting(
        "storage.useAllNodes",
        False,
        "only claims make OSDs: no disk is taken because it is there",
        "rook issues 13726, 14363",
    ),
    Setting(
        "storage.useAllDevices",
        False,
        "only claims make OSDs: no disk is taken because it is there",
        "rook issues 13726, 14363",
    ),
    Setting("storage.onlyApplyOSDPlacement", False, "what is said for all daemons holds for OSDs too", _SPEC),
    Setting(
        "storage.flappingRestartIntervalHours",
        24,
        "an OSD that fails again and again stays down for a day instead of being backfilled each time",
        _SPEC,
    ),
    Setting(
        "storage.nearFullRatio",
        0.80,
        "a warning while a lost rack's data still find room",
        "Ceph, rados/configuration/mon-config-ref",
    ),
    Setting(
        "storage.backfillFullRatio",
        0.88,
        "backfill stops before an OSD is full",
        "Ceph, rados/configuration/mon-config-ref",
    ),
    Setting(
        "storage.fullRatio",
        0.93,
        "some room is left to get out of a full cluster",
        "Ceph, rados/configuration/mon-config-ref",
    ),
    Setting("cleanupPolicy.confirmation", "", "deleting the CephCluster does not wipe disks", _SPEC),
    Setting(
        "csi.readAffinity.enabled",
        False,
        "read affinity corrupted data with Ceph v20.2.0",
        "rook issue 16839",
    ),
)

# For the daemons' configuration file. Tools that open a stopped OSD (mkfs, expand, the label) read no other place.
FILE: tuple[Setting, ...] = (
    Setting(
        "osd.bluefs_buffered_io",
        "false",
        "BlueFS writes its log past the page cache; reading it back through the cache was seen to give stale "
        "pages at a restart, and an OSD that does not start",
        "ceph tracker 51034, ceph pull request 49431, rook issue 10160",
    ),
)

# What every cluster has in Ceph's own configuration; the document's config goes over it.
CONFIG: tuple[Setting, ...] = (
    Setting(
        "osd.osd_scrub_auto_repair",
        "true",
        "a byte that rotted is written again from a good copy when a scrub finds it",
        "Ceph, rados/configuration/osd-config-ref",
    ),
)


@dataclass(frozen=True)
class OfClass:
    """What an OSD of a device class gets: processors, memory, and which of Rook's tunings."""

    cpu: str
    memory: str
    slow: bool
    reason: str


# Ceph, start/hardware-recommendations: one core for an HDD, two for an SSD, four and more for NVMe; 4 GiB of memory as
# osd_memory_target, and a part more for what the target does not count.
BY_CLASS: Mapping[str, OfClass] = {
    "hdd": OfClass("1", "5 GiB", True, "sleeps between recovery, trim and delete operations, which seek"),
    "ssd": OfClass("2", "5 GiB", False, "no sleeps: the device is never waited for"),
    "nvme": OfClass("4", "6 GiB", False, "no sleeps: the device is never waited for"),
}
# A device that is smaller than this is one of a test; it gets what Rook demands at least.
SMALL = 100 * 1024**3
SMALL_OSD = OfClass("100m", "2 GiB", False, "the least that Rook takes, for OSDs below 100 GiB")

# Daemons other than OSDs: Rook's least memory is 1 GiB for a mon, 512 MiB for a manager, 1 GiB for a gateway.
RESOURCES: Mapping[str, tuple[str, str]] = {
    "mon": ("500m", "2 GiB"),
    "mgr": ("500m", "2 GiB"),
    "prepareosd": ("100m", "100 MiB"),
    "mgr-sidecar": ("50m", "100 MiB"),
    "crashcollector": ("50m", "100 MiB"),
    "logcollector": ("50m", "200 MiB"),
    "cleanup": ("100m", "500 MiB"),
    "exporter": ("50m", "128 MiB"),
    "cmd-reporter": ("100m", "256 MiB"),
}
# Making an OSD takes gigabytes for a moment. Rook sets no limit either: a Job that is killed in it leaves half an OSD
# on the disk, which no later one takes up.
WITHOUT_LIMIT = ("prepareosd",)


def spec_of(settings: tuple[Setting, ...]) -> dict[str, Any]:
    """The settings as nested dictionaries."""
    spec: dict[str, Any] = {}
    for setting in settings:
        *above, last = setting.path.split(".")
        target = spec
        for step in above:
            target = target.setdefault(step, {})
        target[last] = setting.value
    return spec
