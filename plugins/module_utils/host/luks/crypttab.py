# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lines of /etc/crypttab: found by UUID, and never rewritten but by their own line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...plan.model import EditLine, Refusal, Step
from ..blockdevices import BlockDevice, BlockDevices
from ..lines import differing
from ..observation import Observation, ReadFile

CRYPTTAB = "/etc/crypttab"
PROBE = ReadFile(CRYPTTAB)


def lines(observation: Observation) -> Iterator[tuple[str, str, str]]:
    """(name, source, the exact line) of each entry."""
    for line in (observation.ask(PROBE) or "").splitlines():
        words = line.split()
        if len(words) >= 2 and not words[0].startswith("#"):
            yield words[0], words[1], line


def name_of(observation: Observation, uuid: str) -> str:
    """What a device is opened as at boot; empty when nobody opens it."""
    return next((name for name, source, _line in lines(observation) if source.lower() == f"uuid={uuid}"), "")


def line(name: str, uuid: str, entry: Mapping[str, Any]) -> str:
    """The key file, or what the host has instead: with Clevis the network, with a TPM2 the chip."""
    options = ["luks"]
    options += ["discard"] if entry["discard"] else []
    options += {"clevis": ["_netdev"], "tpm2": ["tpm2-device=auto"]}.get(entry["unlock"], [])
    options += ["nofail"] if entry["nofail"] else []
    key = entry["key_file"] if entry["unlock"] == "key_file" else "none"
    return f"{name} UUID={uuid} {key} {','.join(options)}"


def foreign(observation: Observation, name: str, uuid: str, own: str, block: BlockDevices) -> Iterator[Refusal]:
    """Lines that are not ours to rewrite: systemd opens one device by a name, and which one is not for us to say.

    ``own`` is the path of the device. A line of our name whose device is nowhere is what a replaced disk left.
    """
    found = tuple(_matching(observation, name, uuid))
    yield from differing(name, CRYPTTAB, (text for _name, _source, text in found))
    for source in {source for _name, source, _text in found}:
        other = _device(source, block)
        if other is not None and other != block.at(own):
            why = f"{CRYPTTAB} opens another device by this name ({source})"
            yield Refusal(name, why, "remove that line, or give one of the two another name")


def edit(observation: Observation, name: str, uuid: str, wanted: str) -> tuple[Step, ...]:
    """The step that makes ``wanted`` the line of a device; none when it is there already."""
    for _name, _source, text in _matching(observation, name, uuid):
        return () if text.split() == wanted.split() else (EditLine(CRYPTTAB, text, wanted),)
    return (EditLine(CRYPTTAB, None, wanted),)


def _matching(observation: Observation, name: str, uuid: str) -> Iterator[tuple[str, str, str]]:
    return (one for one in lines(observation) if one[0] == name or one[1].lower() == f"uuid={uuid}")


def _device(source: str, block: BlockDevices) -> BlockDevice | None:
    """The device that a line names by its path or by the UUID of its header."""
    word, _equals, uuid = source.partition("=")
    if word.lower() != "uuid":
        return block.at(source)
    return next((one for one in block if one.content_uuid == uuid.lower()), None)
