#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Installs what `barestore lab` needs on this machine (Debian or Ubuntu, amd64).
# Does nothing when all of it is there. Leaves the machine's own apt sources untouched: QEMU 7 of Debian 12
# crashes the guest's kernel, so there QEMU comes from backports by way of a sources file used for that one install.
set -euo pipefail

QEMU_MINIMUM=8

say() { printf 'lab-host: %s\n' "$*"; }

fail() {
    say "$*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "'$*' needs root, and sudo is not installed; run this script as root"
    fi
}

apt_install() { as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"; }

# The program that shows that a package is there, and the package.
TOOLS='mmdebstrap:mmdebstrap zstd:zstd xz:xz-utils cpio:cpio ssh:openssh-client ssh-keygen:openssh-client mke2fs:e2fsprogs setpriv:util-linux'

missing_packages() {
    local pair
    for pair in $TOOLS; do
        command -v "${pair%%:*}" >/dev/null || [ -x "/usr/sbin/${pair%%:*}" ] || [ -x "/sbin/${pair%%:*}" ] || echo "${pair##*:}"
    done
    # A dynamic busybox is of no use in an initrd.
    dpkg-query -W -f '${Status}' busybox-static 2>/dev/null | grep -q 'ok installed' || echo busybox-static
    [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || echo debian-archive-keyring
}

qemu_major() { qemu-system-x86_64 --version 2>/dev/null | sed -n 's/^QEMU emulator version \([0-9]*\)\..*/\1/p'; }

qemu_good() {
    local major
    major=$(qemu_major)
    [ -n "$major" ] && [ "$major" -ge "$QEMU_MINIMUM" ] && command -v qemu-img >/dev/null
}

# shellcheck source=tests/setup/debian-mirror.sh
. "$(dirname "$0")/debian-mirror.sh"

install_qemu() {
    local candidate folder options codename
    candidate=$(apt-cache policy qemu-system-x86 | sed -n 's/^ *Candidate: *\([0-9]*:\)\{0,1\}\([0-9]*\)\..*/\2/p')
    if [ -n "$candidate" ] && [ "$candidate" -ge "$QEMU_MINIMUM" ]; then
        say "installing QEMU $candidate of this distribution"
        apt_install qemu-system-x86 qemu-utils
        return
    fi
    # shellcheck source=/dev/null
    codename=$(. /etc/os-release && echo "${ID:-}-${VERSION_CODENAME:-}")
    [ "$codename" = debian-bookworm ] ||
        fail "QEMU $QEMU_MINIMUM or later is needed and $codename offers '${candidate:-none}'; install one by hand"
    say "installing QEMU from bookworm-backports of $(debian_mirror)"
    folder=$(mktemp -d)
    chmod 755 "$folder"
    mkdir -p "$folder/parts" "$folder/lists/partial"
    cat >"$folder/parts/lab.sources" <<SOURCES
Types: deb
URIs: $(debian_mirror)
Suites: bookworm bookworm-updates bookworm-backports
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
    options=(-o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$folder/parts" -o "Dir::State::lists=$folder/lists")
    as_root apt-get "${options[@]}" -q update
    apt_install "${options[@]}" -t bookworm-backports qemu-system-x86 qemu-system-data qemu-utils seabios
    as_root rm -rf "$folder"
}

command -v apt-get >/dev/null || fail "only Debian and Ubuntu are known here; install QEMU >= $QEMU_MINIMUM, mmdebstrap, zstd, xz, cpio, a static busybox and the OpenSSH client by hand"

mapfile -t wanted < <(missing_packages | sort -u)
if [ "${#wanted[@]}" -eq 0 ] && qemu_good; then
    say "all is there (QEMU $(qemu_major))"
    exit 0
fi
as_root apt-get -q update
if [ "${#wanted[@]}" -gt 0 ]; then
    say "installing ${wanted[*]}"
    apt_install "${wanted[@]}"
fi
qemu_good || install_qemu
qemu_good || fail "QEMU $QEMU_MINIMUM or later is still not there after the install; see the lines above"
say "all is there (QEMU $(qemu_major))"
