#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# After the merge, where the hosts can be reached: run exactly the plan that was approved.
# usage: apply.sh PLAN      run in a checkout of main
# A host whose plan is another one by now is refused, and nothing is written on it. Killed or stopped, run it again with
# the same plan: it goes on from there.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=settings.sh
. "$(dirname "${BASH_SOURCE[0]}")/settings.sh"

plan=${1:?usage: apply.sh PLAN}
mkdir -p "$out"
# A comment was edited, or a group renamed: no host and no cluster was planned for.
if python3 -c 'import json, sys
plan = json.load(open(sys.argv[1]))
sys.exit(plan.get("hosts") != {} or plan.get("clusters", {}) != {})' "$plan"; then
    say 'the plan has nothing to do'
    exit
fi
code=0
# One host at a time, and none after the first that fails.
barestore apply -i "$inventory" --plan "$plan" --batch 1 --stop-after 1 || code=$?
barestore report -i "$inventory" --out "$out/report.html" || say 'the report could not be written'
exit "$code"
