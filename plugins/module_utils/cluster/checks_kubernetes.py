# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Versions and networks of Kubernetes that cannot work."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from ..host.problems import Problem
from ..host.sizes import SizeError, parse_bytes
from .versions import kubernetes_problem

PODS, SERVICES = "10.244.0.0/16", "10.96.0.0/12"


def check_kubernetes(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Problems of ``kubernetes``."""
    said = kubernetes_problem(document["version"])
    if said is not None:
        yield Problem(("version",), *said)
    networks = {}
    for key, default in (("pod_cidr", PODS), ("service_cidr", SERVICES)):
        network = _network(document.get(key, default))
        if isinstance(network, str):
            yield Problem((key,), network, f"write an address and a prefix, such as {default}")
        else:
            networks[key] = network
    if len(networks) == 2 and networks["pod_cidr"].overlaps(networks["service_cidr"]):
        key = "service_cidr" if "service_cidr" in document else "pod_cidr"
        other = "pod_cidr" if key == "service_cidr" else "service_cidr"
        message = f"{networks[key]} overlaps {other}, which is {networks[other]}"
        yield Problem((key,), message, "give pods and services networks that share no address")
    yield from _network_plugin(document.get("network", {}))
    yield from _kubelet(document.get("kubelet", {}))


def _network(text: str) -> ipaddress.IPv4Network | str:
    try:
        return ipaddress.IPv4Network(text)
    except ValueError:
        pass
    try:
        inside = ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        return f"'{text}' is no IPv4 network"
    return f"'{text}' is an address inside the network {inside}"


def _network_plugin(network: Mapping[str, Any]) -> Iterator[Problem]:
    plugin = network.get("plugin", "flannel")
    if plugin == "manifest" and "manifest" not in network:
        hint = "add manifest: with the path of the file, or write plugin: flannel"
        yield Problem(("network", "plugin"), "plugin: manifest needs a file to apply", hint)
    for key, owner in (("manifest", "manifest"), ("backend", "flannel")):
        if key in network and plugin != owner:
            message = f"{key} counts only with plugin: {owner}, and this is {plugin}"
            yield Problem(("network", key), message, f"remove it, or write plugin: {owner}")


def _kubelet(kubelet: Mapping[str, Any]) -> Iterator[Problem]:
    if "reserved_memory" in kubelet:
        try:
            parse_bytes(kubelet["reserved_memory"])
        except SizeError as error:
            yield Problem(("kubelet", "reserved_memory"), str(error), "write a number and a unit, such as '1 GiB'")
