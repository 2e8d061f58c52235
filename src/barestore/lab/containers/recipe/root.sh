#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes the root that all nodes share: Debian with systemd, in a folder, read below an overlay and never written.
# In:  MIRROR SUITE PACKAGES (comma separated) PUBLIC_KEY (a file) RECIPE (the folder of this script)
# Out: OUT (a folder) with root/
set -euo pipefail
: "${MIRROR:?}" "${SUITE:?}" "${PACKAGES:?}" "${PUBLIC_KEY:?}" "${RECIPE:?}" "${OUT:?}"

root=$OUT/root

echo "== installing the nodes' packages from $MIRROR"
# An old snapshot of a mirror is as good as a new one here.
mmdebstrap --mode=root --variant=minbase --components=main --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
    --aptopt='Apt::Install-Recommends "false"' --aptopt='Acquire::Check-Valid-Until "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/i18n/*' \
    --include="$PACKAGES" "$SUITE" "$root" "$MIRROR"

echo "== configuring the root"
# A site without internet: packages come from where the inventory says, and from nowhere else.
rm -rf "$root"/etc/apt/sources.list "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin
home=$(chroot "$root" getent passwd 0 | cut -d: -f6)
install -d -m 700 "$root$home/.ssh"
install -m 600 "$PUBLIC_KEY" "$root$home/.ssh/authorized_keys"
# One host key for all nodes: they come and go, and nobody keeps it. Empty: systemd gives each node its own.
rm -f "$root"/etc/ssh/ssh_host_*
ssh-keygen -q -t ed25519 -N '' -C lab -f "$root/etc/ssh/ssh_host_ed25519_key"
cat >"$root/etc/ssh/sshd_config.d/lab.conf" <<'SSHD'
HostKey /etc/ssh/ssh_host_ed25519_key
UseDNS no
PermitRootLogin prohibit-password
PasswordAuthentication no
MaxStartups 100
MaxSessions 100
SSHD
: >"$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id"
: >"$root/etc/fstab"

install -m 755 "$RECIPE/node-init" "$RECIPE/node-device" "$RECIPE/node-partitions" "$root/usr/local/sbin/"
install -d "$root/etc/systemd/journald.conf.d" "$root/etc/systemd/system.conf.d"
# The kernel's messages are of all nodes and of the machine: no node keeps them.
printf '[Journal]\nReadKMsg=no\nStorage=volatile\nRuntimeMaxUse=32M\n' >"$root/etc/systemd/journald.conf.d/node.conf"
printf '[Manager]\nDefaultCPUAccounting=yes\nDefaultMemoryAccounting=yes\nDefaultTimeoutStopSec=8s\n' \
    >"$root/etc/systemd/system.conf.d/node.conf"
# What would touch the one kernel at boot, and what no node needs.
for unit in systemd-sysctl.service systemd-modules-load.service systemd-remount-fs.service systemd-timesyncd.service \
    getty.target console-getty.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
    e2scrub_reap.service fstrim.timer lvm2-monitor.service dev-hugepages.mount sys-kernel-debug.mount \
    sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount; do
    ln -sfn /dev/null "$root/etc/systemd/system/$unit"
done
# A kernel without modules has no folder for them: modprobe then believes this list of what is built in.
modules=$root/lib/modules/$(uname -r)
if [ ! -e /proc/modules ]; then
    mkdir -p "$modules"
    : >"$modules/modules.order"
    for module in overlay br_netfilter nf_conntrack ip_tables iptable_nat iptable_filter xt_conntrack loop vxlan veth bridge xfs; do
        echo "kernel/$module.ko"
    done >"$modules/modules.builtin"
    chroot "$root" depmod "$(uname -r)" 2>/dev/null || true
fi
du -sm "$root"
