#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: kernel_settings
short_description: Sets kernel settings and keeps them over a boot
version_added: 0.1.0
author:
  - The barestore founders (@barestore)
description:
  - Compares settings below C(/proc/sys) with what is wanted, and writes those that differ.
  - One file keeps them for the next boot.
  - Kernel modules are loaded before, and at each boot, so that the settings that come with them are known.
  - A key that the kernel does not know is an error before a setting is written.
  - No process is started unless modules are new.
options:
  settings:
    description: The settings, usually what the lookup P(barestore.storage.kernel_settings#lookup) returns.
    type: list
    elements: dict
    required: true
    suboptions:
      key:
        description: Name of the setting, such as V(vm.swappiness).
        type: str
        required: true
      value:
        description: Its value.
        type: str
        required: true
      reason:
        description: Why; written beside it.
        type: str
        required: true
  file:
    description: The file that keeps them, below C(/etc/sysctl.d).
    type: path
    required: true
  modules:
    description: Kernel modules to load now, when the file that names them differs, and at each boot.
    type: list
    elements: str
    default: []
  modules_file:
    description: The file that names them, below C(/etc/modules-load.d).
    type: path
    default: /etc/modules-load.d/barestore.conf
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  platform:
    platforms: posix
seealso:
  - plugin: barestore.storage.kernel_settings
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Set the kernel for the planned load
  barestore.storage.kernel_settings:
    settings: "{{ lookup('barestore.storage.kernel_settings', lookup('barestore.storage.host_document'), pods=110) }}"
    file: /etc/sysctl.d/90-barestore.conf
"""

RETURN = r"""
settings:
  description: The settings that differed, as V(before) and V(after).
  returned: always
  type: dict
  sample: {"vm.swappiness": {"before": "60", "after": "10"}}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.barestore.storage.plugins.module_utils.node import kernel
from ansible_collections.barestore.storage.plugins.module_utils.node.tuning import Setting
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import StorageError
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner

ARGUMENTS = {
    "settings": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "key": {"type": "str", "required": True, "no_log": False},
            "value": {"type": "str", "required": True},
            "reason": {"type": "str", "required": True},
        },
    },
    "file": {"type": "path", "required": True},
    "modules": {"type": "list", "elements": "str", "default": []},
    "modules_file": {"type": "path", "default": "/etc/modules-load.d/barestore.conf"},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    wanted = [Setting(**one) for one in module.params["settings"]]
    path, modules, named = module.params["file"], module.params["modules"], module.params["modules_file"]
    try:
        new = bool(modules) and kernel.modules_differ(modules, named)
        if new and not module.check_mode:
            kernel.load(modules, named, Runner())
        found = kernel.differences(wanted)
        changed = new or bool(found) or kernel.file_differs(wanted, path)
        if changed and not module.check_mode:
            kernel.apply(wanted, found, path)
    except StorageError as error:
        module.fail_json(msg=error.sentence())
    before = "".join(f"{key} = {old}\n" for key, (old, _new) in found.items())
    after = "".join(f"{key} = {new}\n" for key, (_old, new) in found.items())
    module.exit_json(
        changed=changed,
        settings={key: {"before": old, "after": new} for key, (old, new) in found.items()},
        diff={"before": before, "after": after},
    )


if __name__ == "__main__":
    main()
