# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Identities that are planned, not discovered: known before the first write, the same on every run."""

from __future__ import annotations

import uuid

from .state import Site

# The namespace of all planned UUIDs; changing it would orphan what earlier runs made.
_NAMESPACE = uuid.UUID("6f1b6a1c-6a0e-5f0b-9d6b-0c1d4c0f7f55")


def planned_uuid(site: Site, what: str, name: str, seed: str) -> str:
    """UUIDv5 of site, host, kind of thing, name in the document and identity of the disk below."""
    return str(uuid.uuid5(_NAMESPACE, "\0".join((site.name, site.host, what, name, seed))))


def lvm_uuid(site: Site, what: str, name: str, seed: str) -> str:
    """A planned UUID in LVM's spelling: 32 characters in groups of 6-4-4-4-4-4-6."""
    text = planned_uuid(site, what, name, seed).replace("-", "")
    cuts = (0, 6, 10, 14, 18, 22, 26, 32)
    return "-".join(text[a:b] for a, b in zip(cuts, cuts[1:]))


def vfat_id(site: Site, name: str, seed: str) -> str:
    """A planned volume id of vfat: eight hexadecimal digits."""
    return planned_uuid(site, "filesystem", name, seed).replace("-", "")[:8].upper()
