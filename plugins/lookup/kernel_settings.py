# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kernel settings for the load that a host's document plans."""

from __future__ import annotations

DOCUMENTATION = r"""
name: kernel_settings
author: The barestore founders (@barestore)
version_added: 0.1.0
short_description: Kernel settings for the load that a host's document plans
description:
  - Computes sysctl settings from the number of OSDs that a host's document makes room for, and the number of its pods.
options:
  _terms:
    description: The document of the host, usually from P(barestore.storage.host_document#lookup).
    required: true
  pods:
    description: How many pods the host may run.
    type: int
    default: 110
  own:
    description: Settings of the site's own, which win over the computed ones.
    type: dict
    default: {}
  leave:
    description: Settings that are not touched.
    type: list
    elements: str
    default: []
seealso:
  - module: barestore.storage.kernel_settings
"""

EXAMPLES = r"""
- name: Show what would be set
  ansible.builtin.debug:
    msg: "{{ lookup('barestore.storage.kernel_settings', lookup('barestore.storage.host_document'), pods=250) }}"
"""

RETURN = r"""
_raw:
  description: The settings, each with key, value and reason.
  type: list
  elements: dict
"""

from collections.abc import Mapping  # noqa: E402
from typing import Any  # noqa: E402

from ansible.plugins.lookup import LookupBase  # noqa: E402

from ..module_utils.node.tuning import planned_osds, settings  # noqa: E402


class LookupModule(LookupBase):  # type: ignore[misc]
    """Compute the settings of one host."""

    def run(
        self, terms: list[Mapping[str, Any]], variables: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> list[list[dict[str, str]]]:
        """One list for each document."""
        self.set_options(var_options=variables, direct=kwargs)
        pods, own, leave = (self.get_option(name) for name in ("pods", "own", "leave"))
        return [[one._asdict() for one in settings(planned_osds(term), pods, own, leave)] for term in terms]
