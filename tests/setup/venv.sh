#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes .venv with the package (editable) and the named extras. Quick when nothing changed.
# usage: tests/setup/venv.sh [extra,...]        default: dev
set -euo pipefail
cd "$(dirname "$0")/../.."

extras=${1:-dev}
stamp=.venv/.installed-${extras//,/-}

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# A name in PATH can be a shim of a version manager that starts nothing, so each one is started.
find_python() {
    local name
    for name in "${PYTHON:-python3}" python3 python3.13 python3.12 python3.11 python3.14; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$name"
            return
        fi
    done
    die "no Python 3.11 or newer found. Install python3 3.11 or newer, or name one: make setup PYTHON=/path/to/python3"
}

new_venv() {
    local python=$1
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        command -v apt-get >/dev/null || die "$python has no venv module. Install it with your package manager."
        [ "$(id -u)" = 0 ] || die "$python has no venv module. Run as root: apt-get install python3-venv"
        say "installing python3-venv"
        apt-get -qq update
        DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends python3-venv >/dev/null
    fi
    say "making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
}

# A virtual environment does not survive being moved or losing its Python.
if ! .venv/bin/python -c 'import sys' 2>/dev/null || ! .venv/bin/pip --version >/dev/null 2>&1; then
    new_venv "$(find_python)"
fi
if [ "$stamp" -nt pyproject.toml ] && [ "$stamp" -nt src/barestore/__init__.py ]; then
    exit 0
fi
say "installing barestore[$extras]"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --retries 10 --editable ".[$extras]"
touch "$stamp"
