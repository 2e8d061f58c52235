#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Volumes with XFS as an experienced admin types it; a second call makes larger what shall be larger.
# usage: volumes_by_hand.sh GROUP DISK DISK SIZE...
set -euo pipefail

group=$1 disks=("$2" "$3") sizes=("${@:4}")

if [ ! -e "/dev/$group/data1" ]; then
    vgcreate --quiet "$group" "${disks[@]}"
    for number in "${!sizes[@]}"; do
        name=data$((number + 1))
        lvcreate --quiet --yes --size "${sizes[number]}" --name "$name" "$group"
        mkfs.xfs -q "/dev/$group/$name"
        mkdir -p "/srv/$group/$name"
        echo "/dev/$group/$name /srv/$group/$name xfs defaults,nofail 0 0" >>/etc/fstab
        mount "/srv/$group/$name"
    done
fi
for number in "${!sizes[@]}"; do
    volume=$group/data$((number + 1))
    [ "$(lvs --noheadings --nosuffix --units m -o lv_size "$volume" | tr -d ' ')" = "${sizes[number]%m}.00" ] ||
        lvextend --quiet --resizefs --size "${sizes[number]}" "$volume"
done
