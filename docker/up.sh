#!/usr/bin/env bash
# Builds the image if needed, starts the server over a folder of sessions, waits until a query over TCP works and
# says how to connect. Settings: SESSION_DIR, RVBBIT_PORT, RVBBIT_PASSWORD, RVBBIT_PROJECT (.env.example).
# shellcheck source=docker/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
readonly patience=120   # seconds until the server must be healthy

# --- The session folder -------------------------------------------------------------------------------------------

# Named, else RVBBIT's own, else ./session_dbs, else demo sessions.
choose_session_folder() {
    if [ -n "${SESSION_DIR:-}" ]; then
        [ -d "$SESSION_DIR" ] || fail "the session folder $SESSION_DIR does not exist; name the folder of RVBBIT's sessions by SESSION_DIR=..."
    elif [ -n "${RVBBIT_ROOT:-}" ] && [ -d "$RVBBIT_ROOT/session_dbs" ]; then
        SESSION_DIR=$RVBBIT_ROOT/session_dbs
    elif [ -d session_dbs ]; then
        SESSION_DIR=session_dbs
    else
        SESSION_DIR=$demo_folder
        use_demo_sessions
    fi
    # Without the right to enter it the path stays as it is: the container says what is wrong with the folder.
    SESSION_DIR=$(cd "$SESSION_DIR" 2> /dev/null && pwd || realpath "$SESSION_DIR")
    export SESSION_DIR
}

use_demo_sessions() {
    if [ -d "$demo_folder" ] && [ -n "$(find "$demo_folder" -name '*.duckdb' -print -quit)" ]; then
        step "No session folder was named: serving the demo sessions in $demo_folder (SESSION_DIR=... names yours)"
    else
        step "No session folder was named and there is no session_dbs here: demo sessions go to $demo_folder"
        docker/demo.sh sessions "$demo_folder"
    fi
}

# As the server's user, with the server's groups, through the same mount.
require_readable_folder() {
    local problem
    problem=$(docker run --rm --network none --read-only --cap-drop ALL --cap-add SETUID --cap-add SETGID \
        --volume "$SESSION_DIR:/sessions:ro" --env RVBBIT_ONLY_CHECK=1 "$RVBBIT_IMAGE" 2>&1) ||
        fail "the server may not read $SESSION_DIR: $problem"
}

# --- The server ---------------------------------------------------------------------------------------------------

published_port() {
    docker inspect --format '{{range .NetworkSettings.Ports}}{{range .}}{{.HostPort}} {{end}}{{end}}' "$1" 2> /dev/null || true
}

require_free_port() {
    local container
    case "$RVBBIT_PORT" in
        '' | *[!0-9]*) fail "RVBBIT_PORT is \"$RVBBIT_PORT\", which is no port number; use for example RVBBIT_PORT=5544" ;;
    esac
    container=$(server_container)
    case " $(published_port "$container")" in *" $RVBBIT_PORT "*) return ;; esac
    if (exec 3<> "/dev/tcp/127.0.0.1/$RVBBIT_PORT") 2> /dev/null; then
        fail "port $RVBBIT_PORT is taken by another program; choose another, for example \"make up RVBBIT_PORT=$((RVBBIT_PORT + 1))\""
    fi
}

# The default password is for a port that only this machine reaches.
require_own_password() {
    case "${RVBBIT_ADDRESS:-127.0.0.1}" in 127.* | localhost | ::1) return ;; esac
    if [ "$RVBBIT_PASSWORD" = rvbbit ]; then
        fail "RVBBIT_ADDRESS=$RVBBIT_ADDRESS lets other machines in; choose a password of your own by RVBBIT_PASSWORD=..."
    fi
}

start_server() {
    local output
    step "Starting the server over $SESSION_DIR"
    if output=$(compose up --detach --no-build 2>&1); then return; fi
    case "$output" in
        *"port is already allocated"* | *"address already in use"*)
            fail "port $RVBBIT_PORT is taken by another program; choose another by RVBBIT_PORT=..." ;;
    esac
    printf '%s\n' "$output" >&2
    fail "compose could not start the server (see above)"
}

state_of() { docker inspect --format '{{.State.Status}}/{{.RestartCount}}' "$1"; }

# The image's own health check, asked at once and not at the engine's next round.
is_healthy() { docker exec "$1" /opt/rvbbit/healthcheck.sh > /dev/null 2>&1; }

explain_failure() {
    say
    docker logs --tail 15 "$1" 2>&1 | sed 's/^/    /' >&2
    docker exec "$1" /opt/rvbbit/healthcheck.sh 2>&1 | sed 's/^/    /' >&2 || true
    fail "$2; \"make logs\" shows all of its log"
}

wait_until_healthy() {
    local container state
    container=$(server_container)
    printf '    waiting for the first query '
    while [ "$SECONDS" -lt "$deadline" ]; do
        if is_healthy "$container"; then say " ready"; return; fi
        case "$(state_of "$container")" in
            running/0 | created/0) ;;
            *) explain_failure "$container" "the server did not start" ;;
        esac
        printf '.'
        sleep 0.5
    done
    explain_failure "$container" "the server was not ready after $patience seconds"
}

# --- What to do with it -------------------------------------------------------------------------------------------

percent_encode() {
    local text=$1 character index LC_ALL=C
    for ((index = 0; index < ${#text}; index++)); do
        character=${text:index:1}
        case "$character" in
            [a-zA-Z0-9._~-]) printf '%s' "$character" ;;
            *) printf '%%%02X' "'$character" ;;
        esac
    done
}

show_connection() {
    cat << TEXT

    postgresql://rvbbit:$(percent_encode "$RVBBIT_PASSWORD")@127.0.0.1:$RVBBIT_PORT/rvbbit

    In DBeaver, a new PostgreSQL connection:
      Host      127.0.0.1
      Port      $RVBBIT_PORT
      Database  rvbbit
      Username  rvbbit
      Password  $RVBBIT_PASSWORD

TEXT
}

show_sessions() {
    docker exec "$(server_container)" psql --no-psqlrc --username=rvbbit --dbname=rvbbit --command='
        SELECT session_id, state, round(size_mb::numeric, 2) AS size_mb, modified_at::timestamptz(0)
        FROM rvbbit_sessions ORDER BY modified_at DESC LIMIT 8'
    say "make psql opens a shell there; make help shows what else there is."
}

require_docker
require_compose
require_own_project
require_free_port
require_own_password
choose_session_folder
docker/build.sh server
require_readable_folder
start_server
readonly deadline=$((SECONDS + patience))
wait_until_healthy
show_connection
show_sessions
