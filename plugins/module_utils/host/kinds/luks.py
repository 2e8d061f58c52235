# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""LUKS2 on disks, partitions and arrays: made with a planned UUID, opened, a line of crypttab, grown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...plan.model import Action, Note, Refusal
from .. import fstab
from ..blockdevices import BlockDevice, BlockDevices
from ..luks import actions, crypttab, request
from ..observation import Observation, Probe
from ..state import Site, State

KIND = "luks"


def probes(document: Mapping[str, Any]) -> tuple[Probe, ...]:
    return (crypttab.PROBE, fstab.SYSTEMD) if document.get("luks") else ()


def observe(observation: Observation, block: BlockDevices) -> tuple[BlockDevice, ...]:
    """Devices that carry LUKS, of either version."""
    return tuple(one for one in block if one.content == request.CONTENT)


def declare(
    document: Mapping[str, Any], have: State, want: State, site: Site, observation: Observation
) -> Iterator[object]:
    yield from request.declared(KIND, document, have, want, site, observation)


def plan(have: State, want: State, site: Site, observation: Observation) -> Iterator[Action | Refusal | Note]:
    for wanted in want.of(KIND):
        yield from actions.planned(KIND, wanted, observation)
