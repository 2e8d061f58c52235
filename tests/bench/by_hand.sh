#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The README's layout as an experienced admin types it: on empty disks, in one go, with nothing checked that the
# tools do not check themselves. usage: by_hand.sh NVME NVME HDD HDD OSD...
set -euo pipefail

log1=$1 log2=$2 pool1=$3 pool2=$4
shift 4

for disk in "$log1" "$log2"; do
    printf '%s\n' 'label: gpt' \
        'size=256MiB, type=6A898CC3-1DD2-11B2-99A6-080020736631, name=slog' \
        'type=E6D6D379-F507-44C2-A23C-238F2A3DF928, name=fast' | sfdisk --quiet "$disk"
done
udevadm settle

pvcreate --quiet "$log1-part2" "$log2-part2"
vgcreate --quiet fast "$log1-part2" "$log2-part2"
lvcreate --quiet --yes --type thin-pool --extents 40%VG --chunksize 64k --zero n --discards passdown \
    --name topolvm fast
printf 'activation {\n\tthin_pool_autoextend_threshold=80\n\tthin_pool_autoextend_percent=20\n}\n' \
    >/etc/lvm/profile/topolvm.profile
lvchange --quiet --metadataprofile topolvm fast/topolvm
lvcreate --quiet --yes --size 1g --name containerd fast
lvcreate --quiet --yes --size 256m --name swap fast
mkfs.xfs -q /dev/fast/containerd
mkswap --quiet /dev/fast/swap

mkdir -p /var/lib/containerd
{
    echo "UUID=$(blkid -s UUID -o value /dev/fast/containerd) /var/lib/containerd xfs defaults,nofail 0 0"
    echo "UUID=$(blkid -s UUID -o value /dev/fast/swap) none swap defaults,nofail 0 0"
} >>/etc/fstab
systemctl daemon-reload
mount /var/lib/containerd
swapon /dev/fast/swap

zpool create -o ashift=12 -o autotrim=on -O compression=lz4 -O mountpoint=none tank \
    mirror "$pool1" "$pool2" log mirror "$log1-part1" "$log2-part1"
zfs create -o compression=zstd -o atime=off -o mountpoint=none tank/lxd
zfs create -o recordsize=16k -o mountpoint=/srv/mysql tank/mysql
zfs create -s -V 512M tank/backup
udevadm settle

mkdir -p /var/lib/barestore/local-volumes/osd
for disk in "$@"; do
    ln -s "$disk" "/var/lib/barestore/local-volumes/osd/${disk##*/}"
done
