# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one place that decides whether something may be destroyed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .model import Action, Refusal


@dataclass(frozen=True)
class Consent:
    """A person's word that the contents with this digest, on this disk, may be lost."""

    disk: str
    contents: str


def refusals(actions: Iterable[Action], consents: Iterable[Consent]) -> Iterator[Refusal]:
    """A refusal for each thing that an action would destroy without a consent that matches disk and contents."""
    given = frozenset(consents)
    for action in actions:
        for lost in action.destroys:
            if Consent(lost.disk, lost.contents) not in given:
                yield Refusal(
                    action.target,
                    f"{lost.what} on disk {lost.disk} would be destroyed without consent",
                    f"consent names this disk and the contents {lost.contents}",
                )
