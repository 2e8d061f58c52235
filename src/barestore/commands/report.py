# SPDX-License-Identifier: GPL-3.0-or-later
"""``barestore report``: the site as one HTML file, from the hosts, from recordings, or from a plan file."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible_collections.barestore.storage.plugins.module_utils.host import planner
from ansible_collections.barestore.storage.plugins.module_utils.host.disk_facts import disk_facts
from ansible_collections.barestore.storage.plugins.module_utils.host.observation import Observation
from ansible_collections.barestore.storage.plugins.module_utils.host.state import Site
from ansible_collections.barestore.storage.plugins.module_utils.plan.digest import digest
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import StorageError
from barestore.clusters import Cluster
from barestore.commands import offline_clusters
from barestore.commands.common import Fleet, ask, ready
from barestore.commands.offline import DAMAGED, damaged, recording, whole
from barestore.errors import Failed
from barestore.fleet import Answer
from barestore.hostplan import Exit, HostPlan
from barestore.hostplan import planned as answered
from barestore.hostplan import report as told
from barestore.hosts import Host
from barestore.lines import ClusterView, cluster_view
from barestore.options import Options
from barestore.report import page
from barestore.report import runs as past
from barestore.report.data import Facts, HostView, view
from barestore.report.facts import facts
from barestore.screen import say

_WRONG = ("error", "unreachable")


def report(
    options: Options,
    out: Path,
    observed: Path | None = None,
    plan: Path | None = None,
    runs: Sequence[Path] = (),
) -> Exit:
    """Write the page, and say where it is. A host or cluster that cannot be read is on the page, with the reason."""
    if plan is not None and observed is not None:
        raise Failed("A plan file holds its own disks: give --plan or --observed, and not both.")
    taken = past.read(runs)
    statuses: Counter[str] = Counter()
    of_clusters: Counter[str] = Counter()
    disks = 0

    def counted(views: Iterator[HostView]) -> Iterator[HostView]:
        nonlocal disks
        for one in views:
            statuses[one.status] += 1
            disks += len(one.disks)
            yield one

    def seen(views: Iterator[ClusterView]) -> Iterator[ClusterView]:
        for one in views:
            of_clusters[one.plan.status] += 1
            yield one

    site, views, clusters = _of_file(plan) if plan is not None else _of_site(options, observed)
    made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    text = page.html(site, made, counted(views), taken, seen(clusters))
    page.write(out, text)
    code = Exit.ERROR if any(statuses[each] or of_clusters[each] for each in _WRONG) else Exit.DONE
    if options.as_json:
        sums = {"disks": disks, "runs": len(taken), "bytes": len(text.encode()), "clusters": dict(of_clusters)}
        options.emit({"report": str(out), "hosts": dict(statuses), **sums, "exit": int(code)})
    else:
        hosts = statuses.total()
        said = f"{hosts} {'host' if hosts == 1 else 'hosts'} and {disks} {'disk' if disks == 1 else 'disks'}"
        say(f"The report of {said} is in {out}; open it in a browser.")
    return code


def _of_site(options: Options, observed: Path | None) -> tuple[str, Iterator[HostView], Iterator[ClusterView]]:
    fleet = ready(options, all_hosts=True)
    site = next((host.site for host in fleet.hosts if host.site), "")
    if observed is not None:
        clusters = offline_clusters.plans(fleet.clusters, observed) if fleet.clusters else ()
        return site, _recorded(fleet, observed), (cluster_view(plan) for _cluster, plan in clusters)
    answers = ask(fleet, "host_storage_info", "ceph_osds_info", options, "Looking at the site")
    return site, _live(fleet, answers), (cluster_view(_cluster(one, answers[one.key])) for one in fleet.clusters)


def _recorded(fleet: Fleet, folder: Path) -> Iterator[HostView]:
    """Planned when it is asked for, so that a thousand hosts need no room together.

    :raises Failed: there is no such folder.
    """
    if not folder.is_dir():
        raise Failed(f"There is no folder {folder}; record the hosts with 'barestore observe --save {folder}'.")
    # What nobody wants storage on need not be recorded.
    hosts = [host for host in fleet.hosts if host.document is not None or (folder / f"{host.name}.json").exists()]
    return (_read(host, folder) for host in hosts)


def planned(host: Host, folder: Path) -> tuple[HostPlan, Facts]:
    """The plan of a recorded host, and what else its recording tells.

    :raises Failed: there is no recording, or it does not answer what the document asks.
    """
    observation = recording(folder, host.name)
    found = _planned(host, observation)
    whole(observation, folder)
    return found


def _read(host: Host, folder: Path) -> HostView:
    try:
        return view(*planned(host, folder))
    except Failed as error:
        return _failed(host, str(error))
    except StorageError as error:
        return _failed(host, error.sentence())
    except DAMAGED as error:
        return _failed(host, damaged(folder, host.name, error))


def _live(fleet: Fleet, answers: Mapping[str, Answer]) -> Iterator[HostView]:
    """Each host is read once; its plan is made here, by the planner that it would run itself."""
    for host in fleet.hosts:
        answer = answers[host.name]
        if answer.how != "ok":
            yield _failed(host, answer.complaint(), "unreachable" if answer.how == "unreachable" else "error")
            continue
        seen = answer.result["observation"]
        try:
            observation = Observation(seen["answers"], host=host.name, taken=str(seen.get("taken", "")))
            yield view(*_planned(host, observation))
        except StorageError as error:
            yield _failed(host, error.sentence())


def _cluster(cluster: Cluster, answer: Answer) -> HostPlan:
    """The plan of a cluster that was read now; or why there is none."""
    if answer.how != "ok":
        return answered(cluster, answer)
    try:
        return offline_clusters.planned(cluster, answer.result["observation"])
    except StorageError as error:
        return told(cluster, {}, "error", error.sentence())


def _planned(host: Host, observation: Observation) -> tuple[HostPlan, Facts]:
    document = host.document or {}
    for probe in planner.probes(document):
        observation.ask(probe)
    made = planner.plan(document, observation, Site(host.site, host.name, host.consent))
    status = "refused" if made.refusals else "changes" if made.actions else "nothing"
    plan = HostPlan(
        host.name,
        host.rack,
        status if host.document is not None else "unasked",
        digest(made),
        [action.as_json() for action in made.actions],
        [refusal.sentence() for refusal in made.refusals],
        made.notes,
        disk_facts(observation),
    )
    return plan, facts(document, observation)


def _failed(host: Host, message: str, status: str = "error") -> HostView:
    return view(HostPlan(host.name, host.rack, status, message=message))


def _of_file(path: Path) -> tuple[str, Iterator[HostView], Iterator[ClusterView]]:
    """Of a plan file, or of what a command printed with ``--json``: both have hosts with disks and actions.

    :raises Failed: the file cannot be read, or holds something else.
    """
    again = f"make one with 'barestore plan --out {path}'"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Failed(f"The plan {path} cannot be read: {error.strerror}; {again}.") from error
    except ValueError as error:
        raise Failed(f"{path} is no plan: it is not JSON ({error}); {again}.") from error
    hosts = found.get("hosts") if isinstance(found, Mapping) else None
    clusters = found.get("clusters", {}) if isinstance(found, Mapping) else None
    if not isinstance(hosts, Mapping) or not isinstance(clusters, Mapping):
        raise Failed(f"{path} is no plan of this release; {again}.")
    taken = str(found.get("made", ""))
    views = []
    for name, one in hosts.items():
        try:
            plan = _host_plan(str(name), one)
            views.append(view(plan, Facts(str(one.get("taken", taken)))))
        except DAMAGED as error:
            raise Failed(f"{path} is damaged where it speaks of host {name}; {again}.") from error
    of_clusters = []
    for name, one in clusters.items():
        try:
            plan = replace(_host_plan(str(name), one), kind="cluster", observed=str(one.get("observed", "")))
            of_clusters.append(cluster_view(plan))
        except DAMAGED as error:
            raise Failed(f"{path} is damaged where it speaks of cluster {name}; {again}.") from error
    ordered = sorted(views, key=lambda one: (one.rack, one.name))
    return str(found.get("site", "")), iter(ordered), iter(of_clusters)


def _host_plan(name: str, one: Mapping[str, Any]) -> HostPlan:
    plan = HostPlan(name, str(one.get("rack", "")), str(one["status"]), str(one.get("digest", "")))
    return replace(
        plan,
        actions=tuple(one.get("actions", ())),
        refusals=tuple(map(str, one.get("refusals", ()))),
        notes=tuple(map(str, one.get("notes", ()))),
        disks=tuple(one.get("disks", ())),
        message=str(one.get("message", "")),
    )
