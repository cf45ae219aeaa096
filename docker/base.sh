#!/usr/bin/env bash
# Makes a base image from Debian's archive, for machines that reach no image registry.
#   docker/base.sh [tag]
# DEBIAN_MIRROR and DEBIAN_SECURITY_MIRROR name mirrors, which are used for this alone.
# shellcheck source=docker/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
readonly suite=trixie
readonly tag=${1:-rvbbit-fdw-base:$suite}

require_mmdebstrap() {
    if command -v mmdebstrap > /dev/null; then return; fi
    if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
        fail "no image registry can be reached and mmdebstrap is missing; install the package mmdebstrap, or name a base image by BASE_IMAGE=..."
    fi
    step "Installing mmdebstrap"
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends mmdebstrap debian-archive-keyring > /dev/null
}

# With no source given mmdebstrap takes Debian's own archive with its updates and security updates.
sources() {
    local security=${DEBIAN_SECURITY_MIRROR:-${DEBIAN_MIRROR:-}-security}
    if [ -n "${DEBIAN_MIRROR:-}" ]; then
        printf 'deb %s main\n' "$DEBIAN_MIRROR $suite" "$DEBIAN_MIRROR $suite-updates" "$security $suite-security"
    fi
}

make_base() {
    local lines=() hooks=()
    mapfile -t lines < <(sources)
    # A mirror of this network must not be written into images.
    if [ "${#lines[@]}" -gt 0 ]; then hooks=(--customize-hook=': > "$1/etc/apt/sources.list"'); fi
    mmdebstrap --variant=minbase --mode="$([ "$(id -u)" = 0 ] && echo root || echo auto)" --format=tar \
        --include=ca-certificates --aptopt='APT::Install-Recommends "false"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='force-unsafe-io' \
        --customize-hook='rm -f "$1/etc/hostname" "$1/etc/resolv.conf"; : > "$1/etc/machine-id"' \
        "${hooks[@]}" "$suite" - "${lines[@]}"
}

require_docker
require_mmdebstrap
step "Making the base image $tag from Debian's archive (about half a minute)"
make_base | docker import --change 'CMD ["bash"]' - "$tag" > /dev/null ||
    fail "the base image could not be made from Debian's archive (see above); check the network, or name a mirror by DEBIAN_MIRROR=..."
