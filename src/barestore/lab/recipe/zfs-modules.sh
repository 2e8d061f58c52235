#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds the ZFS modules for one kernel, with only that kernel's headers, and packs them as a tarball.
# In:  MIRROR SUITE KERNEL (6.12.1-cloud-amd64) KERNEL_VERSION ZFS_VERSION (Debian's) WORK (an empty folder)
# Out: OUT (the tarball, to be unpacked at the root of a guest)
set -euo pipefail
: "${MIRROR:?}" "${SUITE:?}" "${KERNEL:?}" "${KERNEL_VERSION:?}" "${ZFS_VERSION:?}" "${WORK:?}" "${OUT:?}"

builder=$WORK/builder
trap 'mountpoint -q "$builder/proc" && umount "$builder/proc"' EXIT

echo "== unpacking a builder with the headers of $KERNEL"
mmdebstrap --variant=minbase --components=main,contrib --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
    --aptopt='Apt::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --include="linux-headers-$KERNEL=$KERNEL_VERSION,build-essential,dkms,kmod,xz-utils,zstd,libelf-dev,bc,python3-minimal,autoconf,automake,libtool,gawk,file" \
    "$SUITE" "$builder" "$MIRROR"

# Unpacked, not installed: the package's own scripts would want a kernel image and an initramfs.
chroot "$builder" sh -ec "cd /tmp; apt-get -q update; apt-get -q download zfs-dkms=$ZFS_VERSION; dpkg-deb -x zfs-dkms_*.deb /"
source_version=$(basename "$(find "$builder/usr/src" -maxdepth 1 -name 'zfs-[0-9]*')")
source_version=${source_version#zfs-}

echo "== compiling ZFS $source_version (the long part)"
mount --bind /proc "$builder/proc"
chroot "$builder" dkms build -m zfs -v "$source_version" -k "$KERNEL" || {
    cat "$builder"/var/lib/dkms/zfs/*/build/make.log 2>/dev/null
    exit 1
}
umount "$builder/proc"

modules=$WORK/modules/usr/lib/modules/$KERNEL/updates/dkms
mkdir -p "$modules"
find "$builder/var/lib/dkms/zfs" -path '*/module/*' -name '*.ko*' -exec cp {} "$modules/" \;
ls -l "$modules"
tar -C "$WORK/modules" --zstd --owner=0 --group=0 -cf "$OUT" .
