# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the modules of a cluster share: arguments in, a report out. The only file here that knows AnsibleModule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..plan.errors import Absent, StorageError
from .questions import ARGUMENTS_OF_KUBECTL
from .run import Job, Report
from .wanted import PROFILES, Wanted

ARGUMENTS: dict[str, dict[str, Any]] = {
    "cluster": {"type": "str", "required": True},
    "device_sets": {"type": "dict", "default": {}},
    "failure_domain": {"type": "str", "choices": ["osd", "host", "rack"], "default": "host"},
    "pace": {"type": "str", "choices": list(PROFILES), "default": "normal"},
    "margin": {"type": "float", "default": 0.05},
    "accept_health": {"type": "list", "elements": "str", "default": []},
    "windows": {"type": "list", "elements": "str", "default": []},
    "replace": {"type": "list", "elements": "str", "default": []},
    "patience": {"type": "int", "default": 600},
    **ARGUMENTS_OF_KUBECTL,
    "operator_namespace": {"type": "str", "default": "rook-ceph"},
}


def job(params: Mapping[str, Any], check: bool) -> Job:
    """The job of a module's parameters.

    :raises SpecError: as Wanted does.
    """
    return Job(Wanted.of(params), check, params.get("expected_digest") or "")


def finish(module: AnsibleModule, report: Report) -> None:
    """End the module with a report: a refusal or a failed action is a failure with its sentence."""
    answer = report.answer()
    if "msg" in answer:
        module.fail_json(**answer)
    module.exit_json(**answer)


def failed(module: AnsibleModule, error: StorageError) -> None:
    """End the module without a report; ``absent`` says that there is no cluster yet."""
    module.fail_json(msg=error.sentence(), absent=isinstance(error, Absent))
