# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checks the documents of all hosts on the controller."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..module_utils.cluster.objects import site as _objects  # noqa: F401  for the workers of later tasks, as in schema.py
from ..plugin_utils.cluster_document import site_findings
from ..plugin_utils.cluster_site import read_members


class ActionModule(ActionBase):  # type: ignore[misc]
    """Run once for all hosts, and contact none."""

    BYPASS_HOST_LOOP = True
    _requires_connection = False
    _supports_check_mode = True
    _VALID_ARGS = frozenset({"scope"})

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Every mistake of every host at once."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        scope = self._task.args.get("scope", "play")
        if scope not in ("play", "inventory"):
            raise AnsibleActionFail(f"scope is '{scope}'; write play or inventory")
        everyone = variables.get("groups", {}).get("all", [])
        hosts = [str(host) for host in (variables["ansible_play_hosts_all"] if scope == "play" else everyone)]
        everyone = [str(host) for host in everyone]
        members = read_members(hosts, variables["hostvars"], self._loader)
        findings = [finding for member in members for finding in (*member.findings, *member.cluster.findings)]
        if any(member.cluster.sections for member in members):
            # What clusters ask for is asked of all hosts, whichever this play is for.
            others = read_members([host for host in everyone if host not in hosts], variables["hostvars"], self._loader)
            findings += site_findings([*members, *others])
        sentences = list(dict.fromkeys(finding.sentence() for finding in findings))
        result.update(changed=False, hosts=hosts, findings=sentences)
        if sentences:
            result.update(failed=True, msg="\n".join(sentences))
        return result
