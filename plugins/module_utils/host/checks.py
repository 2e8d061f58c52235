# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Everything about a document that its schema cannot say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .checks_disks import check_disks, check_partitions
from .checks_layers import check_layers
from .checks_lvm import check_lvm
from .checks_mounts import check_filesystems
from .checks_owners import check_owners
from .checks_zfs import check_zfs
from .layout import Layout
from .problems import Problem


def check(document: Mapping[str, object]) -> Iterator[Problem]:
    """Problems of a merged document that is valid by its schema; nothing but the document is looked at."""
    layout = Layout(document)
    for part in (check_disks, check_partitions, check_layers, check_lvm, check_zfs, check_filesystems, check_owners):
        yield from part(layout)
