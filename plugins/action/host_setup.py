# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Installs what the module finds missing, so that a host that lacks nothing costs one launch."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):  # type: ignore[misc]
    """Look, install by apt where something is missing, and look again."""

    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The result of the module; with packages that were installed, it has changed something."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        result.update(self._execute_module(task_vars=task_vars))
        missing = result.get("packages")
        if not missing or result.get("failed") or self._task.check_mode:
            return result
        # Lists are read first: a mirror may be new to the host.
        words = {"name": missing, "state": "present", "update_cache": True}
        installed = self._execute_module("ansible.builtin.apt", words, task_vars=task_vars)
        if installed.get("failed"):
            return {**result, **installed, "changed": bool(installed.get("changed"))}
        again = {**result, **self._execute_module(task_vars=task_vars), "changed": True}
        if again["packages"] and not again.get("failed"):
            lacking = ", ".join(again["packages"])
            again.update(
                failed=True, msg=f"apt says that it installed {lacking}, and dpkg does not have it; see 'dpkg -l'."
            )
        return {**again, "packages": missing}
