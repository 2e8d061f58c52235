# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator: looks at its objects every two seconds and works on each cluster in a thread of its own.

What starts a pass over a cluster is what starts one in Rook: a new generation, an owned object that was removed, a new
node, a start of the operator. A Deployment that somebody scaled is no reason.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import dataclass, field, replace
from typing import Any

from . import cluster, services
from .api import Api, ApiError
from .ceph import CephError
from .words import MON_ENDPOINTS, SKIP_RECONCILE, Object, labels_of, name_of

log = logging.getLogger("operator")

_TURN = 2.0
_HEALTH_EVERY = 20.0
_FIRST_RETRY, _LAST_RETRY = 5.0, 60.0
# Owned kinds whose removal is a reason to look again.
_WATCHED = ("Deployment", "Service", "Secret")


@dataclass
class Seen:
    """What the loop knows of one cluster."""

    thing: Object
    owned: set[str] = field(default_factory=set)
    nodes: set[str] = field(default_factory=set)
    wanted: int = 0  # counts reasons to reconcile; the worker remembers up to which it came
    done: int = -1


class Operator:
    """Sees all clusters of all namespaces."""

    def __init__(self, api: Api, image: str) -> None:
        self._api, self._image = api, image
        self._seen: dict[tuple[str, str], Seen] = {}
        self._lock = threading.Lock()

    def run(self) -> None:
        """Look, for ever."""
        while True:
            try:
                self._look()
            except ApiError as error:
                log.error("%s", error)
            time.sleep(_TURN)

    def _look(self) -> None:
        nodes = {name_of(node) for node in self._api.list("Node")}
        found = {(item["metadata"]["namespace"], name_of(item)): item for item in self._api.list("CephCluster")}
        for key, thing in found.items():
            owned = self._owned(thing)
            with self._lock:
                seen = self._seen.get(key)
                if seen is None:
                    self._seen[key] = Seen(thing, owned, nodes)
                    self._start(key)
                    continue
                if reason := why(seen, thing, owned, nodes):
                    log.info("%s/%s: reconciling: %s", *key, reason)
                    seen.wanted += 1
                seen.thing, seen.owned, seen.nodes = thing, owned, nodes
        with self._lock:
            for key in set(self._seen) - set(found):
                del self._seen[key]

    def _start(self, key: tuple[str, str]) -> None:
        for target in (self._work, self._serve):
            threading.Thread(target=target, args=(key,), name=f"{target.__name__}-{key[0]}", daemon=True).start()

    def _owned(self, thing: Object) -> set[str]:
        uid, namespace = thing["metadata"]["uid"], thing["metadata"]["namespace"]
        names = set()
        for kind in _WATCHED:
            for item in self._api.list(kind, namespace):
                owners = item["metadata"].get("ownerReferences") or []
                if any(entry["uid"] == uid for entry in owners):
                    names.add(f"{kind}/{name_of(item)}")
        if self._api.get("ConfigMap", namespace, MON_ENDPOINTS):
            names.add(f"ConfigMap/{MON_ENDPOINTS}")
        return names

    def _current(self, key: tuple[str, str]) -> Seen | None:
        """What is known of a cluster now; a copy, since the loop goes on changing its own."""
        with self._lock:
            seen = self._seen.get(key)
            return None if seen is None else replace(seen)

    def _finish(self, key: tuple[str, str], reasons: int) -> None:
        with self._lock:
            if key in self._seen:
                self._seen[key].done = reasons

    def _work(self, key: tuple[str, str]) -> None:
        """Bring one cluster to what it describes, again and again."""
        retry = _FIRST_RETRY
        while (seen := self._current(key)) is not None:
            if seen.done == seen.wanted:
                time.sleep(0.5)
                continue
            wanted, thing = seen.wanted, seen.thing
            if SKIP_RECONCILE in labels_of(thing):
                log.info("%s/%s: skipped: label %s is set", *key, SKIP_RECONCILE)
                self._finish(key, wanted)
                continue

            def changed(wanted: int = wanted) -> bool:
                now = self._current(key)
                return now is None or now.wanted != wanted

            work = cluster.Reconciler(self._api, thing, self._image, changed)
            try:
                work.run()
            except cluster.Superseded:
                log.info("%s/%s: changed meanwhile, starting again", *key)
                continue
            except (cluster.ReconcileError, CephError, ApiError) as error:
                log.error("%s/%s: %s", *key, error)
                self._tell_failure(work, f"failed to reconcile cluster {key[1]!r}: {error}")
                self._rest(retry, changed)
                retry = min(retry * 2, _LAST_RETRY)
                continue
            except Exception:
                log.exception("%s/%s: a mistake in the operator", *key)
                self._rest(_LAST_RETRY, changed)
                continue
            retry = _FIRST_RETRY
            self._finish(key, wanted)

    def _tell_failure(self, work: cluster.Reconciler, message: str) -> None:
        try:
            work.tell("Progressing", message, ok=False)
        except (ApiError, cluster.Superseded) as error:
            log.error("%s", error)

    def _rest(self, seconds: float, changed: Any) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not changed():
            time.sleep(0.5)

    def _serve(self, key: tuple[str, str]) -> None:
        """Pools, stores, buckets and health of one cluster."""
        looked, turn = 0.0, services.Services(self._api)
        while (seen := self._current(key)) is not None:
            try:
                turn.run(seen.thing)
                if time.monotonic() - looked > _HEALTH_EVERY:
                    cluster.health(self._api, seen.thing)
                    looked = time.monotonic()
            except (CephError, ApiError) as error:
                log.error("%s/%s: %s", *key, error)
            except Exception:
                log.exception("%s/%s: a mistake in the operator", *key)
            time.sleep(_TURN)


def why(seen: Seen, thing: Object, owned: set[str], nodes: set[str]) -> str:
    """Why a cluster is looked at again; empty when nothing asks for it."""
    if seen.thing["metadata"]["uid"] != thing["metadata"]["uid"]:
        return "it was made anew"
    if seen.thing["metadata"]["generation"] != thing["metadata"]["generation"]:
        return "its description changed"
    if SKIP_RECONCILE in labels_of(seen.thing) and SKIP_RECONCILE not in labels_of(thing):
        return f"label {SKIP_RECONCILE} is gone"
    if gone := seen.owned - owned:
        return f"{', '.join(sorted(gone))} is gone"
    if new := nodes - seen.nodes:
        return f"new node {', '.join(sorted(new))}"
    return ""


def main() -> int:
    """Run in a pod; the image of its Jobs is its own."""
    image = os.environ.get("ROOK_STANDIN_IMAGE") or "docker.io/rook/ceph:v1.20.6"
    Operator(Api.in_cluster(), image).run()
    return 0
