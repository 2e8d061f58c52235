# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files of the system that have a line for each thing: fstab, crypttab, mdadm.conf."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..plan.model import Refusal


def differing(target: str, path: str, lines: Iterable[str]) -> Iterator[Refusal]:
    """Which of several lines for one thing a boot obeys is not for us to say."""
    different = set(lines)
    if len(different) > 1:
        yield Refusal(
            target, f"{path} has {len(different)} different lines for it", "leave the one that holds, or none"
        )
