# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the modules that call kubectl say of how they reach the API server."""

from __future__ import annotations


class ModuleDocFragment:
    """Ansible looks for a class of this name."""

    DOCUMENTATION = r"""
options:
  kubeconfig:
    description: Credentials for C(kubectl) on the host that runs this.
    type: path
    default: /etc/kubernetes/admin.conf
requirements:
  - kubectl on the host
"""
