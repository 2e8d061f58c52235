#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Writes a file as a comment of a merge request or issue on GitLab, or over the comment that it wrote before.
# usage: comment-gitlab.sh merge_requests/IID|issues/IID FILE
#   in a pipeline, with BARESTORE_TOKEN; needs curl and jq
# The token is one of the project, with the scope api and the role Reporter: it may comment, and write nothing else.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=settings.sh
. "$(dirname "${BASH_SOURCE[0]}")/settings.sh"

usage='usage: comment-gitlab.sh merge_requests/IID|issues/IID FILE'
where=${1:?$usage} file=${2:?$usage}
notes=${CI_API_V4_URL:?}/projects/${CI_PROJECT_ID:?}/$where/notes
marker=$(marker "$file")

# The token is read from a file, so that no list of processes shows it.
request() {
    curl --silent --show-error --fail-with-body --header 'Content-Type: application/json' \
        --config <(printf 'header = "PRIVATE-TOKEN: %s"\n' "${BARESTORE_TOKEN:?}") "$@"
}

ids=$(
    me=$(request "$CI_API_V4_URL/user" | jq .id)
    page=1
    while true; do
        found=$(request "$notes?per_page=100&page=$page")
        jq --argjson me "$me" --arg marker "$marker" \
            '.[] | select(.author.id == $me and (.body | startswith($marker))) | .id' <<<"$found"
        [ "$(jq length <<<"$found")" -eq 100 ] || break
        page=$((page + 1))
    done
)
id=${ids%%$'\n'*}
if [ -n "$id" ]; then way=PUT address=$notes/$id; else way=POST address=$notes; fi
jq --null-input --rawfile body "$file" '{$body}' |
    request --request "$way" --data @- --output /dev/null "$address"
