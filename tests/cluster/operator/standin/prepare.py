# SPDX-License-Identifier: GPL-3.0-or-later
"""What the prepare Job does: it looks at its device, makes an OSD on it where nothing is, and reports."""

from __future__ import annotations

import json
import logging
import os
import shutil
import stat
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import osds, topology
from .api import Api
from .ceph import Ceph, CephError, run
from .words import HOSTNAME, Object, labels_of, name_of, owned

log = logging.getLogger("prepare")


def main() -> int:
    """Provision the device of this Job's claim; 1 when it could not, with the reason in the status."""
    env = os.environ
    api = Api.in_cluster()
    namespace, claim = env["POD_NAMESPACE"], env["ROOK_PVC_NAME"]
    report = _Report(api, namespace, claim)
    try:
        report.write("orchestrating")
        key = Path("/var/lib/rook-ceph-mon/secret.keyring").read_text().strip()
        ceph = Ceph.connect(Path("/tmp/ceph"), env["ROOK_FSID"], env["ROOK_CEPH_MON_HOST"], key)
        node = api.get("Node", None, env["ROOK_NODE_NAME"])
        if node is None:
            raise CephError(f"node {env['ROOK_NODE_NAME']} is not in the cluster any more")
        made = provision(ceph, env["ROOK_FSID"], Path("/mnt") / claim, env["ROOK_OSD_CRUSH_DEVICE_CLASS"])
    except (CephError, OSError) as error:
        log.error("%s", error)
        report.write("failed", message=str(error))
        return 1
    if made:
        made.update(_place(node, claim, portable=env["ROOK_OSD_PORTABLE"] == "true"))
        made.update({"pvcName": claim, "lv-path": f"/mnt/{claim}", "lv-mode": "raw", "store": "bluestore"})
    report.write("completed", [made] if made else [])
    return 0


class _Report:
    """The ConfigMap that the operator reads."""

    def __init__(self, api: Api, namespace: str, claim: str) -> None:
        self._api, self._namespace, self._claim = api, namespace, claim

    def write(self, status: str, found: list[Object] | None = None, message: str = "") -> None:
        told = {"osds": found or [], "status": status, "pvc-backed-osd": True, "message": message}
        patch = {"data": {"status": json.dumps(told)}}
        self._api.merge("ConfigMap", self._namespace, osds.status_name(self._claim), patch)


def _place(node: Object, claim: str, *, portable: bool) -> dict[str, Any]:
    labels = labels_of(node)
    host = labels.get(HOSTNAME, name_of(node))
    return {
        "location": topology.location(labels, claim if portable else host),
        "topologyAffinity": topology.affinity(labels),
        "nodeName": host,
    }


def provision(ceph: Ceph, fsid: str, device: Path, device_class: str) -> dict[str, Any]:
    """The OSD on this device, made now if the device is blank; empty when something else is on it."""
    if not stat.S_ISBLK(device.stat().st_mode):
        raise CephError(f"{device} is no block device: the claim must have volumeMode Block")
    label = read_label(device)
    if label:
        return adopt(label, fsid, device_class)
    signature = _signature(device)
    if signature:
        log.info('skipping device "%s" because it contains a filesystem "%s"', device, signature)
        return {}
    return _make(ceph, fsid, device, device_class or _class_of(device))


def read_label(device: Path) -> Mapping[str, str]:
    """The label that BlueStore writes; empty when there is none."""
    with device.open("rb") as stream:
        if not stream.read(32).startswith(b"bluestore block device"):
            return {}
    told = json.loads(run(["ceph-bluestore-tool", "show-label", "--dev", str(device), "--no-mon-config"]))
    found: dict[str, str] = next(iter(told.values()), {})
    return found


def adopt(label: Mapping[str, str], fsid: str, device_class: str) -> dict[str, Any]:
    """The OSD that a label names: taken back when it is of this cluster, refused otherwise."""
    who, owner, number = label.get("osd_uuid", ""), label.get("ceph_fsid", ""), label.get("whoami")
    if owner != fsid:
        raise CephError(f'osd.{number}: "{who}" belonging to a different ceph cluster "{owner}"')
    if number is None or not who:
        raise CephError(
            f'no instance of osd.{number} is running on ceph cluster "{fsid}" '
            "(incomplete prepare? consider wiping the disks)"
        )
    log.info("the device carries osd.%s already", number)
    return {"id": int(number), "uuid": who, "cluster": "ceph", "device-class": device_class}


def _signature(device: Path) -> str:
    # blkid ends with 2 when it finds nothing.
    try:
        return run(["blkid", "--probe", "--output", "value", "--match-tag", "TYPE", str(device)]).strip()
    except CephError:
        return ""


def _class_of(device: Path) -> str:
    numbers = device.stat().st_rdev
    queue = Path(f"/sys/dev/block/{os.major(numbers)}:{os.minor(numbers)}/queue/rotational")
    try:
        return "hdd" if queue.read_text().strip() == "1" else "ssd"
    except OSError:
        return "hdd"


def _make(ceph: Ceph, fsid: str, device: Path, device_class: str) -> dict[str, Any]:
    identity = str(uuid.uuid4())
    key = run(["ceph-authtool", "--gen-print-key"]).strip()
    told = json.dumps({"cephx_secret": key, "crush_device_class": device_class})
    number = int(ceph.text("osd", "new", identity, "-i", "-", stdin=told))
    data = Path(f"/var/lib/ceph/osd/ceph-{number}")
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    (data / "block").symlink_to(device)
    ceph.text("mon", "getmap", "-o", str(data / "activate.monmap"))
    for path in (data, device, data / "activate.monmap"):
        shutil.chown(path, "ceph", "ceph")
    log.info("making osd.%d (%s) on %s", number, identity, device)
    argv = ["ceph-osd", "--conf", str(ceph.folder / "ceph.conf"), "--osd-objectstore", "bluestore", "--mkfs"]
    argv += ["-i", str(number), "--monmap", str(data / "activate.monmap"), "--keyfile", "-", "--osd-data", str(data)]
    argv += ["--osd-uuid", identity, "--setuser", "ceph", "--setgroup", "ceph", "--fsid", fsid, "--no-mon-config"]
    run(argv, stdin=key, timeout=600)
    return {"id": number, "uuid": identity, "cluster": "ceph", "device-class": device_class}


def first_status(claim: str, cluster: Object) -> Object:
    """The ConfigMap that the operator makes before it starts the Job."""
    started = {"osds": [], "status": "starting", "pvc-backed-osd": True, "message": ""}
    return owned(osds.status_map(claim, started, cluster), cluster)
