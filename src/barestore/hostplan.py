# SPDX-License-Identifier: GPL-3.0-or-later
"""What the plan or run of one host or cluster came to, and which exit code that makes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from barestore.exits import Exit as Exit
from barestore.fleet import Answer


class Place(Protocol):
    """A host, or a cluster: ``kind`` says which, ``asked`` is whom a sentence speaks of that gave no answer."""

    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def rack(self) -> str: ...
    @property
    def site(self) -> str: ...
    @property
    def wanted(self) -> str: ...
    @property
    def asked(self) -> str: ...


@dataclass(frozen=True)
class HostPlan:
    """``status`` is nothing, changes, refused, unreachable or error; after a run also done, or held: not begun.

    With ``kind`` cluster it is the plan of a Ceph cluster's OSDs: ``host`` is the cluster's name, ``disks`` are those
    that the plan speaks of, and ``status`` may be later: what it depends on is wanted and not there yet. ``lacks`` are
    the resources for want of which alone it is refused. ``spread`` counts the OSDs of each set by failure domain.
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
    kind: str = "host"
    lacks: Sequence[str] = ()
    spread: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Its name among hosts and clusters."""
        return self.host if self.kind == "host" else f"{self.kind} {self.host}"

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
        if self.spread:
            out["spread"] = {name: dict(domains) for name, domains in self.spread.items()}
        if self.executed or self.journal:
            out.update(executed=list(self.executed), journal=self.journal)
        return out


def planned(host: Place, answer: Answer) -> HostPlan:
    """Of what the module answered in check mode."""
    return _of(host, answer, "changes")


def applied(host: Place, answer: Answer) -> HostPlan:
    """Of what the module answered after a run."""
    return _of(host, answer, "done")


def report(host: Place, result: Mapping[str, Any], status: str, message: str = "") -> HostPlan:
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
        kind=host.kind,
        lacks=tuple(result.get("lacks", ())),
        spread=_spread(result.get("cluster") or {}),
    )


def _spread(cluster: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """From the summary in the answer of a cluster's module."""
    return {name: dict(one.get("spread", {})) for name, one in cluster.get("device_sets", {}).items()}


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
    return Exit.CHANGES if found & {"changes", "later"} else Exit.DONE


def _of(host: Place, answer: Answer, changed: str) -> HostPlan:
    if answer.how == "unreachable":
        return report(host, {}, "unreachable", _unreachable(host.asked, answer.message))
    if answer.how == "silent":
        why = f" ({answer.message})" if answer.message else ""
        said = f"{host.asked} gave no answer{why}; run again, with the same plan if there is one."
        return report(host, {}, "error", said)
    result = answer.result
    if answer.how == "ok":
        return report(host, result, changed if result.get("plan") else "nothing")
    if result.get("refusals"):
        return report(host, result, "refused")
    if result.get("absent") and changed == "changes":
        return report(host, result, "later", answer.message)
    return report(host, result, "error", answer.message or "The module failed and said nothing.")


def _unreachable(asked: str, message: str) -> str:
    said = message.removeprefix("Failed to connect to the host via ssh: ").strip().rstrip(".")
    return (
        f"{asked} cannot be reached ({said or 'no reason given'}); see that it is up and that SSH works, and run again."
    )
