# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# To be sourced.

# The mirror that this machine uses, whichever way its sources are written.
debian_mirror() {
    if [ -n "${BARESTORE_DEBIAN_MIRROR:-}" ]; then
        echo "$BARESTORE_DEBIAN_MIRROR"
        return
    fi
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
        grep -E '^(deb|URIs:)' | grep -oE '(https?|file)://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ' | grep . ||
        echo http://deb.debian.org/debian
}
