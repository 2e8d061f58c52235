# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All kinds of a cluster, in the order in which a decision is read. Imports are explicit, as Ansible wants them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from ..plan.model import Action
from .commands import Commands
from .kinds import claim, device_set, osd, pace, volume
from .state import Cluster
from .wanted import Decision, Wanted


class Kind(Protocol):
    """The slots of a kind."""

    @property
    def KIND(self) -> str:
        """Its name in actions."""

    def plan(self, cluster: Cluster, wanted: Wanted, decision: Decision, run: Commands) -> Iterator[Action]:
        """The actions that carry the decision out, with the argv that each of them is."""


KINDS: tuple[Kind, ...] = (pace, device_set, claim, osd, volume)
