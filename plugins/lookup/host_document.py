# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The merged storage document of a host."""

from __future__ import annotations

DOCUMENTATION = r"""
name: host_document
author: The barestore founders (@barestore)
version_added: 0.1.0
short_description: The merged storage document of the current host
description:
  - Merges V(host_storage) and every V(host_storage__WORD) of the current host's variables into one document.
  - Ansible replaces dictionaries instead of merging them, so that a host in two groups would lose what one of
    them asks for. Fragments have names of their own and are merged at every level.
  - A key that two fragments set is an error that names both, even when the values are equal.
  - The booleans that YAML makes of V(on) and V(off) become V(on) and V(off) again in ZFS properties.
  - The document is not validated here. The module does that before anything travels to the host.
options:
  _terms:
    description: This lookup takes no terms.
    required: false
notes:
  - Only variables of the current host are read. No file and no host is touched.
seealso:
  - module: barestore.storage.host_storage
"""

EXAMPLES = r"""
- name: Make the storage of this host what its variables ask for
  barestore.storage.host_storage:
    document: "{{ lookup('barestore.storage.host_document') }}"

- name: Show the merged document
  ansible.builtin.debug:
    var: lookup('barestore.storage.host_document')
"""

RETURN = r"""
_raw:
  description:
    - The merged document. It is empty when the host has no V(host_storage) variable.
  type: list
  elements: dict
  sample:
    - disks:
        pool: {match: {rotational: true}, count: 6}
      zfs:
        tank:
          data: {mirror: [pool], width: 2}
"""

from collections.abc import Mapping  # noqa: E402
from typing import Any  # noqa: E402

from ansible.errors import AnsibleLookupError  # noqa: E402
from ansible.plugins.lookup import LookupBase  # noqa: E402

from ..module_utils.host.normal_form import plain_values  # noqa: E402
from ..plugin_utils.host_document import merged_document  # noqa: E402


class LookupModule(LookupBase):  # type: ignore[misc]
    """Merge the fragments of the current host."""

    def run(
        self, terms: list[Any], variables: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> list[dict[str, object]]:
        if terms:
            raise AnsibleLookupError("barestore.storage.host_document takes no terms; it reads the host's variables")
        self.set_options(var_options=variables, direct=kwargs)
        merged, fragments = merged_document(variables or {}, self._templar.template)
        for name, value in fragments.items():
            if not isinstance(value, Mapping):
                raise AnsibleLookupError(f"{name} is no mapping; write the sections below it, such as disks: and lvm:")
        if merged.conflicts:
            raise AnsibleLookupError("; ".join(conflict.sentence() for conflict in merged.conflicts))
        return [plain_values(merged.document)]
