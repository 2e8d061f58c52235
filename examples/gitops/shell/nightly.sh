#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Every night, where the hosts can be reached: record them, and say how they differ from main. Nothing is written on them.
# usage: nightly.sh         run in a checkout of main
# Writes $out/drift.md. With BARESTORE_PROMETHEUS also a file for the textfile collector of node_exporter.
# Exit code: 0 as wanted, 2 they differ, 3 a host is refused, 1 error.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source-path=SCRIPTDIR source=settings.sh
. "$here/settings.sh"

mkdir -p "$out"
"$here/recordings.sh" get || say 'there are no recordings yet'
# A host that is down keeps the recording that it has; the drift names it.
barestore observe -i "$inventory" --save "$recordings" || say 'some hosts were not recorded'
"$here/recordings.sh" put

metrics=${BARESTORE_PROMETHEUS:-}
barestore drift -i "$inventory" --markdown "$out/drift.md" ${metrics:+--prometheus "$metrics"}
