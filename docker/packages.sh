#!/bin/sh
# Installs Debian packages while an image is built, and leaves neither lists nor archives behind.
#   packages.sh package...          EXTRACT="package ..." are only unpacked, without what they depend on
# DEBIAN_MIRROR and DEBIAN_SECURITY_MIRROR name mirrors for this run alone; *.crt beside this file are trusted.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
export DEBIAN_FRONTEND=noninteractive

use_mirror() {
    security=${DEBIAN_SECURITY_MIRROR:-$DEBIAN_MIRROR-security}
    # shellcheck disable=SC1091  # of the base image
    suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
    printf 'deb %s\n' "$DEBIAN_MIRROR $suite main" "$DEBIAN_MIRROR $suite-updates main" \
        "$security $suite-security main" > "$here/mirror.list"
}

# Apt with the mirror and the certificates given, neither of which is written to /etc.
apt_get() {
    set -- -o APT::Install-Recommends=false -o APT::Install-Suggests=false -o Dpkg::Use-Pty=0 "$@"
    if [ -n "${DEBIAN_MIRROR:-}" ]; then
        set -- -o Dir::Etc::sourcelist="$here/mirror.list" -o Dir::Etc::sourceparts=/dev/null "$@"
    fi
    if [ -s "$here/bundle.pem" ]; then
        set -- -o Acquire::https::CAInfo="$here/bundle.pem" "$@"
    fi
    apt-get -y -q -o Acquire::Retries=3 "$@"
}

extract() {
    (cd "$here" && apt_get download "$1" && dpkg-deb --fsys-tarfile "$1"_*.deb | tar -x -C / --keep-directory-symlink)
    rm -f "$here/$1"_*.deb
}

cat /etc/ssl/certs/ca-certificates.crt "$here"/*.crt > "$here/bundle.pem" 2>/dev/null || true
if [ -n "${DEBIAN_MIRROR:-}" ]; then use_mirror; fi
apt_get update
# The base may be older than the last security update.
apt_get upgrade
apt_get install "$@"
for package in ${EXTRACT:-}; do extract "$package"; done
apt_get clean
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/debconf/*-old /var/lib/dpkg/*-old /var/log/*
rm -f "$here/bundle.pem" "$here/mirror.list"
