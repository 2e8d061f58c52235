# SPDX-License-Identifier: GPL-3.0-or-later
"""``barestore apply``: what was shown or approved, exactly that, or nothing."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import typer

from barestore import clusters, render
from barestore.clusters import Cluster, OsdCall
from barestore.commands.common import Fleet, module, ready
from barestore.commands.plan import live, show
from barestore.errors import Failed
from barestore.fleet import Answer, Call
from barestore.hostplan import Exit, HostPlan, Place, exit_code, report
from barestore.hosts import Host
from barestore.options import Options
from barestore.planread import Approved, read
from barestore.progress import Progress
from barestore.rollout import Events, Pace, Rollout
from barestore.screen import say
from barestore.tally import Tally

_EXPECTED = "{{ barestore_expected[inventory_hostname] }}"


@dataclass(frozen=True)
class Order:
    """What is applied: the plan in a file, perhaps only the one with a digest; else what is planned and agreed to."""

    plan: Path | None = None
    digest: str = ""
    yes: bool = False
    pace: Pace = field(default_factory=Pace)


def apply(options: Options, order: Order) -> Exit:
    """Plan, show and ask, or take an approved plan; then run it, rack after rack, and cluster after cluster."""
    if order.digest and order.plan is None:
        raise Failed("--digest belongs to --plan: name the file that holds the approved plan.")
    approved = read(order.plan, order.digest) if order.plan is not None else None
    fleet = ready(options)
    events = Events(options.as_json)
    if approved is not None:
        return _approved(options, order, fleet, approved, events)
    plans = live(fleet, options)
    changing = {plan.key: plan for plan in plans if plan.status == "changes"}
    # With --json, standard output is for events.
    code = exit_code(plan.status for plan in plans) if options.as_json else show(options, plans)
    others = [plan for plan in plans if plan.key not in changing]
    if changing and options.screen.live and not options.as_json and not order.yes and not _agreed(changing.values()):
        say("Nothing was written.")
        return code
    chosen = [one for one in fleet.places if one.key in changing]
    return _run(options, order, fleet, chosen, changing, others, events)


def _agreed(plans: Iterable[HostPlan]) -> bool:
    named = Tally.count(plans)
    hosts, number = (named.of[kind].total() for kind in ("host", "cluster"))
    to_disks = f"write this to the disks of {'this host' if hosts == 1 else f'these {hosts} hosts'}" if hosts else ""
    to_osds = (
        f"do this to the OSDs of {'this cluster' if number == 1 else f'these {number} clusters'}" if number else ""
    )
    asked = " and ".join(filter(None, (to_disks, to_osds)))
    return typer.confirm(f"{asked[:1].upper()}{asked[1:]}?")


def _approved(options: Options, order: Order, fleet: Fleet, approved: Approved, events: Events) -> Exit:
    """Only hosts and clusters of which the inventory wants the same as then are contacted."""
    chosen: list[Host | Cluster] = []
    others = []
    for host in fleet.places:
        plan = approved.plans.get(host.key)
        if plan is None:
            say(f"{host.key}: {approved.path} allows nothing on it, so it is left alone.")
        elif plan.site != host.site:
            raise Failed(
                f"{approved.path} is a plan of site '{plan.site}' and this inventory is site '{host.site}'; nothing "
                "was written. Name the inventory that it was made of with -i."
            )
        elif plan.wanted != host.wanted:
            others.append(report(host, {"refusals": [_older(approved)]}, "refused"))
        elif plan.status == "nothing":
            others.append(plan)
        else:
            chosen.append(host)
    if not chosen and not others:
        raise Failed(
            f"{approved.path} allows nothing on the hosts of this inventory; it was made of '{approved.inventory}'. "
            "Make a plan with 'barestore plan --out'."
        )
    if not options.limit:
        known = {one.key for one in fleet.places}
        for gone in sorted((one for one in approved.plans.values() if one.key not in known), key=lambda one: one.key):
            what = f"the inventory has no such {gone.kind} any more"
            say(f"{gone.key}: {approved.path} plans for it, and {what}; it is left alone.")
    return _run(options, order, fleet, chosen, approved.plans, others, events)


def _older(approved: Approved) -> str:
    return (
        f"The inventory asks something else of it than at {approved.made}, when {approved.path} was made; it was not "
        "contacted. Plan again and have that approved."
    )


def _run(
    options: Options,
    order: Order,
    fleet: Fleet,
    chosen: Sequence[Host | Cluster],
    plans: Mapping[str, HostPlan],
    others: Sequence[HostPlan],
    events: Events,
) -> Exit:
    def write(batch: Sequence[Place], what: Mapping[str, HostPlan]) -> Call:
        expected = {one.name: what[one.key].digest for one in batch}
        if of_clusters := [one for one in batch if isinstance(one, Cluster)]:
            return clusters.call(fleet.sources, of_clusters, "ceph_osds", fleet.workers, expected)
        task = module("host_storage", expected_digest=_EXPECTED)
        return _of_hosts(fleet, batch).call(task, check=False, barestore_expected=expected)

    def look(batch: Sequence[Place]) -> Call:
        if of_clusters := [one for one in batch if isinstance(one, Cluster)]:
            return clusters.call(fleet.sources, of_clusters, "ceph_osds", fleet.workers)
        return _of_hosts(fleet, batch).call(module("host_storage"), check=True)

    def shown(results: Iterable[HostPlan]) -> None:
        if not options.as_json:
            for one in results:
                for part in render.result(one, options.screen.width):
                    options.screen.show(part)

    named = {f"{kind}s": [one.name for one in chosen if one.kind == kind] for kind in ("host", "cluster")}
    events("start", **named)
    for one in others:
        events.result(one)
    if order.plan is not None:
        shown(one for one in others if one.status != "nothing")
    rollout = Rollout(plans, order.pace, write, look, partial(_watched, options, events), shown, events)
    results = [*rollout.run(chosen), *others]
    tally = Tally.count(results)
    code = exit_code(tally.statuses)
    events("end", exit=int(code), statuses=dict(tally.of["host"] + tally.of["cluster"]))
    if not options.as_json and len(results) > 1 and (chosen or order.plan is not None):
        options.screen.show(render.total(tally))
    return code


def _of_hosts(fleet: Fleet, batch: Sequence[Place]) -> Fleet:
    return replace(fleet, hosts=tuple(one for one in batch if isinstance(one, Host)))


def _watched(
    options: Options, events: Events, call: Call, plans: Mapping[str, HostPlan]
) -> tuple[dict[str, Answer], bool]:
    """Wait for all hosts. The first Ctrl-C asks them to stop between actions; the second leaves them alone."""
    if isinstance(call, OsdCall):
        # Who works is the control plane, and what it works on is the cluster.
        plans = {call.hosts[0]: plans[call.clusters[0].key]}
    with _polite_kills(), Progress(options.screen, call, plans, events) as progress:
        call.start()
        while True:
            try:
                return call.wait(progress.tick), progress.watch.stopping
            except KeyboardInterrupt:
                if progress.watch.stopping:
                    call.leave()
                    raise Failed(
                        "Left while hosts may still run: each ends its actions by itself and keeps its journal in "
                        "/var/lib/barestore/journal; 'barestore plan' shows what is left to do."
                    ) from None
                progress.stop()


@contextmanager
def _polite_kills() -> Iterator[None]:
    """What a supervisor sends is an interrupt like Ctrl-C."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGTERM, signal.SIGHUP)
    old = [signal.signal(number, interrupt) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, old, strict=True):
            signal.signal(number, handler)
