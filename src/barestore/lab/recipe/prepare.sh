#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs in the guest after each start: a restored machine has the clock, the name and the identities of the saved one.
# NAME SECONDS MACHINE_ID HOST_ID (8 hex digits) "LINK..." (names under /dev/disk/by-id to wait for)
set -eu
name=$1 seconds=$2 machine_id=$3 host_id=$4 links=$5

date -u -s "@$seconds" >/dev/null
if [ "$(cat /etc/hostname)" != "$name" ]; then
    # The first time under this name; afterwards these are the host's own and stay.
    echo "$name" >/etc/hostname
    printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$name" >/etc/hosts
    echo "$machine_id" >/etc/machine-id
    # Little-endian, as gethostid and ZFS read it.
    b1=${host_id%??????} rest=${host_id#??}
    b2=${rest%????} rest=${rest#??}
    b3=${rest%??} b4=${rest#??}
    # shellcheck disable=SC2059
    printf "$(printf '\\%03o' "0x$b4" "0x$b3" "0x$b2" "0x$b1")" >/etc/hostid
fi
hostname "$name"

tries=0
for link in $links; do
    while [ ! -e "/dev/disk/by-id/$link" ]; do
        tries=$((tries + 1))
        if [ "$tries" -gt 600 ]; then
            echo "the guest has not seen disk $link; it has: $(ls /dev/disk/by-id)" >&2
            exit 1
        fi
        sleep 0.1
    done
done
udevadm settle
