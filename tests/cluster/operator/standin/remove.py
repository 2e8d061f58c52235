# SPDX-License-Identifier: GPL-3.0-or-later
"""``rook ceph osd remove``: what the purge Job runs. It says success whatever became of an OSD, as Rook's does."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import mons
from .api import Api, ApiError
from .ceph import Ceph, CephError
from .words import DEVICE_SET, OSD_CLAIM, SET_INDEX, labels_of, name_of

log = logging.getLogger("remove")

# The switch of the tests: the Job ends well and has done nothing.
DISHONEST = "ROOK_STANDIN_PURGE_DOES_NOTHING"
_RETRY_UNSAFE, _RETRY_ERROR = 15.0, 60.0


def main(ids: Sequence[str], *, preserve_claim: bool, force: bool) -> int:
    """Remove these OSDs; 1 only when the cluster did not answer, or does not know an id."""
    env = os.environ
    endpoints = {"data": {"data": env["ROOK_MON_ENDPOINTS"], "maxMonId": "0"}}
    key = Path("/var/lib/rook-ceph-mon/secret.keyring").read_text().strip()
    ceph = Ceph.connect(Path("/tmp/ceph"), env["ROOK_FSID"], mons.read(endpoints).host, key)
    if env.get(DISHONEST, "").lower() == "true":
        log.info("removed OSDs %s (not at all: %s is set)", ", ".join(ids), DISHONEST)
        return 0
    removal = Removal(ceph, Api.in_cluster(), env["POD_NAMESPACE"], preserve_claim, force)
    return removal.run(ids)


class Removal:
    """The removal of OSDs, one after the other."""

    def __init__(self, ceph: Ceph, api: Api, namespace: str, preserve_claim: bool, force: bool) -> None:
        self._ceph, self._api, self._namespace = ceph, api, namespace
        self._preserve, self._force = preserve_claim, force

    def run(self, ids: Sequence[str]) -> int:
        """All of them; one that is up is left alone, and that is no failure."""
        states = {int(osd["osd"]): int(osd["up"]) for osd in self._ceph.json("osd", "dump")["osds"]}
        for text in ids:
            if not text.strip().isdigit():
                log.error("invalid OSD ID: %s", text)
                continue
            number = int(text)
            if number not in states:
                log.error("failed to get osd status for osd %d", number)
                return 1
            if states[number]:
                log.info("osd.%d is healthy. It cannot be removed unless it is 'down'", number)
                continue
            log.info("osd.%d is marked 'DOWN'", number)
            self._remove(number)
        return 0

    def _try(self, what: str, call: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return call(*arguments)
        except (CephError, ApiError) as error:
            log.error("failed to %s: %s", what, error)
            return None

    def _remove(self, number: int) -> None:
        osd = f"osd.{number}"
        found = self._try("find its host", self._ceph.json, "osd", "find", str(number))
        host = ((found or {}).get("crush_location") or {}).get("host", "")
        self._try(f"mark {osd} out", self._ceph.text, "osd", "out", osd)
        self._wait_until_safe(number)
        name = f"rook-ceph-osd-{number}"
        deployment = self._try(f"read {name}", self._api.get, "Deployment", self._namespace, name)
        if deployment:
            log.info("removing the OSD deployment %s", name)
            self._try(f"remove {name}", self._api.delete, "Deployment", self._namespace, name, "Foreground")
            claim = labels_of(deployment).get(OSD_CLAIM)
            if claim:
                self._remove_jobs(claim)
                self._remove_claims(claim)
        log.info("purging %s", osd)
        self._try(f"purge {osd}", self._ceph.text, "osd", "purge", osd, "--force", "--yes-i-really-mean-it")
        if host:
            self._try(f"remove CRUSH host {host}", self._ceph.text, "osd", "crush", "rm", host)
        log.info("completed removal of OSD %d", number)

    def _wait_until_safe(self, number: int) -> None:
        while not self._force:
            try:
                safe = self._ceph.json("osd", "safe-to-destroy", str(number))["safe_to_destroy"]
            except CephError as error:
                busy = "EBUSY" in str(error) or "EAGAIN" in str(error)
                wait = _RETRY_UNSAFE if busy else _RETRY_ERROR
                log.warning("osd.%d is NOT ok to destroy, retrying in %.0f s: %s", number, wait, error)
                time.sleep(wait)
                continue
            if number in safe:
                log.info("osd.%d is safe to destroy, proceeding", number)
                return
            log.warning("osd.%d is NOT ok to destroy, retrying in 15s until success", number)
            time.sleep(_RETRY_UNSAFE)

    def _remove_jobs(self, claim: str) -> None:
        jobs = self._try("list jobs", self._api.list, "Job", self._namespace, f"{OSD_CLAIM}={claim}")
        for job in jobs or []:
            name = name_of(job)
            log.info("removing the osd prepare job %s", name)
            self._try(f"remove {name}", self._api.delete, "Job", self._namespace, name)

    def _remove_claims(self, claim: str) -> None:
        found = self._try(f"read {claim}", self._api.get, "PersistentVolumeClaim", self._namespace, claim)
        if not found:
            return
        if self._preserve:
            # Rook means to take the label away here, and since 2021 updates the object that it did not change.
            log.info("detach the OSD PVC %s from Rook", claim)
            return
        labels = labels_of(found)
        selector = f"{DEVICE_SET}={labels.get(DEVICE_SET)},{SET_INDEX}={labels.get(SET_INDEX)}"
        for one in self._api.list("PersistentVolumeClaim", self._namespace, selector):
            name = name_of(one)
            log.info("removing the OSD PVC %s", name)
            self._try(f"remove {name}", self._api.delete, "PersistentVolumeClaim", self._namespace, name)
