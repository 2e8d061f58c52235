# SPDX-License-Identifier: GPL-3.0-or-later
"""An inventory, read as Ansible reads it: the storage document of each host and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .collection import prepare

if TYPE_CHECKING:
    from ansible_collections.barestore.storage.plugins.plugin_utils.cluster_document import ClusterDocument
    from ansible_collections.barestore.storage.plugins.plugin_utils.validation import Finding
    from ansible_collections.barestore.storage.plugins.plugin_utils.variable_files import HostSource

_IGNORED = ("~", ".bak", ".orig", ".swp", ".md", ".txt")


class SiteError(RuntimeError):
    """An inventory that cannot be read at all; the text is a sentence."""


@dataclass(frozen=True)
class SiteHost:
    """One host; ``document`` is None when none of its variables is a storage document.

    ``site`` is the name that planned UUIDs are made of: what the role passes to the module.
    """

    name: str
    rack: str | None
    groups: tuple[str, ...]
    document: Mapping[str, object] | None
    consent: Mapping[str, object]
    findings: tuple[Finding, ...]
    places: HostSource | None = None
    site: str = ""
    cluster: ClusterDocument | None = None


@dataclass(frozen=True)
class Site:
    """The hosts that are looked at, and what is wrong with the inventory's files as a whole.

    ``everyone`` are all its hosts where it has clusters, whatever the limit: what clusters ask for is asked of all.
    """

    inventory: Path
    hosts: tuple[SiteHost, ...] = ()
    findings: tuple[Finding, ...] = field(default=())
    everyone: tuple[SiteHost, ...] = ()

    def all_findings(self) -> dict[Finding, tuple[str, ...]]:
        """Each finding once, with the hosts that share it, in the order of files and lines."""
        shared: dict[Finding, list[str]] = {finding: [] for finding in self.findings}
        for host in self.hosts:
            for finding in (*host.findings, *(host.cluster.findings if host.cluster else ())):
                shared.setdefault(finding, []).append(host.name)
        ordered = sorted(shared, key=_order)
        return {finding: tuple(dict.fromkeys(shared[finding])) for finding in ordered}


def _order(finding: Finding) -> tuple[str, int, int]:
    place = finding.place
    return (place.file, place.line, place.column) if place else ("", 0, 0)


def load_site(inventory: Path, limit: str | None = None) -> Site:
    """Read an inventory and validate the documents of its hosts. No host is contacted.

    :raises SiteError: there is no inventory, Ansible cannot read it, or ``limit`` matches no host.
    """
    prepare()
    if not inventory.exists():
        raise SiteError(f"there is no inventory {inventory}; name a file or a directory")
    broken = tuple(_syntax(inventory))
    if broken:
        return Site(inventory, (), broken)
    from ansible.errors import AnsibleError
    from ansible.inventory.manager import InventoryManager
    from ansible.parsing.dataloader import DataLoader
    from ansible.vars.manager import VariableManager

    try:
        loader = DataLoader()
        sources = [str(inventory.absolute())]  # Ansible remembers what it found by path
        manager = InventoryManager(loader=loader, sources=sources)
        variables = VariableManager(loader=loader, inventory=manager)
        if limit:
            manager.subset(limit)
        hosts = manager.get_hosts()
        if not hosts:
            raise SiteError(f"no host of inventory {inventory} matches '{limit}'" if limit else _empty(inventory))
        read = tuple(_host(host, variables, loader, sources) for host in hosts)
        everyone = read
        if limit and any(host.cluster and host.cluster.sections for host in read):
            # What clusters ask for is asked of all hosts, whichever are looked at.
            manager.subset(None)
            known = {host.name: host for host in read}
            names = manager.get_hosts()
            everyone = tuple(known.get(str(host.name)) or _host(host, variables, loader, sources) for host in names)
        findings = (*_orphans(inventory, manager), *_empty_racks(inventory, manager), *_of_clusters(everyone))
        return Site(inventory, read, findings, everyone)
    except AnsibleError as error:
        raise SiteError(f"inventory {inventory} cannot be read: {' '.join(str(error).split())}") from error


def _empty(inventory: Path) -> str:
    return f"inventory {inventory} has no host; add a hosts.yml with hosts, or name another inventory"


def _host(host: Any, variables: Any, loader: Any, sources: list[str]) -> SiteHost:
    from ansible.inventory.helpers import sort_groups
    from ansible.template import Templar

    from ansible_collections.barestore.storage.plugins.plugin_utils.cluster_document import cluster_document
    from ansible_collections.barestore.storage.plugins.plugin_utils.host_document import host_document
    from ansible_collections.barestore.storage.plugins.plugin_utils.variable_files import HostFiles

    known = variables.get_vars(host=host, include_hostvars=False)
    groups = tuple(str(group.name) for group in sort_groups(host.get_groups()))
    files = HostFiles.find(loader, str(host.name), groups, sources)
    template = Templar(loader=loader, variables=known).template
    read = host_document(known, template, files)
    site = str(template(known.get("host_storage_site")) or Path(str(known.get("inventory_dir") or "")).name)
    cluster = cluster_document(known, template, files)
    return SiteHost(
        str(host.name), read.rack, groups, read.document, read.consent, read.findings, read.places, site, cluster
    )


def _of_clusters(hosts: tuple[SiteHost, ...]) -> tuple[Finding, ...]:
    """What the documents of the site ask for that its hosts cannot give."""
    from ansible_collections.barestore.storage.plugins.module_utils.cluster.document import HostFacts
    from ansible_collections.barestore.storage.plugins.plugin_utils.cluster_document import (
        ClusterDocument,
        SiteMember,
        site_findings,
    )

    return tuple(
        site_findings(
            [
                SiteMember(
                    HostFacts(host.name, host.rack or "", host.groups, host.document or {}),
                    host.cluster or ClusterDocument(),
                    host.findings,
                )
                for host in hosts
            ]
        )
    )


def _variable_files(inventory: Path) -> Iterator[tuple[str, str, Path]]:
    """Every file below group_vars and host_vars, with the group or host that it is for."""
    base = inventory if inventory.is_dir() else inventory.parent
    for kind in ("group_vars", "host_vars"):
        for path in sorted((base / kind).rglob("*")):
            hidden = any(part.startswith(".") for part in path.relative_to(base).parts)
            if path.is_file() and not hidden and not path.name.endswith(_IGNORED):
                first = path.relative_to(base / kind).parts[0]
                owner = first if first != path.name else first.removesuffix(path.suffix if path.suffix in _YAML else "")
                yield kind, owner, path


_YAML = (".yml", ".yaml", ".json")


def _syntax(inventory: Path) -> Iterator[Finding]:
    """Files that are no YAML, before Ansible says so in its own words."""
    from ansible_collections.barestore.storage.plugins.plugin_utils.located_yaml import YamlSyntaxError
    from ansible_collections.barestore.storage.plugins.plugin_utils.validation import Finding
    from ansible_collections.barestore.storage.plugins.plugin_utils.variable_files import inventory_files, located

    sources = [path for path in map(Path, inventory_files(str(inventory))) if path.suffix in _YAML]
    for path in [*sources, *(path for _kind, _owner, path in _variable_files(inventory))]:
        found = located(str(path))
        if isinstance(found, YamlSyntaxError):
            yield Finding((), str(found), "", found.place)


def _orphans(inventory: Path, manager: Any) -> Iterator[Finding]:
    """Files with our variables that belong to no group and no host, so that nobody reads them."""
    from ansible_collections.barestore.storage.plugins.module_utils.host.problems import did_you_mean
    from ansible_collections.barestore.storage.plugins.plugin_utils.located_yaml import LocatedYaml, Place
    from ansible_collections.barestore.storage.plugins.plugin_utils.validation import Finding
    from ansible_collections.barestore.storage.plugins.plugin_utils.variable_files import is_ours, located, shown

    groups = [str(name) for name in manager.groups]
    hosts = [str(name) for name in manager.hosts]
    for kind, owner, path in _variable_files(inventory):
        names, what = (groups, "group") if kind == "group_vars" else (hosts, "host")
        found = located(str(path))
        if owner not in names and isinstance(found, LocatedYaml) and any(is_ours(each[0]) for each in found.keys):
            message = f"the inventory has no {what} '{owner}', so nobody reads this file"
            yield Finding((), message, f"rename it; {did_you_mean(owner, names)}", Place(shown(str(path)), 1, 1))


def _empty_racks(inventory: Path, manager: Any) -> Iterator[Finding]:
    """Groups that are a rack and have no host: somebody counts on a failure domain that is not there."""
    from ansible_collections.barestore.storage.plugins.plugin_utils.located_yaml import LocatedYaml
    from ansible_collections.barestore.storage.plugins.plugin_utils.validation import Finding
    from ansible_collections.barestore.storage.plugins.plugin_utils.variable_files import inventory_files, located

    empty = {str(name) for name, group in manager.groups.items() if not group.get_hosts()}
    files = [(owner, path) for kind, owner, path in _variable_files(inventory) if kind == "group_vars"]
    places = []
    for owner, path in files:
        found = located(str(path))
        if owner in empty and isinstance(found, LocatedYaml) and ("rack",) in found.keys:
            places.append((owner, found.key_place(("rack",))))
    for file in inventory_files(str(inventory)):
        found = located(file)
        if not isinstance(found, LocatedYaml):
            continue
        for where in found.ending("rack"):
            if len(where) > 2 and where[-2] == "vars" and where[-3] in empty:
                places.append((str(where[-3]), found.key_place(where)))
    for group, place in places:
        message = f"the group '{group}' gives its hosts a rack and has no host"
        yield Finding(("rack",), message, "put hosts into it, or remove it", place)
