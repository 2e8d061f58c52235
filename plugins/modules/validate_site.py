#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: validate_site
short_description: Checks the storage documents of all hosts before any host is contacted
version_added: 0.1.0
author:
  - The barestore founders (@barestore)
description:
  - Merges and checks the V(host_storage) documents, the V(host_storage_consent) and the V(rack) of many hosts at once.
  - Runs on the controller only, once, and contacts no host.
  - Fails with every mistake of every host, one sentence each, with file, line, column and path.
options:
  scope:
    description: Whether to check the hosts of the play, or all hosts of the inventory.
    type: str
    choices: [play, inventory]
    default: play
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - ansible.builtin.action_common_attributes.conn
  - ansible.builtin.action_common_attributes.flow
attributes:
  action:
    support: full
  async:
    support: none
  become:
    support: none
  bypass_host_loop:
    support: full
  connection:
    support: none
  check_mode:
    support: full
  delegation:
    support: none
  diff_mode:
    support: none
  platform:
    platforms: all
requirements:
  - the Python library jsonschema on the controller
seealso:
  - module: barestore.storage.host_storage
  - plugin: barestore.storage.host_document
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Check the documents of all hosts of this play
  barestore.storage.validate_site:

- name: Check the documents of the whole inventory, whatever --limit says
  barestore.storage.validate_site:
    scope: inventory
"""

RETURN = r"""
hosts:
  description: The hosts whose variables were checked.
  returned: always
  type: list
  elements: str
  sample: [ss1, ss2]
findings:
  description: Every mistake as one sentence; hosts that share a mistake share its sentence.
  returned: always
  type: list
  elements: str
  sample:
    - >-
      inventories/lab/group_vars/storage_servers.yml:12:26: host_storage.lvm.fast.physical_volumes[0]: 'log.fats' is no
      partition of disk group 'log'; did you mean 'log.fast'? Known: log.fast, log.slog
"""
