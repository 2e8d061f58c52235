# SPDX-License-Identifier: GPL-3.0-or-later
"""``barestore plan``: what apply would do, from the hosts themselves or from recordings of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.barestore.storage.plugins.module_utils.plan.digest import sha256
from barestore import planfile, render
from barestore.coming import in_order
from barestore.commands import offline, offline_clusters
from barestore.commands.common import Fleet, ask, ready
from barestore.errors import Failed
from barestore.hostplan import Exit, HostPlan, exit_code, planned
from barestore.markdown import LIMIT, code, page
from barestore.options import Options
from barestore.planfile import Head
from barestore.revision import Base, base, revision
from barestore.screen import say
from barestore.shape import Grouping
from barestore.tally import Tally

Sink = Callable[[HostPlan], None]


@dataclass(frozen=True)
class Sources:
    """Where observations come from: a folder of recordings, no older than ``max_age`` seconds, or else the site."""

    observed: Path | None = None
    max_age: float | None = None

    def plans(self, fleet: Fleet, options: Options) -> Iterable[HostPlan]:
        """One plan a host, in the fleet's order, and then one a cluster."""
        if self.observed is None:
            return live(fleet, options)
        recorded = offline_clusters.plans(fleet.clusters, self.observed, self.max_age) if fleet.clusters else ()
        return in_order(offline.plans(fleet, self.observed, self.max_age) if fleet.hosts else (), recorded)


@dataclass(frozen=True)
class Outputs:
    """Where a plan goes besides the screen. ``-`` as Markdown is standard output, instead of the usual text."""

    out: Path | None = None
    markdown: Path | None = None
    limit: int = LIMIT

    def check(self, options: Options) -> None:
        """Say what cannot be before a host is contacted.

        :raises Failed: standard output is asked for twice.
        """
        if options.as_json and self.to_screen:
            raise Failed("Both --json and --markdown - write to standard output; give one of them a file.")

    @property
    def to_screen(self) -> bool:
        return self.markdown is not None and str(self.markdown) == "-"

    def comment(self, site: Grouping, title: str, facts: Sequence[str], mark: str) -> None:
        """Write the Markdown, if somebody wants it.

        :raises Failed: it cannot be written, or nothing of it has room.
        """
        if self.markdown is None:
            return
        try:
            text = page(site, title, facts, self.limit, mark)
        except ValueError as error:
            raise Failed(f"The Markdown has no room: {error}; set a larger --markdown-limit.") from error
        if self.to_screen:
            print(text)
            return
        with planfile.whole_file(self.markdown, "Markdown") as file:
            file.write(f"{text}\n")


def plan(options: Options, sources: Sources, outputs: Outputs, against: str = "") -> Exit:
    """Plan, show, and keep the plan if asked; ``against`` leaves out hosts and clusters that are wanted as there."""
    outputs.check(options)
    fleet = ready(options)
    at = base(fleet.inventory, against, fleet.places) if against else None
    notes = list(_against(at, against, fleet, bool(options.limit))) if at else []
    head = head_of(fleet, sources.observed is not None, at.revision if at else "")
    chosen = replace(fleet, hosts=at.differ(fleet.hosts), clusters=at.differ(fleet.clusters)) if at else fleet
    digests, site = planfile.Digests(), Grouping()

    def count(plan: HostPlan) -> None:
        if outputs.markdown is not None:
            site.add(plan)
        if plan.status == "changes":
            digests.plans[plan.key] = plan.digest

    with planfile.writing(outputs.out, head) as keep:
        ended = show(options, sources.plans(chosen, options), head, [keep, count], outputs.to_screen)
    for note in notes:
        say(note)
    if not options.as_json and not outputs.to_screen and digests.plans and len(chosen.places) > 1:
        options.screen.show(f"digest of this plan: {digests.approved()}")
    facts = [*(code(note) for note in notes), *_facts(head, digests)]
    outputs.comment(site, title(site), facts, f"plan {head.inventory}")
    if outputs.out is not None and not options.as_json:
        say(f"The plan is in {outputs.out}; apply exactly it with 'barestore apply --plan {outputs.out}'.")
    return ended


def head_of(fleet: Fleet, recordings: bool, base_revision: str = "") -> Head:
    """What a plan says of its inventory."""
    wanted = sha256({one.key: one.wanted for one in fleet.places})
    return Head(fleet.inventory.name, wanted, revision(fleet.inventory), base_revision, recordings)


def title(site: Grouping) -> str:
    """The heading of a comment."""
    said = site.tally.words(lambda status: status == "changes")
    return f"barestore: {said} to change" if said else "barestore: nothing to change"


def _facts(head: Head, digests: planfile.Digests) -> Iterator[str]:
    seen = "from recordings" if head.recordings else "from the hosts"
    yield f"Inventory {code(head.inventory)}, planned {seen} at {head.made}"
    if head.revision:
        compared = f", compared with {code(head.base[:12])}" if head.base else ""
        yield f"Revision {code(head.revision[:12])}{compared}"
    if digests.plans:
        yield f"Digest of this plan: {code(digests.approved())}"


def _against(at: Base, name: str, fleet: Fleet, limited: bool) -> Iterator[str]:
    """What a comparison left out, in sentences."""
    yield from at.notes
    parts = (
        (len(fleet.hosts), len(at.differ(fleet.hosts)), "hosts"),
        (len(fleet.clusters), len(at.differ(fleet.clusters)), "clusters"),
    )
    same = " and ".join(f"{number - new} of {number} {what}" for number, new, what in parts if number)
    yield f"{same} are wanted as at {name} ({at.revision[:12]}) and are left out."
    if at.gone and not limited:
        named = ", ".join(at.gone[:5]) + (f" and {len(at.gone) - 5} more" if len(at.gone) > 5 else "")
        yield f"No longer asked for storage, and left as they are: {named}."


def live(fleet: Fleet, options: Options) -> list[HostPlan]:
    """Ask the site: the modules in check mode, on all hosts and for all clusters at once."""
    answers = ask(fleet, "host_storage", "ceph_osds", options, "Planning")
    of_hosts = [planned(host, answers[host.key]) for host in fleet.hosts]
    return list(in_order(of_hosts, [(one, planned(one, answers[one.key])) for one in fleet.clusters]))


def show(
    options: Options,
    plans: Iterable[HostPlan],
    head: Head | None = None,
    sinks: Sequence[Sink] = (),
    quiet: bool = False,
) -> Exit:
    """For a person, or as JSON: one after the other, so that a thousand hosts need no room together."""
    tally = Tally()
    with ExitStack() as stack:
        printed = stack.enter_context(planfile.printing(sys.stdout, head or Head())) if options.as_json else None
        for plan in plans:
            tally.add(plan)
            for sink in sinks:
                sink(plan)
            if printed is not None:
                printed(plan)
            elif not quiet:
                for part in render.one(plan, options.screen.width, options.verbose):
                    options.screen.show(part)
    if tally.number > 1 and not options.as_json and not quiet:
        options.screen.show(render.total(tally))
    return exit_code(tally.statuses)
