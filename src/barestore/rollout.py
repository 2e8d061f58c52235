# SPDX-License-Identifier: GPL-3.0-or-later
"""Applies plans to a site at a pace: one failure domain after the other, in batches, until too many hosts failed.

Hosts come first, and then the clusters, which live on what hosts give, one after the other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from barestore.fleet import Answer, Call
from barestore.hostplan import HostPlan, Place, applied, now, planned
from barestore.remains import change, is_rest
from barestore.tally import both

FAILED = ("error", "unreachable")


@dataclass(frozen=True)
class Pace:
    """How many hosts of a rack at once (0: all), and after how many failed hosts no other is begun (0: never)."""

    batch: int = 0
    stop_after: int = 1

    def batches(self, places: Sequence[Place]) -> Iterator[tuple[str, list[Place]]]:
        """Rack after rack; the hosts without a rack are one of their own. Then cluster after cluster."""

        def turn(one: Place) -> tuple[bool, str]:
            return one.kind == "cluster", one.rack

        for (alone, rack), members in groupby(sorted(places, key=lambda one: (*turn(one), one.name)), turn):
            named = list(members)
            size = 1 if alone else self.batch or len(named)
            for start in range(0, len(named), size):
                yield rack, named[start : start + size]


@dataclass(frozen=True)
class Events:
    """What happens as JSON, a line each, for programs that ask for it."""

    on: bool = False

    def __call__(self, event: str, **fields: Any) -> None:
        if self.on:
            print(json.dumps({"event": event, "time": now(), **fields}, ensure_ascii=False), flush=True)

    def result(self, one: HostPlan) -> None:
        """What one host or cluster came to."""
        self(one.kind, **{one.kind: one.host}, **one.as_json(), **one.extra)


Plans = Mapping[str, HostPlan]


@dataclass
class Rollout:
    """``write`` makes the call that applies plans to hosts or to a cluster, ``look`` the one that plans them again.

    Plans are by the keys of hosts and clusters. ``wait`` waits for a call that writes, and says whether no other may
    begin since somebody interrupts; ``show`` is told each batch's results.
    """

    plans: Plans
    pace: Pace
    write: Callable[[Sequence[Place], Plans], Call]
    look: Callable[[Sequence[Place]], Call]
    wait: Callable[[Call, Plans], tuple[Mapping[str, Answer], bool]]
    show: Callable[[Sequence[HostPlan]], None]
    events: Events = field(default_factory=Events)
    stopped: bool = False

    def run(self, places: Sequence[Place]) -> list[HostPlan]:
        """The result of each host and cluster; one that was not begun is held."""
        results: list[HostPlan] = []
        for rack, batch in self.pace.batches(places):
            failed = [one for one in results if one.status in FAILED]
            if self.stopped or (self.pace.stop_after and len(failed) >= self.pace.stop_after):
                found = [self._held(one, failed) for one in batch]
            else:
                named = {f"{kind}s": [one.name for one in batch if one.kind == kind] for kind in ("host", "cluster")}
                self.events("batch", rack=rack, **{kind: names for kind, names in named.items() if names})
                found = self._batch(batch)
            for one in found:
                self.events.result(one)
            self.show(found)
            results.extend(found)
        return results

    def _batch(self, batch: Sequence[Place]) -> list[HostPlan]:
        answers, self.stopped = self.wait(self.write(batch, self.plans), self.plans)
        found = {one.key: self._result(one, answers[one.key]) for one in batch}
        refused = [one for one in batch if found[one.key].status == "refused"]
        if refused and not self.stopped:
            found.update(self._again(refused, found))
        return [found[one.key] for one in batch]

    def _result(self, host: Place, answer: Answer) -> HostPlan:
        result = applied(host, answer)
        if result.status == "nothing":
            return replace(result, message="done already")
        return result

    def _again(self, refused: Sequence[Place], before: Plans) -> dict[str, HostPlan]:
        """Why hosts were refused: what is left of an approved plan is approved too, and is run; else what changed."""
        looked = self.look(refused)
        looked.start()
        answers = looked.wait()
        found: dict[str, HostPlan] = {}
        rest: dict[str, HostPlan] = {}
        for host in refused:
            seen, approved = planned(host, answers[host.key]), self.plans[host.key]
            if seen.status == "nothing":
                found[host.key] = replace(seen, message="done already")
            elif seen.status == "refused":
                found[host.key] = seen
            elif seen.status != "changes" or seen.digest == approved.digest:
                found[host.key] = before[host.key]
            elif is_rest(approved, seen):
                rest[host.key] = seen
            else:
                differs = change(approved, seen)
                said = replace(seen, status="refused", refusals=(differs.sentence(),), actions=())
                found[host.key] = replace(said, extra={"changed": differs.as_json()})
        if rest:
            hosts = [host for host in refused if host.key in rest]
            written, self.stopped = self.wait(self.write(hosts, rest), rest)
            for host in hosts:
                done = len(self.plans[host.key].actions) - len(rest[host.key].actions)
                result = self._result(host, written[host.key])
                found[host.key] = replace(
                    result,
                    notes=(*result.notes, f"done before: {done} of {len(self.plans[host.key].actions)} actions"),
                )
        return found

    def _held(self, one: Place, failed: Sequence[HostPlan]) -> HostPlan:
        numbers = [sum(each.kind == kind for each in failed) for kind in ("host", "cluster")]
        why = "the run was interrupted" if self.stopped else f"{both(*numbers)} failed"
        message = f"Not begun, since {why}; run again to go on."
        return HostPlan(one.name, one.rack, "held", message=message, kind=one.kind)
