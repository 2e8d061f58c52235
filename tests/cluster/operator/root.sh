#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes the root of the Ceph image from Debian packages: MIRROR, SUITE and PACKAGES in, the tar OUT out.
set -euo pipefail

# Rook's pods name these users by number, so they must exist before a package makes its own.
# mmdebstrap runs the hooks in a shell of its own, whose $1 is the new root.
# shellcheck disable=SC2016
users='echo "ceph:x:167:" >>"$1/etc/group"
echo "rook:x:2016:" >>"$1/etc/group"
echo "ceph:x:167:167:Ceph:/var/lib/ceph:/usr/sbin/nologin" >>"$1/etc/passwd"
echo "rook:x:2016:2016::/var/lib/rook:/bin/bash" >>"$1/etc/passwd"'

# shellcheck disable=SC2016
folders='mkdir -p "$1/run/ceph" "$1/var/log/ceph" "$1/var/lib/rook" "$1/etc/ceph" "$1/var/lib/ceph/osd"
chown 167:167 "$1/run/ceph" "$1/var/log/ceph"
rm -rf "$1"/usr/share/doc/* "$1"/usr/share/man/* "$1"/usr/share/locale/* "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*'

mmdebstrap --mode=root --variant=minbase \
    --aptopt='Acquire::Check-Valid-Until "false"' \
    --aptopt='APT::Install-Recommends "false"' \
    --essential-hook="$users" \
    --customize-hook="$folders" \
    --include="$PACKAGES" \
    "$SUITE" "$OUT" "$MIRROR"
