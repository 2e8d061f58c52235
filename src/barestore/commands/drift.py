# SPDX-License-Identifier: GPL-3.0-or-later
"""``barestore drift``: what is not as its document says, hosts and clusters, for people, programs and Prometheus."""

from __future__ import annotations

from pathlib import Path

from barestore import prometheus
from barestore.commands.common import ready
from barestore.commands.plan import Outputs, Sources, head_of, show
from barestore.hostplan import Exit, HostPlan
from barestore.markdown import code as code_of
from barestore.options import Options
from barestore.shape import Grouping


def drift(options: Options, sources: Sources, outputs: Outputs, metrics: Path | None = None) -> Exit:
    """Plan for all hosts and clusters; what a plan would change has drifted. Nothing is written anywhere."""
    outputs.check(options)
    fleet = ready(options)
    head = head_of(fleet, sources.observed is not None)
    site, samples = Grouping(), prometheus.Samples()

    def count(plan: HostPlan) -> None:
        if outputs.markdown is not None:
            site.add(plan)
        samples.add(plan)

    code = show(options, sources.plans(fleet, options), head, [count], outputs.to_screen)
    outputs.comment(site, _title(site), [f"Inventory {code_of(head.inventory)}, {head.made}"], "drift")
    if metrics is not None:
        prometheus.write(metrics, samples, head.inventory)
    return code


def _title(site: Grouping) -> str:
    tally = site.tally
    said = tally.words(lambda status: status != "nothing")
    if not said:
        clusters = " and cluster" if tally.of["cluster"] else ""
        return f"barestore: every host{clusters} is as its document says"
    alone = sum(number for found in tally.of.values() for status, number in found.items() if status != "nothing") == 1
    return f"barestore: {said} {'is' if alone else 'are'} not as documented, or not known to be"
