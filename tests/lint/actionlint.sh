#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs actionlint on workflows; built once from its Go module, since the Python package of that name fetches a binary
# from elsewhere. Without Go it is not run, and says so; with CI=true that is a failure.
# usage: tests/lint/actionlint.sh FILE...
set -euo pipefail
cd "$(dirname "$0")/../.."

version=v1.7.7  # it asks for Go 1.18; Debian 12 has 1.19
tool=.venv/tools/actionlint-$version/actionlint

if [ ! -x "$tool" ]; then
    if ! command -v go >/dev/null; then
        echo "not run: actionlint is built with Go, which is not installed (apt-get install golang-go)"
        [ "${CI:-}" != true ]
        exit
    fi
    # -p 1: the other gates want their processor too.
    GOBIN=$PWD/${tool%/*} GOFLAGS='-p=1 -mod=mod' go install "github.com/rhysd/actionlint/cmd/actionlint@$version"
fi
"$tool" -config-file examples/gitops/github/actionlint.yaml "$@"
echo "$# workflows are what GitHub takes"
