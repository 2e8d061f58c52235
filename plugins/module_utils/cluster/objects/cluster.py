# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The CephCluster that a document asks for: monitors, managers, device sets, and the settings of ``settings.py``."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from ...host.sizes import parse_bytes
from ..document import SiteFacts, data_dir, mon_storage, storage_classes
from ..state import SET_LABEL
from .common import RACK_LABEL, claim, made, on_hosts, quantity, spread, tolerations, topology_key
from .settings import BY_CLASS, CONFIG, FILE, RESOURCES, SMALL, SMALL_OSD, SPEC, WITHOUT_LIMIT, OfClass, spec_of

API = "ceph.rook.io/v1"
OSD_APPS = ("rook-ceph-osd", "rook-ceph-osd-prepare")
# Claims of local volumes take a whole disk, whatever they ask for; they ask for little so that each disk will do.
LEAST_CLAIM = "1 GiB"


def ceph_cluster(site: SiteFacts, name: str, image: str, live: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The CephCluster ``name``; ``live`` is the one that is there, whose numbers of OSDs stay as they are."""
    document = site.clusters[name]
    spec = spec_of(SPEC)
    spec["cephVersion"]["image"] = image
    spec["dataDirHostPath"] = data_dir(name, document)
    spec["mon"].update(_mons(site, document))
    spec["mgr"]["count"] = document.get("mgrs", 2)
    spec["dashboard"]["enabled"] = document.get("dashboard", True)
    spec["monitoring"] = {"enabled": document.get("monitoring", False)}
    spec["network"] = {"provider": "host"} if document.get("host_network") else {}
    spec["cephConfig"] = _config(document)
    spec["resources"] = {kind: _resources(cpu, memory) for kind, (cpu, memory) in RESOURCES.items()}
    for kind in WITHOUT_LIMIT:
        del spec["resources"][kind]["limits"]
    spec["placement"] = _placement(document)
    spec["storage"]["storageClassDeviceSets"] = device_sets(site, name, live)
    return made(API, "CephCluster", name, name, spec=spec)


def config_file(name: str) -> dict[str, Any]:
    """What the daemons and the tools of a cluster find in their configuration file."""
    lines = [f"[{section}]\n{key} = {value}\n" for section, key, value in _file_lines()]
    return made("v1", "ConfigMap", "rook-config-override", name, data={"config": "".join(lines)})


def _file_lines() -> list[tuple[str, str, str]]:
    return [(*_two(setting.path), str(setting.value)) for setting in FILE]


def _two(path: str) -> tuple[str, str]:
    section, _dot, key = path.partition(".")
    return section, key


def _config(document: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    config: dict[str, dict[str, str]] = {}
    for setting in CONFIG:
        section, key = _two(setting.path)
        config.setdefault(section, {})[key] = str(setting.value)
    for section, settings in document.get("config", {}).items():
        config.setdefault(section, {}).update(settings)
    return config


def _mons(site: SiteFacts, document: Mapping[str, Any]) -> dict[str, Any]:
    mons: dict[str, Any] = {"count": document.get("mons", 3)}
    storage = mon_storage(site, document)
    if storage is not None:
        template = claim("data", storage["storage_class"], storage["size"], "Filesystem")
        mons["volumeClaimTemplate"] = {"spec": template["spec"]}
    return mons


def _placement(document: Mapping[str, Any]) -> dict[str, Any]:
    """Monitors and managers over the failure domains; five monitors in three racks are two, two and one."""
    key = topology_key(document.get("failure_domain", "rack"))
    found = {}
    for app in ("mon", "mgr"):
        strict = app == "mon" and document.get("mons", 3) > 1
        found[app] = {"topologySpreadConstraints": [spread(key, (f"rook-ceph-{app}",), strict)]}
    return found


def _resources(cpu: str, memory: str) -> dict[str, Any]:
    """Memory is asked for as it is limited: what was promised is there."""
    amount = quantity(memory)
    return {"requests": {"cpu": cpu, "memory": amount}, "limits": {"memory": amount}}


def device_sets(site: SiteFacts, name: str, live: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """The device sets of a cluster, in the order of the live one, new ones behind them.

    A live set keeps its count, since ceph_osds changes that after looking at the data; so does one that the document
    has no more, as a whole. A new set of a live cluster begins with one OSD, and ceph_osds brings the others. A set
    with count 0 is not made: Rook knows none.
    """
    wanted = site.clusters[name]["device_sets"]
    there: list[Mapping[str, Any]] = []
    if live is not None:
        there = live.get("spec", {}).get("storage", {}).get("storageClassDeviceSets") or []
    found = []
    for each in there:
        if each["name"] in wanted:
            found.append(device_set(site, name, each["name"], each["count"]))
        else:
            found.append(copy.deepcopy(dict(each)))
    known = {each["name"] for each in there}
    for each, entry in wanted.items():
        if each not in known and entry["count"]:
            found.append(device_set(site, name, each, 1 if live is not None else entry["count"]))
    return found


def device_set(site: SiteFacts, cluster: str, name: str, count: int) -> dict[str, Any]:
    """One device set: raw claims that stay on their host, spread evenly over the failure domains."""
    document = site.clusters[cluster]
    entry = document["device_sets"][name]
    chosen = of_class(entry)
    key = topology_key(document.get("failure_domain", "rack"))
    # One rack may not have two more OSDs than another; inside a rack, hosts take turns as far as their disks go.
    # Each set by itself, as its OSDs are counted: a rack may have fewer of one set and more of another.
    mine = {SET_LABEL: name}
    even = [
        spread(key, OSD_APPS, labels=mine),
        spread("kubernetes.io/hostname", OSD_APPS, strict=key != RACK_LABEL, labels=mine),
    ]
    prepare: dict[str, Any] = {"topologySpreadConstraints": even[:1] if key != RACK_LABEL else even}
    placement: dict[str, Any] = {}
    hosts = _hosts(site, entry["storage_class"])
    if hosts:
        prepare["nodeAffinity"] = on_hosts(hosts)
    if "tolerations" in entry:
        placement["tolerations"] = prepare["tolerations"] = tolerations(entry["tolerations"])
    data = claim("data", entry["storage_class"], entry.get("size", LEAST_CLAIM), "Block")
    data["metadata"]["annotations"] = {"crushDeviceClass": entry["device_class"]}
    templates = [data]
    if "metadata" in entry:
        below = claim("metadata", entry["metadata"]["storage_class"], entry["metadata"]["size"], "Block")
        below["metadata"]["annotations"] = {"crushDeviceClass": entry["device_class"]}
        templates.append(below)
    return {
        "name": name,
        "count": count,
        "portable": False,
        "encrypted": entry.get("encrypted", False),
        "tuneDeviceClass": chosen.slow,
        "tuneFastDeviceClass": not chosen.slow,
        "resources": _resources(entry.get("cpu", chosen.cpu), entry.get("memory", chosen.memory)),
        "placement": placement,
        "preparePlacement": prepare,
        "volumeClaimTemplates": templates,
    }


def of_class(entry: Mapping[str, Any]) -> OfClass:
    """Processors, memory and tuning of an OSD of this set."""
    if "size" in entry and parse_bytes(entry["size"]) < SMALL:
        return OfClass(SMALL_OSD.cpu, SMALL_OSD.memory, BY_CLASS[entry["device_class"]].slow, SMALL_OSD.reason)
    return BY_CLASS[entry["device_class"]]


def _hosts(site: SiteFacts, storage_class: str) -> list[str]:
    """The hosts that have such volumes: others would count as empty racks when OSDs are spread."""
    for each in storage_classes(site):
        if each.name == storage_class:
            return sorted({supply.host.name for supply in each.supplies})
    return []
