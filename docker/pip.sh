#!/bin/sh
# Installs Python packages into a folder while an image is built: wheels only, nothing compiled here.
#   pip.sh dependencies <folder>             what /src/pyproject.toml asks for
#   pip.sh extra <name> <folder>             what an extra of it asks for; libpq is that of the image
#   pip.sh requirement <name==version> <folder> [option of pip ...]
#   pip.sh project <folder>                  the package in /src itself, without what it depends on
# PIP_INDEX_URL and PIP_EXTRA_INDEX_URL are pip's own; *.crt beside this file are trusted.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

# pip trusts its own bundle only: give it the system's and ours.
trust_certificates() {
    cat /etc/ssl/certs/ca-certificates.crt "$here"/*.crt > "$here/bundle.pem" 2>/dev/null || true
    if [ -s "$here/bundle.pem" ]; then export PIP_CERT="$here/bundle.pem"; fi
}

install_to() {
    target=$1
    shift
    python3 -m pip --disable-pip-version-check --no-cache-dir --retries 5 \
        install --no-compile --root-user-action=ignore --target "$target" "$@"
}

dependencies() {
    python3 -c 'import tomllib; print(*tomllib.load(open("/src/pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")' \
        > "$here/requirements.txt"
    install_to "$1" --only-binary :all: --requirement "$here/requirements.txt"
}

extra() {
    python3 -c 'import sys, tomllib
extras = tomllib.load(open("/src/pyproject.toml", "rb"))["project"]["optional-dependencies"]
print(*(each.replace("[binary]", "") for each in extras[sys.argv[1]]), sep="\n")' "$1" > "$here/requirements.txt"
    install_to "$2" --only-binary :all: --requirement "$here/requirements.txt"
}

project() {
    # The builder is not given the README, so that a change of it rebuilds nothing.
    : > /src/README.md
    install_to "$1" --no-deps --no-build-isolation --upgrade /src
}

trust_certificates
case "$1" in
    dependencies) dependencies "$2" ;;
    extra) extra "$2" "$3" ;;
    requirement)
        requirement=$2 folder=$3
        shift 3
        install_to "$folder" --only-binary :all: "$@" "$requirement" ;;
    project) project "$2" ;;
    *) echo "pip.sh: unrecognized command \"$1\"" >&2; exit 2 ;;
esac
