# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""LUKS2 made with a planned UUID, opened, a line of crypttab, grown.

Two kinds, since a document is read from below to above: on disks, partitions and arrays it comes before LVM and ZFS,
on their volumes after them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...plan.model import Action, Note, Refusal
from .. import fstab
from ..blockdevices import BlockDevice, BlockDevices
from ..luks import actions, crypttab, request
from ..observation import Observation, Probe
from ..state import Site, State


@dataclass(frozen=True)
class Luks:
    """The slots of both kinds; ``on_volumes`` says which of the document's encrypted devices are this kind's."""

    KIND: str
    on_volumes: bool

    def probes(self, document: Mapping[str, Any]) -> tuple[Probe, ...]:
        return (crypttab.PROBE, fstab.SYSTEMD) if document.get("luks") else ()

    def observe(self, observation: Observation, block: BlockDevices) -> tuple[BlockDevice, ...]:
        """Devices that carry LUKS, of either version."""
        return tuple(one for one in block if one.content == request.CONTENT)

    def declare(
        self, document: Mapping[str, Any], have: State, want: State, site: Site, observation: Observation
    ) -> Iterator[object]:
        yield from request.declared(self.on_volumes, document, have, want, site, observation)

    def plan(self, have: State, want: State, site: Site, observation: Observation) -> Iterator[Action | Refusal | Note]:
        for wanted in want.of(self.KIND):
            yield from actions.planned(self.KIND, wanted, have.block, observation)


ON_DEVICES = Luks("luks", on_volumes=False)
ON_VOLUMES = Luks("luks_volume", on_volumes=True)
