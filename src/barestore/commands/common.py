# SPDX-License-Identifier: GPL-3.0-or-later
"""What the subcommands share: the hosts of a run, one task on all of them, and the JSON of an answer."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.barestore.storage.plugins.module_utils.cluster.document import CONTROL_PLANES
from barestore import clusters, inventory
from barestore.clusters import Cluster
from barestore.errors import Failed
from barestore.fleet import Answer, Call
from barestore.hosts import Host, of, without_mistakes
from barestore.options import Options


@dataclass(frozen=True)
class Fleet:
    """The hosts of a run that ask for storage, the Ceph clusters of their site, and where their inventory is."""

    sources: tuple[str, ...]
    hosts: tuple[Host, ...]
    workers: tuple[str, ...] = ()
    clusters: tuple[Cluster, ...] = ()

    @property
    def places(self) -> tuple[Host | Cluster, ...]:
        """All of them: hosts first, since clusters live on what these give."""
        return (*self.hosts, *self.clusters)

    @property
    def inventory(self) -> Path:
        return Path(self.sources[0])

    def named(self, name: str) -> Host:
        return next(host for host in self.hosts if host.name == name)

    def call(self, task: Mapping[str, Any], check: bool, **variables: Any) -> Call:
        """The same task on all hosts, not started yet."""
        names = [host.name for host in self.hosts]
        return Call(self.sources, names, task, variables, check, self.workers)


def ready(options: Options, *, all_hosts: bool = False) -> Fleet:
    """Read and check the whole inventory, before any host is contacted; hosts without a document only if asked for.

    :raises Failed: it has mistakes, all of them in the text; or neither host nor cluster asks for anything.
    """
    source = inventory.chosen(options.inventory)
    site = without_mistakes(source, options.limit)
    asking = tuple(host for host in map(of, site.hosts) if all_hosts or host.document is not None)
    found = clusters.clusters(site)
    if not asking and not found:
        raise Failed(f"No host of {source} has the variable host_storage; write it into group_vars or host_vars.")
    hosts_in_order = tuple(sorted(asking, key=lambda host: (host.rack, host.name)))
    return Fleet((str(source),), hosts_in_order, options.workers, found)


def module(name: str, **arguments: Any) -> dict[str, Any]:
    """The task that the role runs, with the same parameters: so both make the same digests."""
    return {
        f"barestore.storage.{name}": {
            "document": "{{ lookup('barestore.storage.host_document') }}",
            "site": "{{ host_storage_site | default(inventory_dir | basename, true) }}",
            "host": "{{ inventory_hostname }}",
            "consent": "{{ host_storage_consent | default({}) }}",
            **arguments,
        }
    }


def ask(fleet: Fleet, of_host: str, of_cluster: str, options: Options, what: str) -> dict[str, Answer]:
    """What a module that only looks says of each host, and another one of each cluster, all at once; by their keys."""
    calls: list[Call] = [fleet.call(module(of_host), check=True)] if fleet.hosts else []
    asked = [one for one in fleet.clusters if one.control_plane]
    if asked:
        calls.append(clusters.call(fleet.sources, asked, of_cluster, fleet.workers))
    nobody = {one.key: Answer(one.key, "failed", {"msg": _NOBODY}) for one in fleet.clusters if one not in asked}
    return {**listen_to(calls, options, what), **nobody}


_NOBODY = (
    f"No host of the inventory is in the group {CONTROL_PLANES}, so that nobody can be asked of its Ceph clusters; "
    "put the control planes into it."
)


def listen(call: Call, options: Options, what: str) -> dict[str, Answer]:
    """Run a task that only reads; on a terminal with a line that says how far it is."""
    return listen_to([call], options, what)


def listen_to(calls: Sequence[Call], options: Options, what: str) -> dict[str, Answer]:
    """The same for several tasks at once: the answers of all of them."""
    for call in calls:
        call.start()
    try:
        if not options.screen.live or options.as_json:
            return {name: answer for call in calls for name, answer in call.wait().items()}
        start = time.monotonic()
        with options.screen.console.status(what) as status:

            def tick() -> None:
                asked = [host for call in calls for host in call.hosts]
                number = sum(len(call.answers) for call in calls)
                done = f"{number} of {len(asked)} hosts" if len(asked) > 1 else asked[0]
                status.update(f"{what}: {done}, {time.monotonic() - start:.0f} s")

            return {name: answer for call in calls for name, answer in call.wait(tick).items()}
    except KeyboardInterrupt:
        for call in calls:
            call.leave()
        raise Failed("Interrupted; nothing was written.") from None
