# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites for tests: the documents of clusters as a file has them, and hosts told in few words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sources import OneFile

from ansible_collections.barestore.storage.plugins.module_utils.cluster.document import HostFacts, SiteFacts
from ansible_collections.barestore.storage.plugins.plugin_utils.cluster_document import (
    ClusterDocument,
    SiteMember,
    site_findings,
    validate_section,
    with_defaults,
)
from ansible_collections.barestore.storage.plugins.plugin_utils.located_yaml import LocatedYaml
from ansible_collections.barestore.storage.plugins.plugin_utils.validation import Finding, validate

SECTIONS = ("ceph", "kubernetes", "sources", "topolvm")


def hosts_of(told: Mapping[str, Any]) -> tuple[HostFacts, ...]:
    """``racks`` with ``each`` hosts, of which the first ``control_planes`` ones by rack; or a list of ``hosts``."""
    found: list[HostFacts] = []
    for index in range(told.get("each", 1)):
        for rack in told["racks"]:
            groups = [*told.get("groups", ["kube_node"])]
            if len(found) < told.get("control_planes", 1):
                groups.append("kube_control_plane")
            found.append(HostFacts(f"{rack or 'bare'}-{index + 1}", rack, tuple(groups), told.get("document", {})))
    for name, each in told.get("others", {}).items():
        others = tuple(each.get("groups", ["kube_node"]))
        found.append(HostFacts(name, each.get("rack", ""), others, each.get("document", {})))
    return tuple(found)


def findings_of(site: Mapping[str, Any], yaml: LocatedYaml) -> list[Finding]:
    """What is wrong with the documents by themselves, or else with them and the hosts."""
    sources: dict[str, Any] = {name: OneFile(yaml, (name,), name) for name in SECTIONS if name in site}
    hosts = hosts_of(site["hosts"])
    for host in hosts:
        assert [finding.sentence() for finding in validate(host.document)] == []
    found: list[Finding] = []
    for name, source in sources.items():
        found += validate_section(name, site[name], source)
    if found:
        return found
    cluster = ClusterDocument({name: site[name] for name in sources}, (), sources)
    return site_findings([SiteMember(host, cluster) for host in hosts])


def facts_of(site: Mapping[str, Any]) -> SiteFacts:
    """A site without mistakes, with defaults filled in."""
    sections = {name: with_defaults(name, site[name]) for name in SECTIONS if name in site}
    return SiteFacts(sections, hosts_of(site["hosts"]))
