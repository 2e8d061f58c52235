# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual hosts for trying and testing storage: QEMU machines with the disks that an inventory describes.

``cli`` is ``barestore lab``, ``runtime`` the hosts of an inventory, ``throwaway`` a host for one test;
``vm`` is one machine, ``state`` the saved state that new machines continue from, ``image`` what they boot.
"""
