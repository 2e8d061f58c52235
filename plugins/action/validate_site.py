# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checks the documents of all hosts on the controller."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.template import Templar

from ..plugin_utils.checked_action import files_of
from ..plugin_utils.host_document import host_document


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
        sentences: dict[str, None] = {}
        for host in hosts:
            known = variables["hostvars"].raw_get(host)
            template = Templar(loader=self._loader, variables=known).template
            document = host_document(known, template, files_of(known, self._loader))
            sentences.update({finding.sentence(): None for finding in document.findings})
        result.update(changed=False, hosts=hosts, findings=list(sentences))
        if sentences:
            result.update(failed=True, msg="\n".join(sentences))
        return result
