#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Writes a file as a comment of a pull request or issue on GitHub, or over the comment that it wrote before.
# usage: comment-github.sh NUMBER FILE      with GH_TOKEN and GITHUB_REPOSITORY; needs gh
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=settings.sh
. "$(dirname "${BASH_SOURCE[0]}")/settings.sh"

usage='usage: comment-github.sh NUMBER FILE'
number=${1:?$usage} file=${2:?$usage}
comments=repos/${GITHUB_REPOSITORY:?}/issues/$number/comments
author=${BARESTORE_AUTHOR:-github-actions[bot]}  # who we are: the marker in a comment of somebody else is not ours

marker=$(marker "$file")
ours=".[] | select(.user.login == \"$author\" and (.body | startswith(\"$marker\"))) | .id"
ids=$(gh api --paginate "$comments" --jq "$ours")
id=${ids%%$'\n'*}
if [ -n "$id" ]; then
    gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" -F body=@"$file" --silent
else
    gh api --method POST "$comments" -F body=@"$file" --silent
fi
