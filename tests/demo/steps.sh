# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What the demonstrations share: each step says what it shows, its command, and the time that it took.
begun=$SECONDS
number=0

if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'; else bold='' dim='' green='' red='' plain=''; fi

# step WHAT-IT-SHOWS [RC=n] COMMAND...: an exit code other than RC (0 when not said) ends the demonstration.
# With $keep, a file, the output is written there as well, with its colours.
step() {
    local title=$1 wanted=0 rc=0 start=$SECONDS
    shift
    if [[ $1 == RC=* ]]; then
        wanted=${1#RC=}
        shift
    fi
    number=$((number + 1))
    printf '\n%s%s. %s%s\n%s$ %s%s\n\n' "$bold" "$number" "$title" "$plain" "$dim" "$*" "$plain"
    if [ -n "${keep:-}" ]; then
        FORCE_COLOR=1 COLUMNS=120 "$@" 2>&1 | tee "$keep" || rc=$?
    else
        "$@" || rc=$?
    fi
    if [ "$rc" -ne "$wanted" ]; then
        printf '\n%sdemo: this ended with exit code %s instead of %s%s\n' "$red" "$rc" "$wanted" "$plain" >&2
        exit 1
    fi
    printf '%s(%s s)%s\n' "$dim" "$((SECONDS - start))" "$plain"
}

finished() {
    printf '\n%sdemo: all %s steps in %s s%s\n' "$green" "$number" "$((SECONDS - begun))" "$plain"
}
