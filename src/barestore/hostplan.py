# SPDX-License-Identifier: GPL-3.0-or-later
"""What one host's plan or run came to, and which exit code that makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from barestore.exits import Exit as Exit
from barestore.fleet import Answer
from barestore.hosts import Host


@dataclass(frozen=True)
class HostPlan:
    """``status`` is nothing, changes, refused, unreachable or error; after a run also done."""

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

    def as_json(self) -> dict[str, Any]:
        """For programs; what a plan file holds is a part of it."""
        out = {
            "status": self.status,
            "rack": self.rack,
            "digest": self.digest,
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
    )


def exit_code(statuses: Iterable[str]) -> Exit:
    """Of all hosts together: an error outweighs a refusal, a refusal outweighs changes."""
    found = set(statuses)
    if found & {"error", "unreachable"}:
        return Exit.ERROR
    if "refused" in found:
        return Exit.REFUSED
    return Exit.CHANGES if "changes" in found else Exit.DONE


def _of(host: Host, answer: Answer, changed: str) -> HostPlan:
    if answer.how == "unreachable":
        return report(host, {}, "unreachable", _unreachable(answer.message))
    if answer.how == "silent":
        return report(host, {}, "error", "It gave no answer; run again, with the same plan if there is one.")
    result = answer.result
    if answer.how == "ok":
        return report(host, result, changed if result.get("plan") else "nothing")
    if result.get("refusals"):
        return report(host, result, "refused")
    return report(host, result, "error", answer.message or "The module failed and said nothing.")


def _unreachable(message: str) -> str:
    said = message.removeprefix("Failed to connect to the host via ssh: ").strip().rstrip(".")
    return f"It cannot be reached ({said or 'no reason given'}); see that it is up and that SSH works, and run again."
