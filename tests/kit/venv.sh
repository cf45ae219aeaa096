#!/usr/bin/env bash
# Makes the virtual environment of the checks, with all that they need: venv.sh <folder> [extra].
set -euo pipefail
readonly folder=$1
readonly extra=${2:-test}

fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# A name on the path may be a stub that does not run: ask each for its version.
find_python() {
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
            echo "$name"
            return
        fi
    done
    fail "the checks need Python 3.11 or later; install it and try again"
}

echo "==> Making the virtual environment $folder"
python=$(find_python)
if [ ! -x "$folder/bin/python" ]; then
    "$python" -m venv "$folder" || fail "this Python cannot make a virtual environment; install the package python3-venv"
fi
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --editable ".[$extra]" ||
    fail "the packages of the checks could not be installed (see above); check the network or pip's settings"
