# SPDX-License-Identifier: GPL-3.0-or-later
"""What lives in a running cluster: pools, file systems, object stores, users and buckets, each looked at in turn."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from . import buckets, filesystems, objectstores, pools
from .api import Api, ApiError
from .ceph import Ceph, CephError
from .cluster import connect
from .words import Object, name_of

log = logging.getLogger("services")

# Seconds until a thing in this phase is looked at again.
_AGAIN = {"ReconcileFailed": 15.0, "Progressing": 3.0}

# In this order: a store's pools come before its users, and those before buckets.
_KINDS: tuple[tuple[str, Callable[[Api, Object, Object, Ceph], Object]], ...] = (
    ("CephBlockPool", pools.block_pool),
    ("CephFilesystem", filesystems.filesystem),
    ("CephObjectStore", objectstores.store),
    ("CephObjectStoreUser", objectstores.user),
)


class Services:
    """Turns over everything in a cluster's namespace that is not as described yet."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._later: dict[str, float] = {}  # what failed, and when it is tried again

    def run(self, cluster: Object) -> None:
        """One turn."""
        namespace = cluster["metadata"]["namespace"]
        if not ((cluster.get("status") or {}).get("ceph") or {}).get("health"):
            return  # as in Rook: nothing is made before the cluster answered once
        ceph: Ceph | None = None
        for kind, make in _KINDS:
            for thing in self._api.list(kind, namespace):
                if not _due(thing) or self._later.get(thing["metadata"]["uid"], 0) > time.monotonic():
                    continue
                ceph = ceph or connect(self._api, namespace)
                if ceph is None:
                    return
                phase = _one(self._api, kind, thing, cluster, ceph, make)
                self._later[thing["metadata"]["uid"]] = time.monotonic() + _AGAIN.get(phase, 0.0)
        buckets.run(self._api, cluster, lambda: ceph or connect(self._api, namespace))


def _due(thing: Object) -> bool:
    told = thing.get("status") or {}
    generation = thing["metadata"]["generation"]
    return told.get("phase") not in ("Ready", "Failure") or told.get("observedGeneration") != generation


def _one(
    api: Api, kind: str, thing: Object, cluster: Object, ceph: Ceph, make: Callable[[Api, Object, Object, Ceph], Object]
) -> str:
    """Make one thing as described; the phase that it is in now."""
    namespace, name = thing["metadata"]["namespace"], name_of(thing)
    try:
        told = make(api, thing, cluster, ceph)
    except (CephError, ApiError) as error:
        log.error("%s %s/%s: %s", kind, namespace, name, error)
        told = {"phase": "ReconcileFailed"}
    if told.get("phase") in ("Ready", "Failure"):
        told["observedGeneration"] = thing["metadata"]["generation"]
    if any((thing.get("status") or {}).get(key) != value for key, value in told.items()):
        api.merge(kind, namespace, name, {"status": told}, "status")
        log.info("%s %s/%s: %s", kind, namespace, name, told.get("phase"))
    return str(told["phase"])
