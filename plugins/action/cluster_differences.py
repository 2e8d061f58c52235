# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plans the objects of the site on the controller, and has a control plane compare them with what is there."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..module_utils.cluster.differences import Part, Seen, without_a_look
from ..plugin_utils.cluster_site import site_facts
from ..plugin_utils.planned_objects import SharedDisk, parts


class ActionModule(ActionBase):  # type: ignore[misc]
    """Run once; two launches of the module on the control plane, none for a site without a Kubernetes."""

    BYPASS_HOST_LOOP = True
    _supports_check_mode = True
    _VALID_ARGS = frozenset({"kubeconfig"})

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The parts that differ, in the order in which their roles run."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        site = site_facts(variables, self._loader)
        result.update(changed=False, parts=[])
        if "kubernetes" not in site.sections:
            return result
        told = self._launch({}, variables)
        if told.get("failed"):
            return {**result, **told}
        there = Seen.of(told)
        try:
            over = self._templar.template(variables.get("rook_values", {}))
            wanted = list(parts(site, there, variables["hostvars"], over))
        except SharedDisk as error:
            raise AnsibleActionFail(str(error)) from error
        reasons = without_a_look(wanted, there)
        open_ones = [(part, one) for part in wanted if part.key not in reasons for one in part.objects]
        if open_ones:
            told = self._launch({"objects": [one for _part, one in open_ones]}, variables)
            if told.get("failed"):
                return {**result, **told}
            for place in told["different"]:
                part, one = open_ones[place]
                reasons.setdefault(part.key, f"{one['kind']} {one['metadata']['name']} differs")
        result["parts"] = [self._words(part, reasons[part.key]) for part in wanted if part.key in reasons]
        return result

    def _launch(self, words: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        arguments = {**self._task.args, **words}
        told: dict[str, Any] = self._execute_module(module_args=arguments, task_vars=variables)
        return told

    @staticmethod
    def _words(part: Part, why: str) -> dict[str, str]:
        return {"role": part.role, "cluster": part.cluster, "why": why}
