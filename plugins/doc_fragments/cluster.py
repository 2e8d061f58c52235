# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the modules of a cluster say of the options that they share: those of ``module_utils/cluster/main.py``."""

from __future__ import annotations


class ModuleDocFragment:
    """Ansible looks for a class of this name."""

    DOCUMENTATION = r"""
options:
  cluster:
    description: Name of the CephCluster, which is also its namespace.
    type: str
    required: true
  device_sets:
    description:
      - "The wanted count of each device set by its name, such as C({hdd: {count: 18}}); other keys are ignored."
      - Sets that are not named are left as they are. V(0) ends a set.
    type: dict
    default: {}
  failure_domain:
    description: What OSDs of a set are kept balanced over.
    type: str
    choices: [osd, host, rack]
    default: host
  pace:
    description:
      - How much of the disks' work may go to moving data, and how many OSDs are added at once.
      - V(gentle) sets the mClock profile C(high_client_ops) and adds one OSD a step; V(normal) leaves the profile and
        adds one in each failure domain a step; V(fast) sets C(high_recovery_ops), adds all at once, and drains all that
        go from one failure domain together. The profile that was set before is put back.
    type: str
    choices: [gentle, normal, fast]
    default: normal
  margin:
    description: The part of each OSD that must stay free below Ceph's near-full ratio after OSDs went.
    type: float
    default: 0.05
  accept_health:
    description: Codes of Ceph's health that are no reason to wait, such as V(RECENT_CRASH).
    type: list
    elements: str
    default: []
  windows:
    description:
      - Maintenance windows such as V(Sa 22:00-06:00) or V(Mo-Fr 20:00-24:00), in the local time of this host.
      - Outside of them nothing is begun; an OSD that is drained already is taken out to its end.
    type: list
    elements: str
    default: []
  replace:
    description: Serials of disks that are taken out of service without lowering any count.
    type: list
    elements: str
    default: []
  patience:
    description: Seconds that nothing may move on before a run stops; how long the whole takes does not matter.
    type: int
    default: 600
  operator_namespace:
    description: Namespace of the Rook operator.
    type: str
    default: rook-ceph
requirements:
  - the toolbox of the cluster
"""
