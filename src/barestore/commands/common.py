# SPDX-License-Identifier: GPL-3.0-or-later
"""What the subcommands share: the hosts of a run, one task on all of them, and the JSON of an answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from barestore import inventory
from barestore.errors import Failed
from barestore.fleet import Answer, Call
from barestore.hosts import Host, hosts
from barestore.options import Options


@dataclass(frozen=True)
class Fleet:
    """The hosts of a run that ask for storage, and where their inventory is."""

    sources: tuple[str, ...]
    hosts: tuple[Host, ...]
    workers: tuple[str, ...] = ()

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

    :raises Failed: it has mistakes, all of them in the text; or no host asks for storage.
    """
    source = inventory.chosen(options.inventory)
    found = hosts(source, options.limit)
    asking = tuple(host for host in found if all_hosts or host.document is not None)
    if not asking:
        raise Failed(f"No host of {source} has the variable host_storage; write it into group_vars or host_vars.")
    hosts_in_order = tuple(sorted(asking, key=lambda host: (host.rack, host.name)))
    return Fleet((str(source),), hosts_in_order, options.workers)


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


def listen(call: Call, options: Options, what: str) -> dict[str, Answer]:
    """Run a task that only reads; on a terminal with a line that says how far it is."""
    call.start()
    try:
        if not options.screen.live or options.as_json:
            return call.wait()
        start = time.monotonic()
        with options.screen.console.status(what) as status:

            def tick() -> None:
                done = f"{len(call.answers)} of {len(call.hosts)} hosts" if len(call.hosts) > 1 else call.hosts[0]
                status.update(f"{what}: {done}, {time.monotonic() - start:.0f} s")

            return call.wait(tick)
    except KeyboardInterrupt:
        call.leave()
        raise Failed("Interrupted; nothing was written.") from None
