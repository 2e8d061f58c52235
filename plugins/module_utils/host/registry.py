# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All kinds of a host, in the order in which a document is read.

Imports are explicit: Ansible ships to a host only what it sees imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from ..plan.model import Action, Note, Refusal
from .blockdevices import BlockDevices
from .kinds import (
    cache,
    disk,
    filesystem,
    local_volume,
    logical_volume,
    luks,
    md,
    mount,
    partition_table,
    physical_volume,
    swap,
    thin_pool,
    volume_group,
    zfs_dataset,
    zfs_pool,
)
from .observation import Observation, Probe
from .state import Site, State


class Kind(Protocol):
    """The slots of a kind, in the order in which each file has them."""

    @property
    def KIND(self) -> str:
        """Its name in actions."""

    def probes(self, document: Mapping[str, Any]) -> tuple[Probe, ...]:
        """What reads it, whatever the host."""

    def observe(self, observation: Observation, block: BlockDevices) -> tuple[Any, ...]:
        """How its state looks: answers in, values out."""

    def declare(
        self, document: Mapping[str, Any], have: State, want: State, site: Site, observation: Observation
    ) -> Iterator[object]:
        """What a document asks of it: yields wanted values, Offers for those that come after, and Refusals."""

    def plan(self, have: State, want: State, site: Site, observation: Observation) -> Iterator[Action | Refusal | Note]:
        """Which actions lead from one to the other, with the argv that each of them is."""


KINDS: tuple[Kind, ...] = (
    disk,
    partition_table,
    md,
    luks.ON_DEVICES,
    physical_volume,
    volume_group,
    thin_pool,
    logical_volume,
    cache,
    zfs_pool,
    zfs_dataset,
    luks.ON_VOLUMES,
    filesystem,
    swap,
    mount,
    local_volume,
)
