# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How far a node is on its way into a cluster, from what lies on it. Pure."""

from __future__ import annotations

from typing import NamedTuple

# Written before kubeadm begins and removed when it has ended well: what it left behind in between is half a node.
BEGUN = "/etc/kubernetes/barestore-begun"
KUBELET = "/etc/kubernetes/kubelet.conf"
API_MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml"
CA = "/etc/kubernetes/pki/ca.crt"

ABSENT, HALF, JOINED = "absent", "half", "joined"


class Node(NamedTuple):
    """``stage`` is absent, half or joined; ``control_plane`` whether an API server is to run on it."""

    stage: str
    control_plane: bool


def node(files: frozenset[str]) -> Node:
    """The node from those of the files above that exist on it."""
    control_plane = API_MANIFEST in files
    if BEGUN in files:
        return Node(HALF, control_plane)
    return Node(JOINED if KUBELET in files else ABSENT, control_plane)
