#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Installs what the native test bed needs on this machine (Debian or Ubuntu, amd64): containers as hosts, and Go, which
# compiles Kubernetes where no registry has it. Does nothing when all of it is there.
set -euo pipefail

GO_MINIMUM=24 # of Go 1.x: what Kubernetes asks for
GO=1.25.5     # where this machine's is older: from Go's own module proxy, its sum checked

say() { printf 'cluster-host: %s\n' "$*"; }

fail() {
    say "$*" >&2
    exit 1
}

[ "$(id -u)" -eq 0 ] || fail "the bed mounts file systems and makes network namespaces; run this as root"
[ "$(uname -m)" = x86_64 ] || fail "the bed is built for amd64, and this machine is $(uname -m)"
command -v apt-get >/dev/null || fail "only Debian and Ubuntu are known here; install podman, runc, mmdebstrap, Go 1.$GO_MINIMUM and a static busybox by hand"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/barestore/cluster
PATH=$cache/go/bin:$PATH:/usr/local/go/bin:/usr/lib/go/bin
go_minor() { go env GOVERSION 2>/dev/null | sed -n 's/^go1\.\([0-9]*\).*/\1/p'; }

# The program that shows that a package is there, and the package.
TOOLS='podman:podman runc:runc mmdebstrap:mmdebstrap dpkg-scanpackages:dpkg-dev ip:iproute2 losetup:mount partx:util-linux ssh:openssh-client ssh-keygen:openssh-client gcc:gcc'

missing_packages() {
    local pair
    for pair in $TOOLS; do
        command -v "${pair%%:*}" >/dev/null || echo "${pair##*:}"
    done
    # A dynamic busybox is of no use in an image.
    dpkg-query -W -f '${Status}' busybox-static 2>/dev/null | grep -q 'ok installed' || echo busybox-static
    [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || echo debian-archive-keyring
    command -v go >/dev/null || echo golang-go
    # Only recommended by gcc.
    [ -e /usr/include/stdlib.h ] || echo libc6-dev
}

mapfile -t wanted < <(missing_packages | sort -u)
if [ "${#wanted[@]}" -gt 0 ]; then
    say "installing ${wanted[*]}"
    apt-get -q update
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${wanted[@]}"
fi

newer_go() {
    local folder made=$cache/.go.$$
    folder=$(GOFLAGS='' go mod download -json "golang.org/toolchain@v0.0.1-go$GO.linux-amd64" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
    [ -n "$folder" ] || fail "Go $GO could not be had from Go's module proxy; install Go 1.$GO_MINIMUM or later from go.dev or backports"
    mkdir -p "$cache"
    cp -r "$folder" "$made"
    # A module keeps neither of these.
    chmod -R u+w "$made"
    chmod +x "$made"/bin/* "$made"/pkg/tool/*/*
    rm -rf "$cache/go"
    mv "$made" "$cache/go"
    hash -r
}

minor=$(go_minor)
if [ -z "$minor" ] || [ "$minor" -lt "$GO_MINIMUM" ]; then
    say "Kubernetes asks for Go 1.$GO_MINIMUM, and this machine has $(go env GOVERSION): fetching Go $GO"
    newer_go
    minor=$(go_minor)
fi
[ -e /dev/loop-control ] || fail "this machine has no /dev/loop-control, and the disks of the bed are loop devices"
unshare --net true 2>/dev/null || fail "this machine makes no network namespaces, which the hosts of the bed live in"
say "all is there ($(podman --version), $(runc --version | head -n 1), Go 1.$minor)"
