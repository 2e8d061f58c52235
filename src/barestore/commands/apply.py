# SPDX-License-Identifier: GPL-3.0-or-later
"""``barestore apply``: what was shown or approved, exactly that, or nothing."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import typer

from barestore import render
from barestore.commands.common import Fleet, module, ready
from barestore.commands.plan import live, show
from barestore.errors import Failed
from barestore.fleet import Answer, Call
from barestore.hostplan import Exit, HostPlan, exit_code, report
from barestore.hosts import Host
from barestore.options import Options
from barestore.planread import Approved, read
from barestore.progress import Progress
from barestore.rollout import Events, Pace, Rollout
from barestore.screen import say

_EXPECTED = "{{ barestore_expected[inventory_hostname] }}"


@dataclass(frozen=True)
class Order:
    """What is applied: the plan in a file, perhaps only the one with a digest; else what is planned and agreed to."""

    plan: Path | None = None
    digest: str = ""
    yes: bool = False
    pace: Pace = field(default_factory=Pace)


def apply(options: Options, order: Order) -> Exit:
    """Plan, show and ask, or take an approved plan; then run it, rack after rack."""
    if order.digest and order.plan is None:
        raise Failed("--digest belongs to --plan: name the file that holds the approved plan.")
    approved = read(order.plan, order.digest) if order.plan is not None else None
    fleet = ready(options)
    events = Events(options.as_json)
    if approved is not None:
        return _approved(options, order, fleet, approved, events)
    plans = live(fleet, options)
    changing = {plan.host: plan for plan in plans if plan.status == "changes"}
    # With --json, standard output is for events.
    code = exit_code(plan.status for plan in plans) if options.as_json else show(options, plans)
    others = [plan for plan in plans if plan.host not in changing]
    if changing and options.screen.live and not options.as_json and not order.yes and not _agreed(len(changing)):
        say("Nothing was written.")
        return code
    chosen = [host for host in fleet.hosts if host.name in changing]
    return _run(options, order, fleet, chosen, changing, others, events)


def _agreed(hosts: int) -> bool:
    what = "this host" if hosts == 1 else f"these {hosts} hosts"
    return typer.confirm(f"Write this to the disks of {what}?")


def _approved(options: Options, order: Order, fleet: Fleet, approved: Approved, events: Events) -> Exit:
    """Only hosts of which the inventory wants the same as then are contacted."""
    chosen, others = [], []
    for host in fleet.hosts:
        plan = approved.hosts.get(host.name)
        if plan is None:
            say(f"{host.name}: {approved.path} allows nothing on it, so it is left alone.")
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
        for name in sorted({*approved.hosts} - {host.name for host in fleet.hosts}):
            say(f"{name}: {approved.path} plans for it, and the inventory has no such host any more; it is left alone.")
    return _run(options, order, fleet, chosen, approved.hosts, others, events)


def _older(approved: Approved) -> str:
    return (
        f"The inventory asks something else of it than at {approved.made}, when {approved.path} was made; it was not "
        "contacted. Plan again and have that approved."
    )


def _run(
    options: Options,
    order: Order,
    fleet: Fleet,
    chosen: Sequence[Host],
    plans: Mapping[str, HostPlan],
    others: Sequence[HostPlan],
    events: Events,
) -> Exit:
    def write(hosts: Sequence[Host], what: Mapping[str, HostPlan]) -> Call:
        expected = {host.name: what[host.name].digest for host in hosts}
        task = module("host_storage", expected_digest=_EXPECTED)
        return replace(fleet, hosts=tuple(hosts)).call(task, check=False, barestore_expected=expected)

    def look(hosts: Sequence[Host]) -> Call:
        return replace(fleet, hosts=tuple(hosts)).call(module("host_storage"), check=True)

    def shown(results: Iterable[HostPlan]) -> None:
        if not options.as_json:
            for one in results:
                for part in render.result(one, options.screen.width):
                    options.screen.show(part)

    events("start", hosts=[host.name for host in chosen])
    for one in others:
        events("host", host=one.host, **one.as_json())
    if order.plan is not None:
        shown(one for one in others if one.status != "nothing")
    rollout = Rollout(plans, order.pace, write, look, partial(_watched, options, events), shown, events)
    results = [*rollout.run(chosen), *others]
    statuses = Counter(one.status for one in results)
    code = exit_code(statuses)
    events("end", exit=int(code), statuses=dict(statuses))
    if not options.as_json and len(results) > 1 and (chosen or order.plan is not None):
        options.screen.show(render.total(statuses))
    return code


def _watched(
    options: Options, events: Events, call: Call, plans: Mapping[str, HostPlan]
) -> tuple[dict[str, Answer], bool]:
    """Wait for all hosts. The first Ctrl-C asks them to stop between actions; the second leaves them alone."""
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
