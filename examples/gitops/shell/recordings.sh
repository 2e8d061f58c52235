#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Keeps the recordings of the hosts in a branch of their own, with no history in common with main.
# usage: recordings.sh get  fill the folder from the branch
#        recordings.sh put  the folder becomes the next commit of the branch, if it differs
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=settings.sh
. "$(dirname "${BASH_SOURCE[0]}")/settings.sh"

remote=${BARESTORE_REMOTE:-origin}  # a name or an address
branch=recordings
known=refs/barestore/$branch

get() {
    git fetch --quiet "$remote" "+refs/heads/$branch:$known" || die "$remote has no branch $branch; run nightly.sh once"
    mkdir -p "$recordings"
    git archive "$known" | tar -x -C "$recordings"
}

put() {
    local tree commit parent=''
    git fetch --quiet "$remote" "+refs/heads/$branch:$known" 2>/dev/null || true
    GIT_INDEX_FILE=$(mktemp -u)
    export GIT_INDEX_FILE
    git --git-dir="$(git rev-parse --absolute-git-dir)" --work-tree="$recordings" add --all --force
    tree=$(git write-tree)
    rm -f "$GIT_INDEX_FILE"
    unset GIT_INDEX_FILE
    parent=$(git rev-parse --verify --quiet "$known" || true)
    if [ -n "$parent" ] && [ "$(git rev-parse "$parent^{tree}")" = "$tree" ]; then
        say 'nothing new'
        return
    fi
    commit=$(git commit-tree "$tree" ${parent:+-p "$parent"} -m 'Record the hosts')
    git push --quiet "$remote" "$commit:refs/heads/$branch"
}

case ${1:-} in
    get | put) "$1" ;;
    *) die 'usage: recordings.sh get|put' ;;
esac
