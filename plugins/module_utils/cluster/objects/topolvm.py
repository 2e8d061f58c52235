# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What TopoLVM and pvc-autoresizer are told: device classes from the volume groups of the hosts, values of charts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...host.sizes import parse_bytes
from ..artifacts import image
from ..document import SiteFacts, hosts_of_device_class
from .common import on_hosts, split_image
from .pools import storage_class

NAMESPACE = "topolvm-system"
PROVISIONER = "topolvm.io"
_EVERYWHERE = [{"operator": "Exists"}]
_GIB = 1024**3


def lvmd_device_class(name: str, entry: Mapping[str, Any], default: bool) -> dict[str, Any]:
    """One device class as lvmd.yaml has it; what is spared is in whole GiB, rounded up."""
    found: dict[str, Any] = {
        "name": name,
        "volume-group": entry["volume_group"],
        "spare-gb": -(-parse_bytes(entry.get("spare", "10 GiB")) // _GIB),
        "default": default,
    }
    if "thin_pool" in entry:
        ratio = float(entry.get("overprovision", 1))
        found["type"] = "thin"
        found["thin-pool"] = {"name": entry["thin_pool"], "overprovision-ratio": ratio}
    if "stripes" in entry:
        found["stripe"] = entry["stripes"]
    return found


def lvmd_of_hosts(site: SiteFacts) -> list[tuple[tuple[str, ...], list[dict[str, Any]]]]:
    """Hosts that offer the same device classes, with these: lvmd is told nothing that its host does not have."""
    classes = site.sections["topolvm"]["device_classes"]
    alone = len(classes) == 1
    offered: dict[str, list[str]] = {}
    for name, entry in classes.items():
        for host in hosts_of_device_class(site, entry):
            offered.setdefault(host.name, []).append(name)
    alike: dict[tuple[str, ...], list[str]] = {}
    for owner, names in offered.items():
        alike.setdefault(tuple(names), []).append(owner)
    found = []
    for offer, owners in sorted(alike.items(), key=lambda item: sorted(item[1])):
        entries = [
            lvmd_device_class(name, classes[name], alone or bool(classes[name].get("default"))) for name in offer
        ]
        found.append((tuple(sorted(owners)), entries))
    return found


def topolvm_values(site: SiteFacts) -> dict[str, Any]:
    """Values of TopoLVM's chart. No webhook: the scheduler knows capacities itself, and no certificate is needed."""
    configs = lvmd_of_hosts(site)
    first, *others = [
        {"affinity": {"nodeAffinity": on_hosts(hosts)}, "tolerations": _EVERYWHERE, "deviceClasses": classes}
        for hosts, classes in configs
    ]
    everyone = sorted(host for hosts, _classes in configs for host in hosts)
    return {
        "image": split_image(image(site.sections, "topolvm")),
        "lvmd": {
            **first,
            "additionalConfigs": others,
            "priorityClassName": "system-node-critical",
            "managed": True,
        },
        "node": {
            "affinity": {"nodeAffinity": on_hosts(everyone)},
            "tolerations": _EVERYWHERE,
            "priorityClassName": "system-node-critical",
        },
        "controller": {
            "replicaCount": min(2, len(site.nodes)),
            "storageCapacityTracking": {"enabled": True},
            "priorityClassName": "system-cluster-critical",
        },
        "scheduler": {"enabled": False},
        "webhook": {"certManager": False, "podMutatingWebhook": {"enabled": False}},
        "snapshot": {"enabled": False},
        "storageClasses": [],
    }


def topolvm_classes(site: SiteFacts) -> Iterator[dict[str, Any]]:
    """StorageClasses of TopoLVM; the volume is made on the node where its pod was placed."""
    document = site.sections["topolvm"]
    resized = "autoresizer" in document
    for name, entry in document.get("storage_classes", {}).items():
        found = storage_class(
            name,
            PROVISIONER,
            entry,
            parameters={
                "csi.storage.k8s.io/fstype": entry.get("filesystem", "xfs"),
                f"{PROVISIONER}/device-class": entry["device_class"],
            },
            volumeBindingMode="WaitForFirstConsumer",
        )
        if resized and entry.get("expand", True):
            found["metadata"].setdefault("annotations", {})["resize.topolvm.io/enabled"] = "true"
        yield found


def autoresizer_values(site: SiteFacts) -> dict[str, Any]:
    """Values of pvc-autoresizer's chart. No webhook: it would only set the first size of claims."""
    entry = site.sections["topolvm"]["autoresizer"]
    found = split_image(image(site.sections, "pvc-autoresizer"))
    return {
        "image": {"repository": found["repository"], "reference": found["tag"]},
        "controller": {
            "replicas": min(2, len(site.nodes)),
            "args": {"prometheusURL": entry["prometheus"], "interval": f"{entry.get('interval', 60)}s"},
            "priorityClassName": "system-cluster-critical",
        },
        "webhook": {"pvcMutatingWebhook": {"enabled": False}},
    }
