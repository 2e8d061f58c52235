# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The only place that changes a cluster: one action at a time, each proven before and after, stopped by a gate."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..plan.errors import CommandFailed, ObserveError, StorageError, Surprise
from ..plan.journal import Journal
from ..plan.model import Action, Command, Expect, Plan, Refusal
from ..plan.report import Done
from ..plan.runner import Runner
from . import planner
from .expectations import asked, required, shortfall
from .gates import gates, kubernetes
from .gates.situation import Situation, unclean
from .kinds import device_set
from .lease import Holder
from .observer import Observer
from .state import Cluster
from .wanted import Wanted
from .windows import is_open

_POLL_SECONDS, _SLOWEST_SECONDS, _SHARE = 1.0, 5.0, 0.1
"""How long until the next look: this share of what the wait took so far, within these two."""
_GRACE_SECONDS = 30.0
"""How long a gate may be closed, or the API away, before a run stops: daemons that start look lost for a moment."""
REPORT_SECONDS = 8.0
"""How old the word of placement groups may be: OSDs tell the manager every 5 s, it tells the monitors every 2 s
(``mgr_stats_period``, ``mgr_tick_period``). What is called clean sooner may be so from before the change."""
_REPORTED = ("clean", "safe")
_OFTEN = 3
"""Where OSDs are missing so many times within the patience of a run, one comes and goes."""
_WAITS_FOR_WINDOW = ("osd.drain", "device_set.raise", "device_set.lower", "claim.mark")


class Clock:
    """Time, so that tests need not wait."""

    def now(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def week(self) -> tuple[int, int]:
        """Day (0 is Monday) and minute of it, in local time."""
        now = time.localtime()
        return now.tm_wday, now.tm_hour * 60 + now.tm_min


@dataclass
class Watch:
    """How far a wait is: ``least`` is the least that was ever left of each count; ``moved`` when that last fell."""

    least: tuple[int, ...]
    moved: float
    closed: float = -1.0

    def see(self, left: tuple[int, ...], now: float) -> None:
        if any(new < old for new, old in zip(left, self.least)):
            self.least = tuple(map(min, left, self.least))
            self.moved = now


class Executor:
    """Runs the plans of one cluster. ``done`` is what ran; ``stop`` asks whether the run shall end between actions."""

    def __init__(
        self, runner: Runner, journal: Journal, observer: Observer, holder: Holder, wanted: Wanted, clock: Clock
    ) -> None:
        self._runner = runner
        self._journal = journal
        self._observer = observer
        self._holder = holder
        self._wanted = wanted
        self._clock = clock
        self._known: frozenset[int] = frozenset()
        self._last: frozenset[int] = frozenset()
        self._losses: list[float] = []
        self.done: list[Done] = []
        self.stop: Callable[[], bool] = lambda: False

    def execute(self, plan: Plan, seen: Cluster) -> None:
        """Run all actions in their order; ``seen`` is what they were planned from.

        :raises StorageError: the first that failed, or what closed a gate; the next run goes on from there.
        """
        self._last = frozenset(seen.osds)
        for action in plan.actions:
            if self.stop():
                raise Surprise(f"the run was interrupted before {action.id}", "run again: it goes on from there")
            name = f"{action.kind}.{action.verb}"
            if name in _WAITS_FOR_WINDOW and not is_open(self._wanted.windows, *self._clock.week()):
                raise Surprise(f"the maintenance window closed before {action.id}", "run again when one is open")
            self._one(action)

    def _one(self, action: Action) -> None:
        start = self._clock.now()
        self._journal.write("start", {"action": action.id, "commands": [step.as_json() for step in action.steps]})
        try:
            self._known = self._last
            # Fresh, whatever the action before has seen: nothing is taken away on the word of an old look.
            self._await(action, required(action, self._wanted.cluster), "before")
            for step in action.steps:
                if isinstance(step, Command):
                    self._run(action, step)
            self._await(action, action.expects, "after")
        except StorageError as error:
            self._journal.write("failed", {"action": action.id, "why": error.sentence()})
            raise
        self._journal.write("done", {"action": action.id, "seconds": round(self._clock.now() - start, 3)})

    def _run(self, action: Action, step: Command) -> None:
        self._holder.renew()
        result = self._runner.run(step.argv, step.stdin)
        self.done.append(Done(action.id, step.argv, result.rc, result.seconds))
        if result.rc != 0:
            raise CommandFailed(step.argv, result.rc, result.stderr or result.stdout)

    def _await(self, action: Action, expects: tuple[Expect, ...], when: str) -> None:
        """Look until all hold. Time alone ends no wait: only a closed gate, or that nothing moved on for long."""
        if not expects:
            return
        watch: Watch | None = None
        began, told = self._clock.now(), ""
        reported = [one for one in expects if one.check in _REPORTED]
        changed = -1.0
        while True:
            cluster = self._look(expects)
            now = self._clock.now()
            missing = self._missing([one for one in expects if one not in reported], cluster)
            changed = -1.0 if missing else now if changed < 0 else changed
            missing += self._missing(reported, cluster)
            if reported and when == "after" and not missing and now - changed < REPORT_SECONDS:
                missing = ["placement groups may not have told of it yet"]
            if not missing:
                return
            left = _left(cluster, missing)
            watch = watch or Watch(left, now)
            watch.see(left, now)
            self._halt(action, cluster, watch, now)
            self._failed_job(expects, missing)
            if now - watch.moved > self._wanted.patience:
                # A drain needs no operator, so that one that is away stops nothing until something waits for it.
                away = gates.closed((kubernetes.operator,), Situation(cluster, moving=True))
                raise Surprise(
                    f"{when} {action.id}, {missing[0]}, and nothing moved on for {self._wanted.patience} s"
                    + (f" while {away[0].message}" if away else ""),
                    f"{away[0].hint if away else 'find out what holds it up'} and run again: it goes on from there",
                )
            if missing[0] != told:
                told = missing[0]
                self._journal.write("waits", {"action": action.id, "for": told})
            self._holder.renew()
            self._clock.sleep(min(max(_POLL_SECONDS, _SHARE * (now - began)), _SLOWEST_SECONDS))

    def _missing(self, expects: Iterable[Expect], cluster: Cluster) -> list[str]:
        seen = (shortfall(one, cluster, self._wanted.failure_domain) for one in expects)
        return [one for one in seen if one]

    def _look(self, expects: tuple[Expect, ...]) -> Cluster:
        """The state; an API or monitors that are away for a moment are waited for."""
        end = self._clock.now() + 2 * _GRACE_SECONDS
        while True:
            try:
                cluster = self._observer.look(whole=True, safe=asked(expects))
            except ObserveError:
                if self._clock.now() > end:
                    raise
                self._clock.sleep(_SLOWEST_SECONDS)
                continue
            self._last = frozenset(cluster.osds)
            return cluster

    def _halt(self, action: Action, cluster: Cluster, watch: Watch, now: float) -> None:
        """Stop at a gate that stays closed: what happens is no longer what was planned for."""
        coming = frozenset(cluster.osds) - self._known
        if action.kind == device_set.KIND:
            coming |= planner.coming(cluster)
        seen = Situation(
            cluster,
            leaving=planner.leaving(cluster) | coming | _targets(action),
            moving=True,
            accepted=self._wanted.accept_health,
        )
        closed: tuple[Refusal, ...] = gates.closed(gates.MEANWHILE, seen)
        if not closed:
            watch.closed = -1.0
            return
        if watch.closed < 0:
            watch.closed = now
            self._losses.extend([now] if closed[0].target == "gate osds" else [])
        often = sum(1 for one in self._losses if now - one <= self._wanted.patience)
        flaps = ""
        if closed[0].target == "gate osds" and often >= _OFTEN:
            flaps = f", which closed {often} times within {self._wanted.patience} s"
        if now - watch.closed >= _GRACE_SECONDS or flaps:
            first, *more = closed
            also = "".join(f"; {one.target}: {one.message}" for one in more)
            raise Surprise(
                f"{action.id} was stopped by {first.target}{flaps}: {first.message}{also}",
                # The last gate is the nearest to the cause: a node that is gone takes monitors and OSDs along.
                f"{closed[-1].hint}; then run again: it goes on from there",
            )

    def _failed_job(self, expects: tuple[Expect, ...], missing: list[str]) -> None:
        for one in expects:
            if one.check == "job_done" and any(seen.endswith("is failed") for seen in missing):
                said = self._observer.log(one.target) or "it said nothing"
                raise Surprise(f"Job {one.target} failed: {said}", "look at the disk, and run again")


def _targets(action: Action) -> frozenset[int]:
    names = action.target.split("+")
    return frozenset(int(name[4:]) for name in names if name.startswith("osd.") and name[4:].isdigit())


def _left(cluster: Cluster, missing: list[str]) -> tuple[int, ...]:
    """What a wait counts down: expectations, placement groups, objects, claims and OSDs that are not there."""
    pending = sum(1 for one in cluster.claims.values() if one.phase != "Bound")
    idle = sum(1 for one in cluster.osds.values() if not one.up)
    return (len(missing), unclean(cluster), cluster.progress.misplaced + cluster.progress.degraded, pending, idle)
