# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the modules of a host share: arguments in, a report out. The only file that knows AnsibleModule."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule

from .run import Job
from .state import Site

if TYPE_CHECKING:
    from .work import Report

ARGUMENTS: dict[str, dict[str, Any]] = {
    "document": {"type": "dict", "required": True},
    "site": {"type": "str", "default": ""},
    "host": {"type": "str", "default": ""},
    "consent": {"type": "dict", "default": {}},
}


def job(params: Mapping[str, Any], check: bool) -> Job:
    """The job of a module's parameters."""
    site = Site(params["site"], params["host"] or platform.node(), params["consent"] or {})
    return Job(params["document"], site, check, params.get("expected_digest") or "")


def finish(module: AnsibleModule, report: Report) -> None:
    """End the module with a report: a refusal or a failed action is a failure with its sentence."""
    if report.missing_packages and module.params.get("missing_tools") == "report":
        result = report.as_json()
        module.exit_json(**{**result, "refusals": [], "notes": result["refusals"]})
    answer = report.answer()
    if "msg" in answer:
        module.fail_json(**answer)
    module.exit_json(**answer)
