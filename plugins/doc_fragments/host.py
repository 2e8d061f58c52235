# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the modules of a host say of the options that they share: those of ``module_utils/host/main.py``."""

from __future__ import annotations


class ModuleDocFragment:
    """Ansible looks for a class of this name."""

    DOCUMENTATION = r"""
options:
  site:
    description: Name of the site; a part of all planned UUIDs.
    type: str
    default: ''
  host:
    description: Name of the host in the inventory; a part of all planned UUIDs. The host's own name when left out.
    type: str
    default: ''
  consent:
    description:
      - What may be destroyed or done for ever on this host, usually V(host_storage_consent) of the inventory.
      - Each entry is bound to what the plan showed; the refusal that asks for it prints the line to paste.
    type: dict
    default: {}
"""
