# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run answers and leaves behind, on a host as on a cluster: its plan, the steps that ran, and the evidence."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any

from .diff import diff
from .digest import digest
from .errors import StorageError, Surprise
from .journal import Journal
from .model import Json, Plan, Refusal


@dataclass(frozen=True)
class Done:
    """A step that ran: ``argv`` (or what was written), exit code and seconds."""

    action: str
    argv: tuple[str, ...]
    rc: int
    seconds: float

    def as_json(self) -> dict[str, Any]:
        return {"action": self.action, "argv": list(self.argv), "rc": self.rc, "seconds": self.seconds}


@dataclass
class RunReport:
    """What a module answers; ``as_json`` is its RETURN, to which hosts and clusters add what they are."""

    plan: Plan = field(default_factory=lambda: Plan(()))
    executed: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""
    journal: str = ""
    report: str = ""
    processes: int = 0

    @property
    def notes(self) -> list[str]:
        return list(self.plan.notes)

    def as_json(self) -> dict[str, Any]:
        actions = self.plan.actions
        return {
            "changed": bool(actions),
            "plan": [action.as_json() for action in actions],
            "identities": self.plan.identities,
            "digest": digest(self.plan),
            "refusals": [refusal.sentence() for refusal in self.plan.refusals],
            "notes": self.notes,
            "executed": self.executed,
            "before": {action.id: action.before for action in actions},
            "after": {action.id: action.after for action in actions},
            "diff": diff(actions),
            "journal": self.journal,
            "report": self.report,
            "processes": self.processes,
        }

    def answer(self) -> dict[str, Any]:
        """``as_json`` as a module ends with it: with ``msg`` where a refusal or a failed action makes it a failure."""
        result = self.as_json()
        sentences = [self.error] if self.error else result["refusals"]
        if sentences:
            result.update(changed=bool(self.executed), msg=" ".join(sentences))
        return result

    def leave(self, journal: Journal, of: Json, after: Json) -> None:
        """Write the evidence of a run: what was, what was planned, what ran, what is; it opens and unlocks nothing.

        ``of`` says whose run it was, its ``start``, and what was there ``before``.
        """
        content = {
            "report": 1,
            **of,
            "end": now(),
            "digest": digest(self.plan),
            "identities": self.plan.identities,
            "plan": [action.as_json() for action in self.plan.actions],
            "executed": self.executed,
            "after": after,
            "notes": self.notes,
            "error": self.error,
            "journal": journal.path,
        }
        try:
            self.report = journal.write_report(content)
        except StorageError as error:
            self.plan = replace(self.plan, notes=(*self.plan.notes, error.sentence()))


def now() -> str:
    """The time in UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def not_approved(plan: Plan, expected: str, target: str, changed: str) -> Plan:
    """The refusal of a plan that is not the approved one; ``changed`` is what may have changed, such as ``host``."""
    refusal = Refusal(
        target,
        f"the plan is now {digest(plan)} and not {expected} as approved: {changed} changed",
        "look at the new plan and approve it",
    )
    return replace(plan, actions=(), refusals=(refusal,))


def verify(rest: Plan, what: str) -> None:
    """A second plan after the run must be empty: it is what the next run would do.

    :raises Surprise: it is not; ``what`` is the host or the cluster.
    """
    if rest.refusals:
        raise Surprise(f"after the run the {what} is refused: {rest.refusals[0].sentence()}", f"look at the {what}")
    if rest.actions:
        names = ", ".join(action.id for action in rest.actions[:5])
        raise Surprise(f"after the run the {what} still differs: {names}", "run again; report it if it stays so")
