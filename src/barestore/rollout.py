# SPDX-License-Identifier: GPL-3.0-or-later
"""Applies plans to a site at a pace: one failure domain after the other, in batches, until too many hosts failed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from barestore.fleet import Answer, Call
from barestore.hostplan import HostPlan, applied, now, planned
from barestore.hosts import Host
from barestore.remains import change, is_rest

FAILED = ("error", "unreachable")


@dataclass(frozen=True)
class Pace:
    """How many hosts of a rack at once (0: all), and after how many failed hosts no other is begun (0: never)."""

    batch: int = 0
    stop_after: int = 1

    def batches(self, hosts: Sequence[Host]) -> Iterator[tuple[str, list[Host]]]:
        """Rack after rack; the hosts without a rack are one of their own."""
        for rack, members in groupby(sorted(hosts, key=lambda one: (one.rack, one.name)), lambda one: one.rack):
            named = list(members)
            size = self.batch or len(named)
            for start in range(0, len(named), size):
                yield rack, named[start : start + size]


@dataclass(frozen=True)
class Events:
    """What happens as JSON, a line each, for programs that ask for it."""

    on: bool = False

    def __call__(self, event: str, **fields: Any) -> None:
        if self.on:
            print(json.dumps({"event": event, "time": now(), **fields}, ensure_ascii=False), flush=True)


Plans = Mapping[str, HostPlan]


@dataclass
class Rollout:
    """``write`` makes the call that applies plans to hosts, ``look`` the one that plans them again.

    ``wait`` waits for a call that writes, and says whether no other may begin since somebody interrupts; ``show`` is
    told each batch's results.
    """

    plans: Plans
    pace: Pace
    write: Callable[[Sequence[Host], Plans], Call]
    look: Callable[[Sequence[Host]], Call]
    wait: Callable[[Call, Plans], tuple[Mapping[str, Answer], bool]]
    show: Callable[[Sequence[HostPlan]], None]
    events: Events = field(default_factory=Events)
    stopped: bool = False

    def run(self, hosts: Sequence[Host]) -> list[HostPlan]:
        """The result of each host; one that was not begun is held."""
        results: list[HostPlan] = []
        for rack, batch in self.pace.batches(hosts):
            failed = sum(one.status in FAILED for one in results)
            if self.stopped or (self.pace.stop_after and failed >= self.pace.stop_after):
                found = [self._held(host, failed) for host in batch]
            else:
                self.events("batch", rack=rack, hosts=[host.name for host in batch])
                found = self._batch(batch)
            for one in found:
                self.events("host", host=one.host, **one.as_json(), **one.extra)
            self.show(found)
            results.extend(found)
        return results

    def _batch(self, batch: Sequence[Host]) -> list[HostPlan]:
        answers, self.stopped = self.wait(self.write(batch, self.plans), self.plans)
        found = {host.name: self._result(host, answers[host.name]) for host in batch}
        refused = [host for host in batch if found[host.name].status == "refused"]
        if refused and not self.stopped:
            found.update(self._again(refused, found))
        return [found[host.name] for host in batch]

    def _result(self, host: Host, answer: Answer) -> HostPlan:
        result = applied(host, answer)
        if result.status == "nothing":
            return replace(result, message="done already")
        return result

    def _again(self, refused: Sequence[Host], before: Plans) -> dict[str, HostPlan]:
        """Why hosts were refused: what is left of an approved plan is approved too, and is run; else what changed."""
        looked = self.look(refused)
        looked.start()
        answers = looked.wait()
        found: dict[str, HostPlan] = {}
        rest: dict[str, HostPlan] = {}
        for host in refused:
            seen, approved = planned(host, answers[host.name]), self.plans[host.name]
            if seen.status == "nothing":
                found[host.name] = replace(seen, message="done already")
            elif seen.status == "refused":
                found[host.name] = seen
            elif seen.status != "changes" or seen.digest == approved.digest:
                found[host.name] = before[host.name]
            elif is_rest(approved, seen):
                rest[host.name] = seen
            else:
                differs = change(approved, seen)
                said = replace(seen, status="refused", refusals=(differs.sentence(),), actions=())
                found[host.name] = replace(said, extra={"changed": differs.as_json()})
        if rest:
            hosts = [host for host in refused if host.name in rest]
            written, self.stopped = self.wait(self.write(hosts, rest), rest)
            for host in hosts:
                done = len(self.plans[host.name].actions) - len(rest[host.name].actions)
                result = self._result(host, written[host.name])
                found[host.name] = replace(
                    result,
                    notes=(*result.notes, f"done before: {done} of {len(self.plans[host.name].actions)} actions"),
                )
        return found

    def _held(self, host: Host, failed: int) -> HostPlan:
        why = "the run was interrupted" if self.stopped else f"{failed} {'host' if failed == 1 else 'hosts'} failed"
        return HostPlan(host.name, host.rack, "held", message=f"Not begun, since {why}; run again to go on.")
