# SPDX-License-Identifier: GPL-3.0-or-later
"""What one host's plan or run came to, and which exit code that makes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from barestore.exits import Exit as Exit
from barestore.fleet import Answer
from barestore.hosts import Host


@dataclass(frozen=True)
class HostPlan:
    """``status`` is nothing, changes, refused, unreachable or error; after a run also done, or held: not begun.

    ``wanted`` is the digest of what the inventory asked of the host, ``observed`` when the host was looked at.
    """

    host: str
    rack: str
    status: str
    digest: str = ""
    actions: Sequence[Mapping[str, Any]] = ()
    refusals: Sequence[str] = ()
    notes: Sequence[str] = ()
    disks: Sequence[Mapping[str, Any]] = ()
    executed: Sequence[Mapping[str, Any]] = ()
    journal: str = ""
    message: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    identities: Mapping[str, Any] = field(default_factory=dict)
    site: str = ""
    wanted: str = ""
    observed: str = ""

    def as_json(self) -> dict[str, Any]:
        """For programs and plan files, as ``schemas/plan.schema.json`` says."""
        out = {
            "status": self.status,
            "rack": self.rack,
            "site": self.site,
            "wanted": self.wanted,
            "observed": self.observed,
            "digest": self.digest,
            "identities": dict(self.identities),
            "actions": list(self.actions),
            "refusals": list(self.refusals),
            "notes": list(self.notes),
            "disks": list(self.disks),
            "message": self.message,
        }
        if self.executed or self.journal:
            out.update(executed=list(self.executed), journal=self.journal)
        return out


def planned(host: Host, answer: Answer) -> HostPlan:
    """Of what the module answered in check mode."""
    return _of(host, answer, "changes")


def applied(host: Host, answer: Answer) -> HostPlan:
    """Of what the module answered after a run."""
    return _of(host, answer, "done")


def report(host: Host, result: Mapping[str, Any], status: str, message: str = "") -> HostPlan:
    """Of the fields of the module's answer."""
    return HostPlan(
        host.name,
        host.rack,
        status,
        str(result.get("digest", "")),
        tuple(result.get("plan", ())),
        tuple(result.get("refusals", ())),
        tuple(result.get("notes", ())),
        tuple(result.get("disks", ())),
        tuple(result.get("executed", ())),
        str(result.get("journal", "")),
        message,
        identities=result.get("identities", {}),
        site=host.site,
        wanted=host.wanted,
        observed=str(result.get("observed", "")) or now(),
    )


def now() -> str:
    """The time in UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def exit_code(statuses: Iterable[str]) -> Exit:
    """Of all hosts together: an error outweighs a refusal, a refusal outweighs changes."""
    found = set(statuses)
    if found & {"error", "unreachable", "held"}:
        return Exit.ERROR
    if "refused" in found:
        return Exit.REFUSED
    return Exit.CHANGES if "changes" in found else Exit.DONE


def _of(host: Host, answer: Answer, changed: str) -> HostPlan:
    if answer.how == "unreachable":
        return report(host, {}, "unreachable", _unreachable(answer.message))
    if answer.how == "silent":
        why = f" ({answer.message})" if answer.message else ""
        return report(host, {}, "error", f"It gave no answer{why}; run again, with the same plan if there is one.")
    result = answer.result
    if answer.how == "ok":
        return report(host, result, changed if result.get("plan") else "nothing")
    if result.get("refusals"):
        return report(host, result, "refused")
    return report(host, result, "error", answer.message or "The module failed and said nothing.")


def _unreachable(message: str) -> str:
    said = message.removeprefix("Failed to connect to the host via ssh: ").strip().rstrip(".")
    return f"It cannot be reached ({said or 'no reason given'}); see that it is up and that SSH works, and run again."
