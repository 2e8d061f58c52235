#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Installs the tools that the tests on loop devices use; does nothing when they are there.
set -eu

missing=''
for pair in sfdisk:fdisk mkfs.ext4:e2fsprogs mkfs.xfs:xfsprogs mkfs.vfat:dosfstools losetup:mount \
    mkfs.btrfs:btrfs-progs cryptsetup:cryptsetup-bin pvcreate:lvm2; do
    PATH="$PATH:/usr/sbin:/sbin" command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair#*:}"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "install$missing first" >&2
    exit 1
fi
apt-get update -q
# shellcheck disable=SC2086  # a list of package names
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
