#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A file system on a partition of each disk, as an experienced admin types it in a loop, on empty disks, with nothing
# checked that the tools do not check themselves. usage: by_hand_disks.sh DISK...
set -euo pipefail

for disk in "$@"; do
    echo 'type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=data' | sfdisk --quiet --label gpt "$disk"
done
udevadm settle

for disk in "$@"; do
    mkfs.xfs -q "$disk-part1"
    mkdir -p "/srv/disks/${disk##*/}"
    echo "UUID=$(blkid -s UUID -o value "$disk-part1") /srv/disks/${disk##*/} xfs defaults,nofail 0 0" >>/etc/fstab
    mount "/srv/disks/${disk##*/}"
done
systemctl daemon-reload
