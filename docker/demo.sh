#!/usr/bin/env bash
# Demo sessions, written by DuckDB 1.4.2 in a container, so that the host needs no Python.
#   docker/demo.sh sessions <folder>      writes them; never where files already are
#   docker/demo.sh live <folder>          keeps one session open for a minute and adds phases to it
# shellcheck source=docker/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
readonly command=$1 folder=$2

is_empty() { [ -z "$(find "$1" -mindepth 1 -maxdepth 1 -print -quit)" ]; }

# The files belong to who runs this, not to root.
run_demo() {
    docker run --rm --init --network none --user "$(id -u):$(id -g)" \
        --volume "$(cd "$folder" && pwd):/demo" "$demo_image" "$@" /demo
}

require_docker
mkdir -p "$folder"
case "$command" in
    sessions)
        is_empty "$folder" || fail "the folder $folder is not empty; demo sessions are written to an empty folder only"
        docker/build.sh demo "$demo_image"
        step "Writing demo sessions to $folder"
        run_demo rvbbit_demo.sessions ;;
    live)
        docker/build.sh demo "$demo_image"
        step "A writer keeps a session of $folder open and adds to it; read it meanwhile (make psql)"
        run_demo rvbbit_demo.live ;;
    *) fail "unrecognized command \"$command\"; there are sessions and live" ;;
esac
