# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one place that decides whether something may be destroyed, or done for ever."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .digest import sha256
from .model import Action, Refusal


@dataclass(frozen=True)
class Consent:
    """A person's word that the contents with this digest, on this disk, may be lost."""

    disk: str
    contents: str


@dataclass(frozen=True)
class Approval:
    """A person's word that an action that can never be taken back may run, as the plan showed it."""

    action: str
    digest: str


def refusals(
    actions: Iterable[Action], consents: Iterable[Consent], approvals: Iterable[Approval] = ()
) -> Iterator[Refusal]:
    """A refusal for each thing that an action would destroy, or do for ever, without a consent that matches."""
    given, approved = frozenset(consents), frozenset(approvals)
    for action in actions:
        for lost in action.destroys:
            if Consent(lost.disk, lost.contents) not in given:
                yield Refusal(
                    action.target,
                    f"{lost.what} on disk {lost.disk} would be destroyed without consent",
                    f"to consent, write in host_storage_consent below wipe: {lost.line}"
                    if lost.line
                    else f"consent names this disk and the contents {lost.contents}",
                )
        # The digest of an action is worth its time only where somebody must have seen it.
        if action.irreversible and (wanted := approval(action)) not in approved:
            yield Refusal(
                action.target,
                f"{action.irreversible}, and nobody consented to {action.id} as it is planned now",
                "to consent, write in host_storage_consent below irreversible: "
                f'- {{action: "{wanted.action}", digest: "{wanted.digest}"}}',
            )


def approval(action: Action) -> Approval:
    """What a person must say for this action: its name, and the digest of all that it does and to which disks."""
    return Approval(action.id, sha256(action.as_json()))
