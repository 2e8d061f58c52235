# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A merged document of the site."""

from __future__ import annotations

DOCUMENTATION = r"""
name: cluster_document
author: The barestore founders (@barestore)
version_added: 0.1.0
short_description: A merged document of the site, with defaults filled in
description:
  - Merges a variable of the site, such as V(ceph), and every fragment of it, such as V(ceph__hdd), into one document.
  - A key that two fragments set is an error that names both, even when the values are equal.
  - Keys that are left out and have a default in the schema have it in the result.
  - The document is checked by its schema and by itself. Whether the hosts can give what it asks for is checked by
    M(barestore.storage.validate_site).
options:
  _terms:
    description: One or more of V(ceph), V(kubernetes), V(sources) and V(topolvm).
    required: true
notes:
  - Only variables of the current host are read. No host is touched.
seealso:
  - plugin: barestore.storage.host_document
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Show the version of Kubernetes that the site wants
  ansible.builtin.debug:
    msg: "{{ lookup('barestore.storage.cluster_document', 'kubernetes').version }}"
"""

RETURN = r"""
_raw:
  description:
    - The merged document of each term. It is empty when the host has no such variable.
  type: list
  elements: dict
  sample:
    - version: 1.34.4
      api: {host: api.example.net, port: 6443}
      pod_cidr: 10.244.0.0/16
"""

from collections.abc import Mapping  # noqa: E402
from typing import Any  # noqa: E402

from ansible.errors import AnsibleLookupError  # noqa: E402
from ansible.plugins.lookup import LookupBase  # noqa: E402

from ..module_utils.host.problems import did_you_mean  # noqa: E402
from ..plugin_utils.checked_action import files_of  # noqa: E402
from ..plugin_utils.cluster_document import cluster_document, with_defaults  # noqa: E402
from ..plugin_utils.fragments import CLUSTER_VARIABLES  # noqa: E402


class LookupModule(LookupBase):  # type: ignore[misc]
    """Merge and check the fragments of the current host."""

    def run(
        self, terms: list[Any], variables: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> list[dict[str, object]]:
        self.set_options(var_options=variables, direct=kwargs)
        for term in terms:
            if term not in CLUSTER_VARIABLES:
                raise AnsibleLookupError(f"'{term}' is no document of a site; {did_you_mean(term, CLUSTER_VARIABLES)}")
        known = variables or {}
        read = cluster_document(known, self._templar.template, files_of(known, self._loader), terms)
        sentences = dict.fromkeys(finding.sentence() for finding in read.findings)
        if sentences:
            raise AnsibleLookupError("\n".join(sentences))
        return [with_defaults(term, read.sections[term]) if term in read.sections else {} for term in terms]
