# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash disable=SC2034
# What the other scripts of this folder share; each value can be set in the environment instead.

inventory=${BARESTORE_INVENTORY:-inventories/production}
recordings=${BARESTORE_RECORDINGS:-recordings}  # a folder; git keeps it in a branch of the same name
base=${BARESTORE_BASE:-origin/main}             # what a change is compared with
out=${BARESTORE_OUT:-build/gitops}              # plan.md, plan.json, drift.md, report.html

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
    say "$*"
    exit 1
}

# The first line of a file, by which its comment is found again.
marker() {
    local line
    read -r line <"$1" || die "$1 is empty"
    [[ $line =~ ^'<!-- barestore '[A-Za-z0-9_.\ -]+' -->'$ ]] || die "$1 does not begin as barestore's Markdown does"
    printf '%s\n' "$line"
}

# The id of the inventory as it is in a commit. A plan is kept under it: the same files after a merge, a squash or a
# rebase are the same id, and anything else is not what was approved.
tree() { git rev-parse --verify --quiet "${1:-HEAD}:$inventory" || die "there is no $inventory in ${1:-HEAD}"; }
