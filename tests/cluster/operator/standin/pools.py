# SPDX-License-Identifier: GPL-3.0-or-later
"""Pools and their CRUSH rules."""

from __future__ import annotations

from .api import Api
from .ceph import Ceph
from .words import Object, name_of


def block_pool(api: Api, thing: Object, cluster: Object, ceph: Ceph) -> Object:
    """A pool for block volumes, or one of Ceph's own that ``spec.name`` names."""
    spec = thing["spec"]
    name = spec.get("name") or name_of(thing)
    application = spec.get("application") or ("mgr" if name == ".mgr" else "rbd")
    make(ceph, name, spec, application)
    kind = "Replicated" if spec.get("replicated") else "Erasure Coded"
    return {"phase": "Ready", "poolID": _number(ceph, name), "info": _info(spec, kind)}


def _info(spec: Object, kind: str) -> Object:
    return {"failureDomain": spec.get("failureDomain") or "host", "type": kind}


def _number(ceph: Ceph, name: str) -> int:
    return next(int(pool["poolnum"]) for pool in ceph.json("osd", "lspools") if pool["poolname"] == name)


def make(ceph: Ceph, name: str, spec: Object, application: str, pg_num: int | None = None) -> None:
    """A pool as described: made if it is not there, its size, rule and parameters set in any case."""
    domain, device_class = spec.get("failureDomain") or "host", spec.get("deviceClass") or ""
    # Each command costs a second of a processor: one look answers all questions.
    there = {pool["pool_name"]: pool for pool in ceph.json("osd", "pool", "ls", "detail")}
    count = [str(pg_num), str(pg_num)] if pg_num else []
    root = spec.get("crushRoot") or "default"
    if coded := spec.get("erasureCoded"):
        if name not in there:
            profile = [f"k={coded['dataChunks']}", f"m={coded['codingChunks']}", f"crush-failure-domain={domain}"]
            profile += [f"crush-root={root}", *([f"crush-device-class={device_class}"] if device_class else [])]
            ceph.text("osd", "erasure-code-profile", "set", f"{name}_ecprofile", *profile, "--force")
            ceph.text("osd", "pool", "create", name, *count, "erasure", f"{name}_ecprofile", f"{name}_rule")
            ceph.text("osd", "pool", "set", name, "allow_ec_overwrites", "true")
    else:
        rule = "_".join([name, domain, *([device_class] if device_class else [])])
        ceph.text(
            "osd", "crush", "rule", "create-replicated", rule, root, domain, *([device_class] if device_class else [])
        )
        size = int((spec.get("replicated") or {}).get("size") or 3)
        sure = ["--yes-i-really-mean-it"] if size == 1 else []
        if name not in there:
            # Ceph makes no pool with a dot in front without the last word, and says success all the same.
            last = [f"--size={size}", "--yes-i-really-mean-it"]
            ceph.text("osd", "pool", "create", name, *count, "replicated", rule, *last)
        else:
            ceph.text("osd", "pool", "set", name, "size", str(size), *sure)
            ceph.text("osd", "pool", "set", name, "crush_rule", rule)
    for key, value in (spec.get("parameters") or {}).items():
        ceph.text("osd", "pool", "set", name, key, str(value))
    if application not in there.get(name, {}).get("application_metadata", {}):
        ceph.text("osd", "pool", "application", "enable", name, application, "--yes-i-really-mean-it")
