#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Installs the browser that the tests of the report drive; does nothing when there is one.
set -eu

for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null && exit 0
done
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "install Chromium first (Debian: apt-get install chromium)" >&2
    exit 1
fi
apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends chromium fonts-dejavu-core
