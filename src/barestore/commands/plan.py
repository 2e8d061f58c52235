# SPDX-License-Identifier: GPL-3.0-or-later
"""``barestore plan``: what apply would do, from the hosts themselves or from recordings of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from barestore import planfile, render
from barestore.commands import offline
from barestore.commands.common import Fleet, Options, listen, module, ready
from barestore.hostplan import Exit, HostPlan, exit_code, planned
from barestore.screen import say


def plan(options: Options, observed: Path | None = None, out: Path | None = None) -> Exit:
    """Plan, show, and keep the plan if asked."""
    fleet = ready(options)
    plans: Iterable[HostPlan] = offline.plans(fleet, observed) if observed else live(fleet, options)
    with planfile.writing(out) as keep:
        code = show(options, plans, keep)
    if out is not None and not options.as_json:
        say(f"The plan is in {out}; apply exactly it with 'barestore apply --plan {out}'.")
    return code


def live(fleet: Fleet, options: Options) -> list[HostPlan]:
    """Ask the hosts: the module in check mode, on all of them at once."""
    answers = listen(fleet.call(module("host_storage"), check=True), options, "Planning")
    return [planned(host, answers[host.name]) for host in fleet.hosts]


def show(options: Options, plans: Iterable[HostPlan], keep: Callable[[HostPlan], None] = lambda plan: None) -> Exit:
    """For a person, or as JSON: one host after the other, so that a thousand need no room together."""
    statuses: Counter[str] = Counter()

    def each() -> Iterator[HostPlan]:
        for plan in plans:
            statuses[plan.status] += 1
            keep(plan)
            yield plan

    if options.as_json:
        json_of(each(), statuses)
        return exit_code(statuses)
    for plan in each():
        for part in render.one(plan, options.screen.width, options.verbose):
            options.screen.show(part)
    if statuses.total() > 1:
        options.screen.show(render.total(statuses))
    return exit_code(statuses)


def json_of(plans: Iterable[HostPlan], statuses: Counter[str]) -> None:
    """``{"hosts": {...}, "exit": n}``, written host by host."""
    comma = ""
    print('{"hosts": {', end="")
    for plan in plans:
        print(f"{comma}\n{json.dumps(plan.host)}: {json.dumps(plan.as_json(), ensure_ascii=False, indent=1)}", end="")
        comma = ","
    print(f'}},\n"exit": {int(exit_code(statuses))}}}')
