#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: host_setup
short_description: Brings packages, files and services of a host to what a role wants, with one look
version_added: 0.1.0
author:
  - The barestore founders (@barestore)
description:
  - Compares packages, files and services of a host with what is wanted, in one module launch with one process at most.
  - Packages that are missing are installed by M(ansible.builtin.apt), before a file is written.
  - Files are written whole. A service that reads a file only when it starts is started anew when that file changed,
    if it runs.
  - Debian and Ubuntu only.
options:
  packages:
    description: Packages, as V(name) or V(name=version), where a version may end with V(*).
    type: list
    elements: str
    default: []
  files:
    description: Files. Folders that are missing are made.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Where it lies.
        type: path
        required: true
      content:
        description: Its whole text.
        type: str
        required: true
      mode:
        description: Its permissions, octal.
        type: str
        default: "0644"
      restarts:
        description: The service that is started anew when the file changed.
        type: str
        default: ""
  services:
    description: Services and timers that run now and start with the machine.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - ansible.builtin.action_common_attributes.conn
  - ansible.builtin.action_common_attributes.flow
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  platform:
    platforms: posix
  action:
    support: full
  async:
    support: none
  become:
    support: full
  bypass_host_loop:
    support: none
  connection:
    support: full
  delegation:
    support: full
"""

EXAMPLES = r"""
- name: Run chrony with the site's time servers
  barestore.storage.host_setup:
    packages: [chrony]
    files:
      - path: /etc/chrony/conf.d/site.conf
        content: |
          server time.example.net iburst
        restarts: chrony
    services: [chrony]
"""

RETURN = r"""
packages:
  description: The packages that were missing.
  returned: always
  type: list
  elements: str
files:
  description: The files that were written, or would be in check mode.
  returned: always
  type: list
  elements: str
services:
  description: The services that were started, or started anew.
  returned: always
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.barestore.storage.plugins.module_utils.node import setup
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import StorageError
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner

ARGUMENTS = {
    "packages": {"type": "list", "elements": "str", "default": []},
    "files": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "path": {"type": "path", "required": True},
            "content": {"type": "str", "required": True},
            "mode": {"type": "str", "default": "0644"},
            "restarts": {"type": "str", "default": ""},
        },
    },
    "services": {"type": "list", "elements": "str", "default": []},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    given, runner = module.params, Runner()
    files = [setup.File(one["path"], one["content"], int(one["mode"], 8), one["restarts"]) for one in given["files"]]
    try:
        found = setup.differences(given["packages"], files, given["services"], runner)
        # What lacks packages is installed first: the action runs this module again.
        if not found.packages and not module.check_mode:
            setup.apply(found, runner)
    except (StorageError, OSError) as error:
        module.fail_json(msg=error.sentence() if isinstance(error, StorageError) else f"{error}.")
    module.exit_json(
        changed=bool(found),
        packages=list(found.packages),
        files=[one.path for one in found.files],
        services=[*found.starts, *found.restarts],
        diff=[
            {"before_header": one.path, "after_header": one.path, "before": before, "after": one.content}
            for one, before in found.files.items()
        ],
    )


if __name__ == "__main__":
    main()
