# SPDX-License-Identifier: GPL-3.0-or-later
"""The wire between nodes: one bridge for a site, and a network namespace with one card for each node.

Nodes reach each other and this machine, and nothing else, as at a site without internet.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path

from barestore.lab.containers.commands import run
from barestore.lab.errors import LabError


@dataclass(frozen=True)
class Network:
    """A site's bridge; ``site`` is the state folder, whose hash is in every name that is made here."""

    site: Path

    @property
    def _mark(self) -> str:
        return hashlib.sha256(str(self.site.resolve()).encode()).hexdigest()[:6]

    @property
    def bridge(self) -> str:
        """The bridge's name on this machine."""
        return f"lab{self._mark}"

    def namespace(self, node: str) -> str:
        """The network namespace of a node."""
        return f"lab{self._mark}-{node}"

    def _card(self, node: str) -> str:
        return f"lv{hashlib.sha256(self.namespace(node).encode()).hexdigest()[:10]}"

    def connect(self, node: str, address: IPv4Interface) -> None:
        """Make the bridge, with the first address of the network, and the node's namespace and card; once each."""
        gateway = gateway_of(address)
        self._bridge_up(gateway)
        namespace, card = self.namespace(node), self._card(node)
        if namespace in _namespaces():
            run(["ip", "link", "set", card, "up"])
            return
        run(["ip", "netns", "add", namespace])
        run(["ip", "link", "add", card, "type", "veth", "peer", "name", "eth0", "netns", namespace])
        run(["ip", "link", "set", card, "master", self.bridge, "up"])
        # The card's number follows from the address: neighbours need not learn a new one after each start.
        mac = ":".join(f"{byte:02x}" for byte in (0x02, 0x4C, *address.ip.packed))
        for words in (
            ["link", "set", "lo", "up"],
            ["link", "set", "eth0", "address", mac, "up"],
            ["addr", "add", str(address), "dev", "eth0"],
            ["route", "add", "default", "via", str(gateway.ip)],
        ):
            run(["ip", "-n", namespace, *words])

    def cut(self, node: str) -> None:
        """Pull the node's cable, as a power cut does for all others."""
        run(["ip", "link", "set", self._card(node), "down"], check=False)

    def disconnect(self, node: str) -> None:
        """Remove the node's namespace and card, and the bridge when no card is left on it."""
        run(["ip", "link", "del", self._card(node)], check=False)
        if self.namespace(node) in _namespaces():
            run(["ip", "netns", "del", self.namespace(node)])
        if not json.loads(run(["ip", "-j", "link", "show", "master", self.bridge], check=False) or "[]"):
            run(["ip", "link", "del", self.bridge], check=False)

    def _bridge_up(self, gateway: IPv4Interface) -> None:
        links = json.loads(run(["ip", "-j", "addr", "show"]))
        for link in links:
            if link["ifname"] == self.bridge:
                return
            for has in link["addr_info"]:
                if has.get("local") == str(gateway.ip):
                    raise LabError(
                        f"{link['ifname']} of this machine has the address {gateway.ip} already, which the lab wants "
                        "for its bridge: another lab with these addresses is up; take it down, or give other addresses"
                    )
        run(["ip", "link", "add", self.bridge, "type", "bridge"])
        run(["ip", "addr", "add", str(gateway), "dev", self.bridge])
        run(["ip", "link", "set", self.bridge, "up"])


def gateway_of(address: IPv4Interface) -> IPv4Interface:
    """The first address of a node's network, which is this machine's."""
    return IPv4Interface((int(address.network.network_address) + 1, address.network.prefixlen))


def _namespaces() -> set[str]:
    return {entry["name"] for entry in json.loads(run(["ip", "-j", "netns", "list"]) or "[]")}
