# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings one CephCluster to what it describes: monitors, managers, OSDs. Everything is decided from what is there."""

from __future__ import annotations

import base64
import json
import logging
import os
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from . import devicesets, mgrs, mons, nodes, osds, status, topology
from .api import Api, ApiError
from .ceph import Ceph, CephError, run
from .prepare import first_status
from .words import (
    ADMIN_USER,
    CLAIM_ID,
    CONFIG_OVERRIDE,
    MON_ENDPOINTS,
    MON_SECRET,
    OSD_CLAIM,
    OSD_ID,
    SKIP_RECONCILE,
    Object,
    labels_of,
    name_of,
    owned,
)

log = logging.getLogger("cluster")

_QUORUM_LIMIT = 600.0
_PREPARE_LIMIT = 20 * 60.0
_TURN = 1.0
# What Rook sets in every cluster; the last is ours, since a test bed's disk is fuller than a server's.
_DEFAULTS = {
    "mon_allow_pool_delete": "true",
    "mon_cluster_log_file": "",
    "mon_allow_pool_size_one": "true",
    "auth_allow_insecure_global_id_reclaim": "false",
    "mon_data_avail_warn": "5",
}


class ReconcileError(Exception):
    """The cluster cannot be brought to what it describes; the sentence goes into its status."""


class Superseded(Exception):
    """The cluster was changed meanwhile: start again with what it says now."""


def now() -> str:
    """The time as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def connect(api: Api, namespace: str) -> Ceph | None:
    """Commands to a namespace's cluster; None before it has monitors."""
    secret = api.get("Secret", namespace, MON_SECRET)
    found = mons.read(api.get("ConfigMap", namespace, MON_ENDPOINTS))
    if secret is None or not found.addresses:
        return None
    data = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    return Ceph.connect(Path("/var/lib/rook") / namespace, data["fsid"], found.host, data["ceph-secret"])


class Reconciler:
    """One pass over one cluster. ``changed`` says whether the pass should be given up for a newer description."""

    def __init__(self, api: Api, cluster: Object, operator_image: str, changed: Callable[[], bool]) -> None:
        self._api, self._cluster, self._image, self._changed = api, cluster, operator_image, changed
        self._namespace, self._name = str(cluster["metadata"]["namespace"]), name_of(cluster)
        self._spec = cluster["spec"]
        self._fsid = ""

    def run(self) -> None:
        """Reconcile; the status tells how far it came."""
        self.tell("Progressing", "Detecting Ceph version")
        secret = self._secrets()
        self.tell("Progressing", "Configuring Ceph Mons")
        found = self._mons()
        key = base64.b64decode(secret["data"]["ceph-secret"]).decode()
        ceph = Ceph.connect(Path("/var/lib/rook") / self._namespace, self._fsid, found.host, key)
        self._wait_for_quorum(ceph, len(found.addresses))
        self._configure(ceph)
        self.tell("Progressing", "Configuring Ceph Mgr(s)")
        mgrs.start(self._api, self._cluster, ceph, self._fsid)
        self.tell("Progressing", "Configuring Ceph OSDs")
        self._budgets(len(found.addresses))
        self._osds()
        self.tell("Ready", "Cluster created successfully", generation=self._cluster["metadata"]["generation"])

    def tell(self, kind: str, message: str, *, ok: bool = True, generation: int | None = None) -> None:
        """Write a condition into the cluster's status."""
        found = self._api.get("CephCluster", self._namespace, self._name)
        if found is None:
            raise Superseded
        after = status.with_condition(
            found.get("status") or {}, kind, now(), message=message, ok=ok, generation=generation
        )
        after["version"] = status.version_part(self._spec["cephVersion"]["image"])
        self._api.merge("CephCluster", self._namespace, self._name, {"status": after}, "status")
        log.info("%s/%s: %s: %s", self._namespace, self._name, kind, message)

    def _step(self) -> None:
        if self._changed():
            raise Superseded
        time.sleep(_TURN)

    def _own(self, thing: Object) -> Object:
        return owned({**thing, "metadata": {**thing["metadata"], "namespace": self._namespace}}, self._cluster)

    def _secrets(self) -> Object:
        """The cluster's identity and first keys: made once, before anything uses them."""
        secret = self._api.get("Secret", self._namespace, MON_SECRET)
        if secret is None:
            mon_key, admin_key = (run(["ceph-authtool", "--gen-print-key"]).strip() for _ in range(2))
            told = {
                "fsid": str(uuid.uuid4()),
                "mon-secret": mon_key,
                "ceph-username": ADMIN_USER,
                "ceph-secret": admin_key,
                "admin-secret": admin_key,
                "cluster-name": self._namespace,
            }
            thing = {"metadata": {"name": MON_SECRET}, "type": "kubernetes.io/rook", "stringData": told}
            secret = self._api.create("Secret", self._namespace, self._own(thing))
        data = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
        self._fsid = data["fsid"]
        admin = f"[client.admin]\n\tkey = {data['ceph-secret']}\n" + "".join(
            f'\tcaps {kind} = "allow{" *" if kind != "mds" else ""}"\n' for kind in ("mds", "mon", "osd", "mgr")
        )
        monitors = f'[mon.]\n\tkey = {data["mon-secret"]}\n\tcaps mon = "allow *"\n\n{admin}'
        for name, text in (("rook-ceph-admin-keyring", admin), ("rook-ceph-mons-keyring", monitors)):
            thing = {"metadata": {"name": name}, "type": "kubernetes.io/rook", "stringData": {"keyring": text}}
            self._api.ensure("Secret", self._namespace, self._own(thing))
        override = {"metadata": {"name": CONFIG_OVERRIDE}, "data": {"config": ""}}
        self._api.ensure("ConfigMap", self._namespace, self._own(override))
        return secret

    def _mons(self) -> mons.Mons:
        found = mons.read(self._api.get("ConfigMap", self._namespace, MON_ENDPOINTS))
        wanted = int((self._spec.get("mon") or {}).get("count") or 3)
        missing = wanted - len(found.addresses)
        if missing > 0:
            found = self._more_mons(found, missing)
        on_claims = bool(self._spec["mon"].get("volumeClaimTemplate"))
        for name in found.names:
            if on_claims:
                claim = mons.claim(name, self._cluster, self._namespace)
                self._api.ensure("PersistentVolumeClaim", self._namespace, claim)
            self._apply(mons.deployment(name, found, self._cluster, self._namespace, self._fsid))
        return found

    def _more_mons(self, found: mons.Mons, missing: int) -> mons.Mons:
        """Addresses and places first, so that a pass that is cut off here goes on with the same ones."""
        names = [mons.mon_name(found.highest + 1 + number) for number in range(missing)]
        places = dict(found.nodes)
        if not self._spec["mon"].get("volumeClaimTemplate"):
            usable = nodes.usable(self._api.list("Node"), self._spec, "mon")
            multiple = bool(self._spec["mon"].get("allowMultiplePerNode"))
            chosen = mons.choose_nodes(usable, found.nodes, missing, multiple)
            if len(chosen) < missing:
                raise ReconcileError(
                    f"{missing} more monitors are asked for, and {len(chosen)} of {len(usable)} usable nodes can take "
                    "one. Add nodes, lower mon.count, or set mon.allowMultiplePerNode"
                )
            places |= {name: mons.schedule(node) for name, node in zip(names, chosen, strict=True)}
        addresses = dict(found.addresses)
        for name in names:
            service = mons.service(name, self._cluster, self._namespace)
            addresses[name] = self._api.ensure("Service", self._namespace, service)["spec"]["clusterIP"]
        after = mons.Mons(addresses, places, found.highest + missing)
        self._api.replace("ConfigMap", self._namespace, mons.endpoints(after, self._cluster, self._namespace))
        self._api.replace("Secret", self._namespace, mons.config_secret(after, self._cluster, self._namespace))
        return after

    def _budgets(self, mons_there: int) -> None:
        """One OSD and one monitor at a time may be evicted. Rook moves these with failure domains; here they stay."""
        if not (self._spec.get("disruptionManagement") or {}).get("managePodBudgets", True):
            return
        for name, app in (("rook-ceph-osd", osds.APP), *([("rook-ceph-mon-pdb", mons.APP)] if mons_there > 2 else [])):
            spec = {"maxUnavailable": 1, "selector": {"matchLabels": {"app": app}}}
            self._api.ensure(
                "PodDisruptionBudget", self._namespace, self._own({"metadata": {"name": name}, "spec": spec})
            )

    def _apply(self, deployment: Object) -> None:
        self._api.replace("Deployment", self._namespace, deployment)

    def _wait_for_quorum(self, ceph: Ceph, wanted: int) -> None:
        end = time.monotonic() + _QUORUM_LIMIT
        while True:
            try:
                quorum = ceph.json("quorum_status")["quorum_names"]
            except CephError as error:
                quorum, said = [], str(error)
            else:
                said = f"in quorum: {', '.join(quorum)}"
            if len(quorum) >= wanted:
                return
            if time.monotonic() > end:
                raise ReconcileError(f"failed to start ceph monitors: {wanted} are wanted, {said}")
            self._step()

    def _configure(self, ceph: Ceph) -> None:
        wanted = {("global", key): value for key, value in _DEFAULTS.items()}
        for who, settings in (self._spec.get("cephConfig") or {}).items():
            wanted |= {(who, key.replace(" ", "_")): str(value) for key, value in settings.items()}
        there = {(entry["section"], entry["name"]): entry["value"] for entry in ceph.json("config", "dump")}
        # One command for all that differ: each costs a second of a processor.
        new = {place: value for place, value in wanted.items() if there.get(place) != value}
        if new:
            text = "".join(f"[{who}]\n{key} = {value}\n" for (who, key), value in new.items())
            ceph.text("config", "assimilate-conf", "-i", "-", stdin=text)

    def _osds(self) -> None:
        storage = self._spec.get("storage") or {}
        sets = storage.get("storageClassDeviceSets") or []
        self._refuse_topology()
        names = [entry["name"] for entry in sets]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ReconcileError(f'device set "{twice}" name is duplicated, OSDs cannot be configured')
        if storage.get("useAllNodes") or storage.get("nodes"):
            raise ReconcileError("the stand-in operator makes OSDs on claims only: use storage.storageClassDeviceSets")
        claims = self._claims(sets)
        errors = list(claims.errors)
        running = {labels_of(found)[OSD_CLAIM]: found for found in self._deployments() if OSD_CLAIM in labels_of(found)}
        waiting = []
        for claim, device_set in claims.existing.items():
            if claim not in running:
                self._prepare(claim, device_set)
                waiting.append(claim)
        errors += self._update(claims, running)
        errors += self._collect(claims, waiting)
        if errors:
            told = "\n".join(errors)
            count = f"{len(errors)} failures encountered while running osds on nodes"
            raise ReconcileError(f'failed to start ceph osds: {count} in namespace "{self._namespace}". \n{told}')

    def _refuse_topology(self) -> None:
        if os.environ.get("ROOK_SKIP_OSD_TOPOLOGY_CHECK") == "true":
            return
        problem = topology.conflict(self._api.list("Node"))
        if problem and not any(pod["status"].get("phase") == "Running" for pod in self._osd_pods()):
            raise ReconcileError(
                "failed to start ceph osds: skipping osd reconcile until topology node labels are corrected: "
                f"topology conflict detected in new cluster: {problem}"
            )

    def _osd_pods(self) -> list[Object]:
        return self._api.list("Pod", self._namespace, f"app={osds.APP}")

    def _deployments(self) -> list[Object]:
        return self._api.list("Deployment", self._namespace, f"app={osds.APP}")

    def _claims(self, sets: list[Object]) -> devicesets.Claims:
        """The claims, made now where they are missing: made ones are found by their label, whoever made them."""
        for _ in range(2):
            there = self._api.list("PersistentVolumeClaim", self._namespace, CLAIM_ID)
            planned = devicesets.plan(sets, there, self._spec["cephVersion"]["image"])
            if not planned.missing:
                break
            for claim in planned.missing:
                made = self._api.create("PersistentVolumeClaim", self._namespace, self._own(claim))
                log.info("%s: made claim %s", self._namespace, name_of(made))
        return planned

    def _prepare(self, claim: str, device_set: Object) -> None:
        name, first = osds.prepare_name(claim), first_status(claim, self._cluster)
        job = self._api.get("Job", self._namespace, name)
        if job is not None and not _ended(job):
            # It may have answered already.
            self._api.ensure("ConfigMap", self._namespace, first)
            return
        self._api.replace("ConfigMap", self._namespace, first)
        if job is not None:
            # An ended Job cannot be started again.
            self._api.delete("Job", self._namespace, name)
            while self._api.get("Job", self._namespace, name) is not None:
                self._step()
        self._api.create("Job", self._namespace, osds.prepare_job(claim, device_set, self._cluster, self._image))
        log.info("%s: preparing an OSD on claim %s", self._namespace, claim)

    def _update(self, claims: devicesets.Claims, running: dict[str, Object]) -> list[str]:
        """What runs already, as the cluster describes it now: this also starts what somebody scaled to nothing."""
        errors = []
        for claim, found in running.items():
            if SKIP_RECONCILE in labels_of(found):
                log.info("%s: %s is left alone: it has label %s", self._namespace, name_of(found), SKIP_RECONCILE)
                continue
            device_set = claims.existing.get(claim)
            if device_set is None:
                number = labels_of(found)[OSD_ID]
                errors.append(f'failed to update OSD {number}: failed to find valid VolumeSource for PVC "{claim}"')
                continue
            self._apply(osds.deployment(osds.Osd.from_deployment(found), device_set, self._cluster, self._fsid))
        return errors

    def _collect(self, claims: devicesets.Claims, waiting: list[str]) -> list[str]:
        """Wait for the Jobs, and start what each of them made as soon as it says so."""
        left, errors = set(waiting), []
        end = time.monotonic() + _PREPARE_LIMIT
        while left:
            for found in self._api.list("ConfigMap", self._namespace, osds.STATUS_LABELS):
                claim = labels_of(found)["node"]
                told = json.loads(found["data"]["status"])
                if claim not in left or told["status"] not in ("completed", "failed"):
                    continue
                if told["status"] == "failed":
                    errors.append(f"failed to provision OSD(s) on PVC {claim}. {told['message']}")
                for report in told["osds"]:
                    osd = osds.Osd.from_report(report, claim)
                    self._apply(osds.deployment(osd, claims.existing[claim], self._cluster, self._fsid))
                    log.info("%s: osd.%d runs on claim %s", self._namespace, osd.number, claim)
                self._api.delete("ConfigMap", self._namespace, name_of(found))
                left.discard(claim)
                end = time.monotonic() + _PREPARE_LIMIT
            if not left:
                break
            if time.monotonic() > end:
                raise ReconcileError(
                    "failed to start ceph osds: failed to update/create OSDs: aborting OSD provisioning after waiting "
                    "more than 20 minutes for OSDs to finish processing"
                )
            self._step()
        return errors


def _ended(job: Object) -> bool:
    conditions = (job.get("status") or {}).get("conditions") or []
    return any(entry["type"] in ("Complete", "Failed") and entry["status"] == "True" for entry in conditions)


def health(api: Api, cluster: Object) -> None:
    """Write what Ceph says of itself into the status."""
    namespace, name = cluster["metadata"]["namespace"], name_of(cluster)
    ceph = connect(api, namespace)
    if ceph is None:
        return
    try:
        told = ceph.json("status")
        classes = ceph.json("osd", "crush", "class", "ls")
    except CephError as error:
        log.warning("%s: %s", namespace, error)
        return
    part = status.ceph_part(told, now(), (cluster.get("status") or {}).get("ceph") or {})
    storage = status.storage_part(classes, told["osdmap"]["num_osds"])
    try:
        api.merge("CephCluster", namespace, name, {"status": {"ceph": part, "storage": storage}}, "status")
    except ApiError as error:
        log.warning("%s: %s", namespace, error)
