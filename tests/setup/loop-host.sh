#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Installs the tools that the tests on loop devices use; does nothing when they are there. What this distribution does
# not have is named, and the tests that need it say so again. zdb of Debian is in contrib: the machine's own apt sources
# stay as they are, and one install gets a sources file of its own.
set -eu

PATH="$PATH:/usr/sbin:/sbin"
# The program that shows that a package is there, and the package. The first line is what no test can do without.
NEEDED='sfdisk:fdisk mkfs.ext4:e2fsprogs mkfs.xfs:xfsprogs mkfs.vfat:dosfstools losetup:mount'
MAKERS='mkfs.btrfs:btrfs-progs cryptsetup:cryptsetup-bin pvcreate:lvm2 mdadm:mdadm sgdisk:gdisk parted:parted
    make-bcache:bcache-tools drbdmeta:drbd-utils ceph-osd:ceph-osd mkfs.exfat:exfatprogs mkfs.ntfs:ntfs-3g
    mkfs.f2fs:f2fs-tools mkfs.jfs:jfsutils mkfs.reiserfs:reiserfsprogs mkfs.reiser4:reiser4progs
    mkfs.nilfs2:nilfs-tools mkudffs:udftools genisoimage:genisoimage mksquashfs:squashfs-tools
    mkfs.erofs:erofs-utils genromfs:genromfs hformat:hfsutils mkapfs:apfsprogs mkfs.ocfs2:ocfs2-tools
    mkfs.gfs2:gfs2-utils mkfs.minix:util-linux-extra'

has() { command -v "$1" >/dev/null; }

offers() { apt-cache "$@" | grep -q 'Candidate: [^(]'; }

missing=''
for pair in $NEEDED $MAKERS zdb:zfsutils-linux; do
    has "${pair%%:*}" || missing="$missing ${pair#*:}"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! has apt-get; then
    echo "install$missing first" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q

install() { apt-get install -q -y --no-install-recommends "$@"; }

wanted=''
for package in $missing; do
    if offers policy "$package"; then
        wanted="$wanted $package"
    elif [ "$package" != zfsutils-linux ]; then
        echo "loop-host: this distribution has no $package: what it makes is left out"
    fi
done
# shellcheck disable=SC2086  # a list of package names
[ -z "$wanted" ] || install $wanted
has zdb && exit 0

# shellcheck source=tests/setup/debian-mirror.sh
. "$(dirname "$0")/debian-mirror.sh"
# shellcheck source=/dev/null
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
mkdir -p "$folder/parts" "$folder/lists/partial"
cat >"$folder/parts/contrib.sources" <<SOURCES
Types: deb
URIs: $(debian_mirror)
Suites: $codename $codename-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
set -- -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$folder/parts" -o "Dir::State::lists=$folder/lists"
apt-get "$@" -q update
install "$@" zfsutils-linux
