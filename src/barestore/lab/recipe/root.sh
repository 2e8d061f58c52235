#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes the guest: a root file system in a sparse ext4 file, its kernel and a small initrd.
# In:  MIRROR SUITE KERNEL KERNEL_VERSION MODULES (tarball of zfs-modules.sh) PACKAGES (comma separated)
#      PUBLIC_KEY (a file) WORK (an empty folder)
# Out: OUT (a folder) with root.ext4, vmlinuz, initrd
set -euo pipefail
: "${MIRROR:?}" "${SUITE:?}" "${KERNEL:?}" "${KERNEL_VERSION:?}" "${MODULES:?}" "${PACKAGES:?}" "${PUBLIC_KEY:?}" "${WORK:?}" "${OUT:?}"

root=$WORK/root

echo "== installing the guest's packages from $MIRROR"
mmdebstrap --variant=minbase --components=main,contrib --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
    --aptopt='Apt::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/i18n/*' \
    --include="$PACKAGES" "$SUITE" "$root" "$MIRROR"

echo "== adding kernel $KERNEL and the ZFS modules"
# Unpacked by hand: the package would pull in initramfs-tools, and the initrd below is a hundredth of theirs.
chroot "$root" sh -ec "cd /tmp; apt-get -q update; apt-get -q download linux-image-$KERNEL=$KERNEL_VERSION"
dpkg-deb -x "$root"/tmp/linux-image-*.deb "$WORK/kernel"
rm -f "$root"/tmp/linux-image-*.deb
mkdir -p "$root/usr/lib/modules"
cp -a "$WORK/kernel"/usr/lib/modules/* "$root/usr/lib/modules/" 2>/dev/null || cp -a "$WORK/kernel"/lib/modules/* "$root/usr/lib/modules/"
cp "$WORK/kernel/boot/vmlinuz-$KERNEL" "$OUT/vmlinuz"
cp "$WORK/kernel/boot/config-$KERNEL" "$root/boot/"
tar -C "$root" --zstd --no-same-owner --keep-directory-symlink -xf "$MODULES"
chroot "$root" depmod "$KERNEL"

echo "== configuring the guest"
home=$(chroot "$root" getent passwd 0 | cut -d: -f6)
mkdir -p "$root$home/.ssh"
cp "$PUBLIC_KEY" "$root$home/.ssh/authorized_keys"
chmod 700 "$root$home/.ssh"
chmod 600 "$root$home/.ssh/authorized_keys"
# No host has this name: a restored machine that still has it has not been given its own identity.
echo saved-state >"$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 saved-state\n' >"$root/etc/hosts"
# The root is mounted by the initrd and has no line here: the table belongs to whoever is being tested.
: >"$root/etc/fstab"
# QEMU's user network answers for DNS at this address.
echo 'nameserver 10.0.2.3' >"$root/etc/resolv.conf"
tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
printf '\001\000\177\250' >"$root/etc/hostid"

# One kind of host key and no look-ups: each key and each name costs a second or more when emulated.
# No penalties: whoever waits for a guest knocks on its port until it answers.
rm -f "$root"/etc/ssh/ssh_host_*
ssh-keygen -q -t ed25519 -N '' -C lab -f "$root/etc/ssh/ssh_host_ed25519_key"
cat >"$root/etc/ssh/sshd_config.d/lab.conf" <<'SSHD'
HostKey /etc/ssh/ssh_host_ed25519_key
UseDNS no
UsePAM no
PermitRootLogin prohibit-password
PasswordAuthentication no
MaxStartups 100
MaxSessions 100
PerSourcePenalties no
SSHD

cat >"$root/etc/systemd/system/lab-net.service" <<'UNIT'
[Unit]
Description=The one network card of a lab guest
DefaultDependencies=no
Before=ssh.service network.target
Wants=network.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'modprobe virtio_net; i=0; while [ ! -e /sys/class/net/eth0 ] && [ $i -lt 80 ]; do sleep .25; i=$((i+1)); done; ip link set lo up; ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0; ip route add default via 10.0.2.2'

[Install]
WantedBy=sysinit.target
UNIT
mkdir -p "$root/etc/systemd/system/sysinit.target.wants"
ln -sf ../lab-net.service "$root/etc/systemd/system/sysinit.target.wants/lab-net.service"
ln -sf /usr/lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"

# What a storage host can do without. Nothing of udev, LVM, ZFS, md, swap or the mount units is in these lists:
# a host that is powered on again must find its storage by itself.
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
    fstrim.timer logrotate.timer xfs_scrub_all.timer systemd-tmpfiles-clean.timer \
    getty@tty1.service serial-getty@ttyS0.service getty.target systemd-logind.service systemd-user-sessions.service \
    systemd-networkd.service systemd-networkd.socket systemd-networkd-wait-online.service systemd-network-generator.service \
    systemd-resolved.service systemd-timesyncd.service systemd-update-utmp.service systemd-update-utmp-runlevel.service \
    systemd-random-seed.service systemd-pstore.service systemd-hwdb-update.service systemd-update-done.service \
    systemd-journal-catalog-update.service systemd-journal-flush.service systemd-machine-id-commit.service \
    systemd-firstboot.service first-boot-complete.target ldconfig.service systemd-binfmt.service \
    systemd-tpm2-setup.service systemd-tpm2-setup-early.service systemd-bootctl.socket systemd-creds.socket \
    systemd-sysext.socket systemd-mute-console.socket systemd-ask-password-console.path systemd-ask-password-wall.path \
    dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount \
    sys-kernel-config.mount proc-sys-fs-binfmt_misc.automount modprobe@fuse.service modprobe@configfs.service \
    modprobe@drm.service modprobe@efi_pstore.service keyboard-setup.service console-setup.service uuidd.socket \
    smartmontools.service smartd.service nvmefc-boot-connections.service nvmf-autoconnect.service \
    mdcheck_start.timer mdcheck_continue.timer mdmonitor-oneshot.timer mdmonitor.service zfs-share.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
mkdir -p "$root/etc/systemd/system-generators"
for generator in systemd-ssh-generator systemd-gpt-auto-generator systemd-getty-generator \
    systemd-hibernate-resume-generator systemd-tpm2-generator systemd-import-generator; do
    ln -sf /dev/null "$root/etc/systemd/system-generators/$generator"
done
rm -rf "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/doc "$root"/usr/share/man
du -sm "$root"

echo "== making the initrd"
initrd=$WORK/initrd
mkdir -p "$initrd"/{bin,modules,proc,dev,new}
cp "$(command -v busybox)" "$initrd/bin/busybox"
ln -s busybox "$initrd/bin/sh"
number=100
# modprobe knows what is built in and what needs what; the numbers keep its order.
while read -r verb module _; do
    [ "$verb" = insmod ] || continue
    number=$((number + 1))
    module=$root$module
    case $module in
        *.xz) xz -dc "$module" >"$initrd/modules/$number.ko" ;;
        *.zst) zstd -q -dc "$module" >"$initrd/modules/$number.ko" ;;
        *) cp "$module" "$initrd/modules/$number.ko" ;;
    esac
done < <(chroot "$root" modprobe -S "$KERNEL" --show-depends -a virtio_pci virtio_blk ext4 | awk '!seen[$0]++')
ls -l "$initrd/modules"
cat >"$initrd/init" <<'INIT'
#!/bin/sh
B=/bin/busybox
$B mount -t devtmpfs d /dev
for m in /modules/*.ko; do [ -e "$m" ] && $B insmod "$m"; done
i=0
while [ ! -b /dev/vda ] && [ $i -lt 300 ]; do $B sleep 0.1; i=$((i + 1)); done
$B mount -t ext4 -o rw,noatime,noinit_itable /dev/vda /new
$B mount -o move /dev /new/dev
exec $B switch_root /new /sbin/init
INIT
# Started in place of init when somebody only asks whether this kernel runs here at all.
cat >"$initrd/probe" <<'PROBE'
#!/bin/sh
echo barestore-lab-probe-ok
exec /bin/busybox poweroff -f
PROBE
chmod 755 "$initrd/init" "$initrd/probe"
(cd "$initrd" && find . | cpio -o -H newc --quiet) >"$OUT/initrd"

echo "== making the file system"
rm -f "$OUT/root.ext4"
mke2fs -q -t ext4 -L lab-root -E lazy_itable_init=1 -d "$root" "$OUT/root.ext4" 4G
ls -ls "$OUT"
