# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The volumes of a host that leaves: those that nothing uses go with it, and one that is used keeps it. Pure."""

from __future__ import annotations

import json

from ..plan.errors import ObserveError, Surprise
from . import reading

_UNUSED = ("Available", "Released")


def leaving(text: str, node: str) -> list[str]:
    """Names of the local volumes that go with a node.

    :param text: what ``kubectl get persistentvolumes --output=json`` printed.
    :raises Surprise: claims use volumes that lie on the node; all are named.
    """
    try:
        volumes = [one for one in reading.volumes(json.loads(text)["items"]) if one.node == node]
    except (ValueError, KeyError, TypeError) as error:
        raise ObserveError("kubectl did not print the volumes that were asked of it") from error
    used = [f"{one.name} ({one.claim or one.phase})" for one in volumes if one.phase not in _UNUSED]
    if used:
        raise Surprise(
            f"host {node} has volumes that are in use: {', '.join(used)}",
            "nothing was done; lower the counts of OSDs or move what claims these volumes, then remove the host",
        )
    # A volume of a driver is the driver's to remove.
    return sorted(one.name for one in volumes if one.path)
