# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts as system containers: systemd, SSH and loop-device disks at this machine's own speed, for whole clusters.

``driver`` is what ``barestore lab`` calls, ``node`` one host, ``tree`` the root that all share, ``network`` their wire,
``disks`` the loop devices. What a kernel or a runtime lacks is worked around here and in ``recipe/``, nowhere else.
"""
