# SPDX-License-Identifier: GPL-3.0-or-later
"""``barestore apply``: what was shown or approved, exactly that, or nothing."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import typer

from barestore import planfile, render
from barestore.commands.common import Fleet, Options, module, ready
from barestore.commands.plan import json_of, live, show
from barestore.errors import Failed
from barestore.fleet import Answer, Call
from barestore.hostplan import Exit, HostPlan, applied, exit_code
from barestore.progress import Progress
from barestore.screen import say

_EXPECTED = "{{ barestore_expected[inventory_hostname] }}"


def apply(options: Options, approved: Path | None = None, yes: bool = False) -> Exit:
    """Plan, show and ask, or take an approved plan; then run it on all hosts at once."""
    fleet = ready(options)
    if approved is not None:
        given = planfile.read(approved)
        return _run(options, _chosen(fleet, given, approved), given)
    plans = live(fleet, options)
    changing = {plan.host: plan for plan in plans if plan.status == "changes"}
    if not changing or not options.as_json:
        code = show(options, plans)
    if not changing:
        return code
    if options.screen.live and not options.as_json and not yes and not _agreed(len(changing)):
        say("Nothing was written.")
        return code
    chosen = replace(fleet, hosts=tuple(host for host in fleet.hosts if host.name in changing))
    others = [plan for plan in plans if plan.host not in changing]
    return _run(options, chosen, changing, others)


def _agreed(hosts: int) -> bool:
    what = "this host" if hosts == 1 else f"these {hosts} hosts"
    return typer.confirm(f"Write this to the disks of {what}?")


def _chosen(fleet: Fleet, plans: Mapping[str, HostPlan], path: Path) -> Fleet:
    chosen = tuple(host for host in fleet.hosts if host.name in plans)
    for host in fleet.hosts:
        if host.name not in plans:
            say(f"{host.name}: {path} allows nothing on it, so it is left alone.")
    if not chosen:
        raise Failed(f"{path} allows nothing on the hosts of this inventory; make a plan with 'barestore plan --out'.")
    return replace(fleet, hosts=chosen)


def _run(options: Options, fleet: Fleet, plans: Mapping[str, HostPlan], others: Sequence[HostPlan] = ()) -> Exit:
    task = module("host_storage", expected_digest=_EXPECTED)
    call = fleet.call(task, check=False, barestore_expected={name: plan.digest for name, plan in plans.items()})
    answers = _watched(options, call, plans)
    results = [applied(host, answers[host.name]) for host in fleet.hosts]
    everything = [*results, *others]
    statuses = Counter(one.status for one in everything)
    if options.as_json:
        json_of(everything, statuses)
    else:
        for part in render.results(results, options.screen.width):
            options.screen.show(part)
    return exit_code(statuses)


def _watched(options: Options, call: Call, plans: Mapping[str, HostPlan]) -> dict[str, Answer]:
    """Wait for all hosts. The first Ctrl-C asks them to stop between actions; the second leaves them alone."""
    with _polite_kills(), Progress(options.screen, call, plans) as progress:
        call.start()
        while True:
            try:
                return call.wait(progress.tick)
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
