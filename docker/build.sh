#!/usr/bin/env bash
# Builds a target of the Dockerfile; Docker's cache makes it a matter of seconds when nothing changed.
#   docker/build.sh [target] [tag] [Dockerfile]          target: server (default) or demo
# With RVBBIT_HOST=multicorn2 the server is put on top of MULTICORN2_IMAGE.
# BASE_IMAGE names the base; NO_CACHE=1 starts anew and so fetches Debian's newest security updates.
# shellcheck source=docker/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
readonly target=${1:-server}
readonly tag=${2:-$RVBBIT_IMAGE}
readonly recipe=${3:-}
readonly public_base=debian:trixie-slim
readonly own_base=rvbbit-fdw-base:trixie
readonly log_file=build/image-$target.log

have_image() { docker image inspect "$1" > /dev/null 2>&1; }

is_on_multicorn2() { [ "$RVBBIT_HOST" = multicorn2 ] && [ "$target" = server ]; }

choose_recipe() { if is_on_multicorn2; then echo docker/multicorn2.Dockerfile; else echo docker/Dockerfile; fi; }

require_multicorn2() {
    [ -n "${MULTICORN2_IMAGE:-}" ] ||
        fail "HOST=multicorn2 needs MULTICORN2_IMAGE=..., an image that has Multicorn2 on PostgreSQL 17 (docs/multicorn2.md)"
    have_image "$MULTICORN2_IMAGE" || docker pull --quiet "$MULTICORN2_IMAGE" > /dev/null ||
        fail "the image MULTICORN2_IMAGE=$MULTICORN2_IMAGE is not here and cannot be fetched"
}

choose_base() {
    if [ -n "${BASE_IMAGE:-}" ]; then return; fi
    for BASE_IMAGE in "$public_base" "$own_base"; do
        if have_image "$BASE_IMAGE"; then return; fi
    done
    BASE_IMAGE=$public_base
    step "Fetching the base image $public_base"
    if docker pull --quiet "$public_base" > /dev/null 2>&1; then return; fi
    say "    no image registry can be reached"
    BASE_IMAGE=$own_base
    docker/base.sh "$own_base"
}

# What this machine's own tools trust, the builder must trust too; the file is ignored by git.
copy_certificates() {
    local bundle=${PIP_CERT:-${SSL_CERT_FILE:-}} copy=docker/ca/host.crt
    if [ -n "$bundle" ] && [ -f "$bundle" ]; then
        # Unchanged is untouched: the cache of the classic builder looks at contents, that of others at times too.
        cmp -s "$bundle" "$copy" || cp "$bundle" "$copy"
    else
        rm -f "$copy"
    fi
}

build_arguments() {
    local name
    if is_on_multicorn2; then
        printf '%s\n' --build-arg "MULTICORN2_IMAGE=$MULTICORN2_IMAGE"
    else
        printf '%s\n' --build-arg "BASE_IMAGE=$BASE_IMAGE"
    fi
    for name in DEBIAN_MIRROR DEBIAN_SECURITY_MIRROR PIP_INDEX_URL PIP_EXTRA_INDEX_URL; do
        if [ -n "${!name:-}" ]; then printf '%s\n' --build-arg "$name"; fi
    done
    if [ -n "${NO_CACHE:-}" ]; then printf '%s\n' --no-cache; fi
}

# Of the output only what is being done; all of it is in the log.
show_steps() { grep --line-buffered -E '^(Step [0-9/]+ : (FROM|RUN|COPY)|#[0-9]+ \[)' | cut -c 1-110 | sed -u 's/^/    /' || true; }

build() {
    local arguments=()
    mapfile -t arguments < <(build_arguments)
    docker build "${arguments[@]}" --file "${recipe:-$(choose_recipe)}" --target "$target" --tag "$tag" . 2>&1 |
        tee "$log_file" | show_steps
}

require_docker
mkdir -p build
if is_on_multicorn2; then require_multicorn2; else choose_base; fi
copy_certificates
step "Building $tag (the first time takes a few minutes; log: $log_file)"
if ! build; then
    tail -n 25 "$log_file" >&2
    fail "the image could not be built (see above and $log_file); in a closed network see \"Closed networks\" in docker/Dockerfile"
fi
