# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the actions of ``host_storage`` and ``host_storage_info`` share: check first, travel then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils.host.normal_form import plain_values
from .fragments import plain
from .host_document import host_document
from .validation import Finding, NoSource, validate, validate_consent
from .variable_files import HostFiles


def files_of(task_vars: Mapping[str, Any], loader: Any) -> HostFiles:
    """The files of the host that a task runs for."""
    groups = [str(name) for name in task_vars.get("group_names", [])]
    sources = [str(source) for source in task_vars.get("ansible_inventory_sources") or []]
    host = str(task_vars.get("inventory_hostname", ""))
    return HostFiles.find(loader, host, ["all", *groups], sources, task_vars.get("playbook_dir"))


def findings_of(document: object, task_vars: Mapping[str, Any], loader: Any, template: Any) -> tuple[Finding, ...]:
    """What is wrong with ``document``, with places when it is the document of the host's variables."""
    given = plain(document)
    if not isinstance(given, Mapping):
        return tuple(validate(given, NoSource("document")))
    known = host_document(task_vars, template, files_of(task_vars, loader))
    if known.document is not None and known.document == plain_values(given):
        return known.findings
    return tuple(validate(given, NoSource("document")))


class CheckedAction(ActionBase):  # type: ignore[misc]
    """Run the module of the same name only for a document without mistakes."""

    _supports_check_mode = True
    _supports_async = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Validate ``document`` here, then run the module there."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        findings: tuple[Finding, ...] = ()
        if "document" in self._task.args:
            document = self._task.args["document"]
            findings = findings_of(document, variables, self._loader, self._templar.template)
        if "consent" in self._task.args:
            consent = plain(self._task.args["consent"])
            findings += tuple(validate_consent(consent, NoSource("consent"))) if consent else ()
        if findings:
            sentences = list(dict.fromkeys(finding.sentence() for finding in findings))
            return {
                **result,
                "failed": True,
                "changed": False,
                "msg": "\n".join(sentences),
                "findings": sentences,
            }
        result.update(self._execute_module(task_vars=task_vars, wrap_async=self._task.async_val))
        return result
