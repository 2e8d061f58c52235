#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# On a pull request: validate, then plan from recordings; no host is contacted, and no secret is needed.
# usage: plan.sh            run in a checkout of the change
# Writes $out/plan.md for the comment, $out/plan.json for apply and $out/tree with the name of what was planned.
# Exit code as that of barestore, but 0 for changes: 1 error, 3 a host is refused. plan.md is there in each case.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=settings.sh
. "$(dirname "${BASH_SOURCE[0]}")/settings.sh"

mkdir -p "$out"
rm -f "$out/plan.md" "$out/plan.json"
tree >"$out/tree"

# complain TITLE FILE: the words of the command become the comment.
complain() {
    {
        printf '<!-- barestore plan %s -->\n## %s\n\n~~~~text\n' "${inventory##*/}" "$1"
        cat "$2"
        printf '~~~~\n'
    } >"$out/plan.md"
}

code=0
barestore validate -i "$inventory" >"$out/words" 2>&1 || code=$?
cat "$out/words"
if [ "$code" -ne 0 ]; then
    complain 'The inventory has mistakes' "$out/words"
    exit "$code"
fi

barestore plan -i "$inventory" --observed "$recordings" --against "$base" \
    --markdown "$out/plan.md" --out "$out/plan.json" >"$out/words" 2>&1 || code=$?
cat "$out/words"
[ -s "$out/plan.md" ] || complain 'No plan could be made' "$out/words"
[ "$code" -ne 2 ] || code=0
exit "$code"
