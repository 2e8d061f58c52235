# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The site as a play sees it: every host of the inventory with what it gives the clusters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible.errors import AnsibleError
from ansible.template import Templar

from ..module_utils.cluster.document import HostFacts, SiteFacts
from .checked_action import files_of
from .cluster_document import ClusterDocument, SiteMember, cluster_document, site_findings, with_defaults
from .host_document import host_document


def read_members(hosts: Iterable[str], hostvars: Any, loader: Any) -> list[SiteMember]:
    """Hosts by name, with their documents and what is wrong with them; ``hostvars`` are those of a task."""
    members = []
    for host in hosts:
        known = hostvars.raw_get(host)
        template = Templar(loader=loader, variables=known).template
        files = files_of(known, loader)
        read = host_document(known, template, files)
        groups = tuple(str(name) for name in known.get("group_names", []))
        facts = HostFacts(host, read.rack or "", groups, read.document or {})
        members.append(SiteMember(facts, cluster_document(known, template, files), read.findings))
    return members


def site_facts(task_vars: Any, loader: Any) -> SiteFacts:
    """The whole site, with defaults filled in.

    :raises AnsibleError: a document has mistakes; all of them are in the text.
    """
    names = [str(host) for host in task_vars["groups"]["all"]]
    members = read_members(names, task_vars["hostvars"], loader)
    findings = [finding for member in members for finding in (*member.findings, *member.cluster.findings)]
    findings += site_findings(members)
    if findings:
        raise AnsibleError("\n".join(dict.fromkeys(finding.sentence() for finding in findings)))
    sections: dict[str, Any] = {}
    for member in members:
        for name, value in (member.cluster or ClusterDocument()).sections.items():
            sections.setdefault(name, with_defaults(name, value))
    return SiteFacts(sections, tuple(member.facts for member in members))
