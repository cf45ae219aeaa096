# Shared by the scripts of this folder, which source it: settings, messages, Docker and compose.
# shellcheck shell=bash
set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '%s\n' "$*"; }
step() { printf '==> %s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# --- Settings ---------------------------------------------------------------------------------------------------

# NAME=value lines of .env; what is already in the environment (or on make's command line) wins.
load_dotenv() {
    local name value
    [ -f .env ] || return 0
    while IFS='=' read -r name value || [ -n "$name" ]; do
        name=${name//[[:space:]]/}
        case "$name" in '' | '#'*) continue ;; esac
        value=${value%$'\r'}
        case "$value" in \"*\" | \'*\') value=${value:1:-1} ;; esac
        if [ -z "${!name+set}" ]; then export "$name=$value"; fi
    done < .env
}

load_dotenv
export RVBBIT_PORT=${RVBBIT_PORT:-5433}
export RVBBIT_PASSWORD=${RVBBIT_PASSWORD:-rvbbit}
# Which host runs the brain: our own, or multicorn2 on an image that has it. Each has names of its own.
export RVBBIT_HOST=${RVBBIT_HOST:-rvbbit_fdw}
case "$RVBBIT_HOST" in
    rvbbit_fdw) name=rvbbit-fdw ;;
    multicorn2) name=rvbbit-fdw-multicorn2 ;;
    *) fail "HOST is \"$RVBBIT_HOST\"; it is rvbbit_fdw (the default) or multicorn2" ;;
esac
export RVBBIT_PROJECT=${RVBBIT_PROJECT:-$name}
export RVBBIT_IMAGE=${RVBBIT_IMAGE:-$name:latest}
readonly demo_image=rvbbit-fdw-demo:latest
readonly demo_folder=demo_sessions

# --- Docker -----------------------------------------------------------------------------------------------------

# Each way in which Docker is missing has its own cure.
require_docker() {
    local problem
    command -v docker > /dev/null ||
        fail "the command \"docker\" was not found; install Docker Engine (or Docker Desktop) and try again"
    if problem=$(docker version --format '{{.Server.Version}}' 2>&1); then return; fi
    case "$problem" in
        *"permission denied"*)
            fail "no permission to use Docker; join its group with \"sudo usermod -aG docker $(id -un)\" and log in again, or use sudo" ;;
        *)
            fail "the Docker daemon does not answer${DOCKER_HOST:+ at $DOCKER_HOST}; start it with \"sudo systemctl start docker\" (or start Docker Desktop) and try again" ;;
    esac
}

compose_command=()
require_compose() {
    if docker compose version > /dev/null 2>&1; then
        compose_command=(docker compose)
    elif command -v docker-compose > /dev/null; then
        compose_command=(docker-compose)
    else
        fail "Docker has no compose; install the package docker-compose-plugin (or docker-compose) and try again"
    fi
}

# .env was read above, in one way for all versions of compose: theirs is told to read an empty file.
compose() {
    [ "${#compose_command[@]}" -gt 0 ] || require_compose
    mkdir -p build && : > build/empty.env
    "${compose_command[@]}" --project-name "$RVBBIT_PROJECT" --env-file build/empty.env --file docker/compose.yaml \
        ${RVBBIT_COMPOSE_FILE:+--file "$RVBBIT_COMPOSE_FILE"} "$@"
}

# The server's container of this project, empty if there is none; also a stopped one.
server_container() {
    docker ps --all --quiet --latest --filter "label=com.docker.compose.project=$RVBBIT_PROJECT" \
        --filter label=com.docker.compose.service=server
}

# Two checkouts under one name would take each other's container away.
require_own_project() {
    local container owner
    container=$(server_container)
    [ -n "$container" ] || return 0
    owner=$(docker inspect --format '{{index .Config.Labels "com.docker.compose.project.working_dir"}}' "$container")
    if [ -n "$owner" ] && [ "$owner" != "$PWD/docker" ]; then
        fail "another checkout (${owner%/docker}) uses the name \"$RVBBIT_PROJECT\"; choose another by RVBBIT_PROJECT=... and RVBBIT_PORT=..."
    fi
}

require_running_server() {
    local container
    container=$(server_container)
    if [ -z "$container" ] || [ "$(docker inspect --format '{{.State.Running}}' "$container")" != true ]; then
        fail "the server is not running; start it with \"make up\""
    fi
}
