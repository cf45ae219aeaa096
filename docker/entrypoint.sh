#!/usr/bin/env bash
# Starts PostgreSQL with RVBBIT's sessions, by the conventions of the official PostgreSQL image:
#   POSTGRES_USER, POSTGRES_DB, POSTGRES_PASSWORD, POSTGRES_INITDB_ARGS, POSTGRES_INITDB_WALDIR,
#   POSTGRES_HOST_AUTH_METHOD, PGDATA; NAME_FILE instead of NAME for secrets; /docker-entrypoint-initdb.d;
#   arguments that start with "-" go to postgres; any other command is run as it is.
# RVBBIT_TLS_CERT_FILE and RVBBIT_TLS_KEY_FILE turn TLS on, for all connections over TCP.
# Unlike there, POSTGRES_DB is "rvbbit" by default, RVBBIT_PASSWORD is the password of the login "rvbbit" (each of the
# two passwords stands in for the other), a first start that was interrupted is begun again, and what serves the
# sessions is brought up to date at every start.
set -Eeuo pipefail

readonly here=/opt/rvbbit
readonly session_folder=/sessions
readonly snapshot_folder=/var/lib/rvbbit
readonly run_folder=/var/run/postgresql

log() { printf 'entrypoint: %s\n' "$*"; }
fail() { printf 'entrypoint: error: %s\n' "$*" >&2; exit 1; }

is_root() { [ "$(id -u)" = 0 ]; }

# --- Environment ------------------------------------------------------------------------------------------------

# NAME may be given as it is or as NAME_FILE, the path of a file that holds it.
file_env() {
    local name=$1 file_name=$1_FILE value=${2:-}
    if [ -n "${!name:-}" ] && [ -n "${!file_name:-}" ]; then
        fail "both $name and $file_name are set (but are exclusive)"
    fi
    if [ -n "${!name:-}" ]; then
        value=${!name}
    elif [ -n "${!file_name:-}" ]; then
        value=$(< "${!file_name}")
    fi
    export "$name=$value"
    unset "$file_name"
}

setup_environment() {
    file_env POSTGRES_PASSWORD
    file_env RVBBIT_PASSWORD
    file_env POSTGRES_USER postgres
    file_env POSTGRES_DB rvbbit
    file_env POSTGRES_INITDB_ARGS
    : "${POSTGRES_HOST_AUTH_METHOD:=}"
    : "${POSTGRES_PASSWORD:=$RVBBIT_PASSWORD}"
    : "${RVBBIT_PASSWORD:=$POSTGRES_PASSWORD}"
    # A scram exchange carries UTF-8 without NUL or line ends: such a value would lock everybody out.
    case "$POSTGRES_PASSWORD$RVBBIT_PASSWORD" in
        *$'\n'*) fail "a password may not hold a line end" ;;
    esac
    export POSTGRES_HOST_AUTH_METHOD POSTGRES_PASSWORD RVBBIT_PASSWORD
}

is_initialized() { [ -s "$PGDATA/PG_VERSION" ]; }

verify_minimum_environment() {
    if [ "$POSTGRES_HOST_AUTH_METHOD" = trust ]; then
        log "warning: POSTGRES_HOST_AUTH_METHOD=trust lets anyone who reaches the port in without a password"
    elif [ -z "$POSTGRES_PASSWORD" ]; then
        fail "no password given: set RVBBIT_PASSWORD (for the login \"rvbbit\") or POSTGRES_PASSWORD," \
            "for example \"-e RVBBIT_PASSWORD=...\" on \"docker run\""
    fi
}

# --- As root: folders, then down to the user postgres ---------------------------------------------------------------

# Only what is not owned yet is touched: a blanket chown takes minutes on a large cluster.
own_folder() {
    local folder=$1 mode=$2
    mkdir -p "$folder"
    find "$folder" -maxdepth 0 ! -user postgres -exec chown postgres:postgres {} + || true
    chmod "$mode" "$folder" || true
    # Without DAC_OVERRIDE root cannot look into a folder that already is the server's own, nor needs to.
    find "$folder" ! -user postgres -exec chown postgres:postgres {} + 2> /dev/null || true
}

own_folders() {
    own_folder "$PGDATA" 0700
    own_folder "$snapshot_folder" 0700
    own_folder "$run_folder" 3777
    if [ -n "${POSTGRES_INITDB_WALDIR:-}" ]; then own_folder "$POSTGRES_INITDB_WALDIR" 0700; fi
}

# A volume that the image made is open to any user, so that "--user" can take it; PostgreSQL wants it closed.
close_data_folder() {
    mkdir -p "$PGDATA"
    chmod 0700 "$PGDATA" || true
}

# A certificate and its key are copied to where only the server can read them: PostgreSQL takes no key that others may
# read, and a mounted one rarely is the server's own. What root may not read the server's user may, perhaps.
take_tls_file() {
    local name=$1 folder
    case "${!name}" in "$run_folder"/tls.*) return ;; esac
    if [ ! -r "${!name}" ]; then return; fi
    folder=$(mktemp -d "$run_folder/tls.XXXXXX")
    (umask 077 && cat "${!name}" > "$folder/$2")
    if is_root; then chown -R postgres:postgres "$folder"; fi
    export "$name=$folder/$2"
}

take_tls_files() {
    if [ -z "${RVBBIT_TLS_CERT_FILE:-}${RVBBIT_TLS_KEY_FILE:-}" ]; then return; fi
    if [ -z "${RVBBIT_TLS_CERT_FILE:-}" ] || [ -z "${RVBBIT_TLS_KEY_FILE:-}" ]; then
        fail "RVBBIT_TLS_CERT_FILE and RVBBIT_TLS_KEY_FILE belong together; set both or none"
    fi
    take_tls_file RVBBIT_TLS_CERT_FILE server.crt
    take_tls_file RVBBIT_TLS_KEY_FILE server.key
}

require_tls_files() {
    local name folder
    for folder in "$run_folder"/tls.*; do  # those of earlier starts
        case "${RVBBIT_TLS_CERT_FILE:-} ${RVBBIT_TLS_KEY_FILE:-}" in *"$folder/"*) ;; *) rm -rf "$folder" ;; esac
    done
    for name in RVBBIT_TLS_CERT_FILE RVBBIT_TLS_KEY_FILE; do
        case "${!name:-}" in '' | "$run_folder"/tls.*) continue ;; esac
        fail "cannot read ${!name}, which $name names: it is $(stat -c 'mode %a of uid %u, gid %g' "${!name}" 2> /dev/null ||
            echo 'not there'), and the server runs as uid $(id -u) with groups $(id -G | tr ' ' ,)"
    done
}

# The groups to run with: those given to the container, and those that own the sessions, so that files which only
# their group may read (0640) can be read here too. Never the group 0.
session_groups() {
    {
        id -G | tr ' ' '\n'
        find "$session_folder" -maxdepth 0 -printf '%G\n' || true
        find "$session_folder" -maxdepth 1 -name '*.duckdb' -printf '%G\n' || true
    } 2> /dev/null | sort -un | grep -vx 0 | head -n 32 | paste -sd, -
}

# setpriv and not gosu, which forgets supplementary groups.
step_down() {
    local groups
    groups=$(session_groups || true)
    exec env HOME=/var/lib/postgresql USER=postgres setpriv --reuid=postgres --regid=postgres \
        --groups="999${groups:+,$groups}" "$0" "$@"
}

# --- First start --------------------------------------------------------------------------------------------------

# A cluster is made in here and moved up when it is complete, PG_VERSION last: a start that was interrupted before is
# seen by this folder and begun again.
unfinished_folder() { echo "$PGDATA/.unfinished"; }

clear_interrupted_start() {
    [ -d "$(unfinished_folder)" ] || return 0
    log "an earlier first start was interrupted; starting over"
    find "$PGDATA" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
    if [ -n "${POSTGRES_INITDB_WALDIR:-}" ]; then find "$POSTGRES_INITDB_WALDIR" -mindepth 1 -delete; fi
}

require_empty_folder() {
    if find "$PGDATA" -mindepth 1 -maxdepth 1 ! -name lost+found | grep -q .; then
        fail "$PGDATA holds files but no PostgreSQL cluster; mount an empty volume there"
    fi
}

# The password goes by a file descriptor, so that no process list shows it.
init_cluster() {
    local arguments=()
    # As in the official image: words as the shell splits them.
    eval "arguments=(${POSTGRES_INITDB_ARGS:-})"
    if [ -n "${POSTGRES_INITDB_WALDIR:-}" ]; then arguments+=(--waldir "$POSTGRES_INITDB_WALDIR"); fi
    initdb --pgdata="$1" --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") \
        --encoding=UTF8 --locale=C.UTF-8 --locale-provider=builtin --builtin-locale=C.UTF-8 \
        --auth-local=trust --auth-host=scram-sha-256 "${arguments[@]}"
}

allow_hosts() {
    printf '\nhost all all all %s\n' "${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >> "$PGDATA/pg_hba.conf"
}

process_init_file() {
    local file=$1
    case "$file" in
        *.sh)
            if [ -x "$file" ]; then log "running $file"; "$file"; else
                log "sourcing $file"
                # shellcheck disable=SC1090  # the user's own
                . "$file"
            fi ;;
        *.sql) log "running $file"; process_sql -f "$file" ;;
        *.sql.gz) log "running $file"; gunzip -c "$file" | process_sql ;;
        *.sql.xz) log "running $file"; xzcat "$file" | process_sql ;;
        *.sql.zst) log "running $file"; zstd -dc "$file" | process_sql ;;
        *) log "ignoring $file" ;;
    esac
}

process_init_files() {
    local file
    for file in /docker-entrypoint-initdb.d/*; do
        if [ -e "$file" ]; then process_init_file "$file"; fi
    done
}

publish_cluster() {
    local unfinished=$1/cluster
    find "$unfinished" -mindepth 1 -maxdepth 1 ! -name PG_VERSION -exec mv -t "$PGDATA" {} +
    sync "$PGDATA" || true
    mv "$unfinished/PG_VERSION" "$PGDATA/"
    rm -rf "$1"
}

first_start() {
    local published=$PGDATA unfinished
    unfinished=$(unfinished_folder)
    verify_minimum_environment
    clear_interrupted_start
    require_empty_folder
    mkdir -m 0700 "$unfinished"
    # Scripts in /docker-entrypoint-initdb.d find the cluster where it is now.
    export PGDATA=$unfinished/cluster
    : > "$run_folder/rvbbit.conf"
    init_cluster "$PGDATA"
    allow_hosts
    create_database
    write_settings "$@"
    start_temporary_server "$@"
    bootstrap
    process_init_files
    first_sync "$@"
    stop_temporary_server
    PGDATA=$published
    publish_cluster "$unfinished"
    log "PostgreSQL init process complete; ready for start up."
}

# --- Every start --------------------------------------------------------------------------------------------------

process_sql() {
    PGHOST='' PGHOSTADDR='' psql --no-password --no-psqlrc --quiet --set=ON_ERROR_STOP=1 \
        --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" "$@"
}

quote_literal() { printf "'%s'" "${1//\'/\'\'}"; }

# The database is made before the first server starts, because pg_cron looks for it from then on. Alone the process
# would take an OID of the system's own range, and pgAdmin hides such databases.
create_database() {
    local name="${POSTGRES_DB//\"/\"\"}"
    case "$POSTGRES_DB" in postgres | template1) return ;; esac
    printf 'CREATE DATABASE "%s" OID = 16384\n' "$name" |
        postgres --single -D "$PGDATA" -c shared_preload_libraries= -c log_min_messages=error postgres > /dev/null
}

memory_limit_bytes() {
    local file value
    for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
        if [ -r "$file" ]; then
            value=$(< "$file")
            # Version 1 says "no limit" by a number near 2^63.
            if [[ $value =~ ^[0-9]+$ ]] && [ "${#value}" -lt 16 ]; then echo "$value"; fi
            return
        fi
    done
}

# Three quarters of the container's memory, shared by as many backends as may exist.
default_memory_limit() {
    local limit connections=$1 share
    limit=$(memory_limit_bytes)
    if [ -z "$limit" ]; then echo 256MB; return; fi
    share=$((limit / 4 * 3 / connections / 1048576))
    if [ "$share" -lt 64 ]; then share=64; fi
    echo "${share}MB"
}

# Half of the container's memory for any one backend, so that none can have the kernel end the server.
default_process_limit() {
    local limit share
    limit=$(memory_limit_bytes)
    share=$((${limit:-3221225472} / 2 / 1048576))
    if [ "$share" -gt 1536 ]; then share=1536; fi
    if [ "$share" -lt 256 ]; then share=256; fi
    echo "${share}MB"
}

# What a container of this memory holds, by the figures of docs/operations.md: 150 MB, and 80 MB beside its limit for
# each statement that takes all that it may.
say_what_fits() {
    local limit connections=$1 fit heavy
    limit=$(memory_limit_bytes)
    if [ -z "$limit" ]; then return; fi
    # Somebody may have set it, in any unit; of what is no whole number nothing is said.
    [[ $(postgres -C rvbbit.memory_limit "${@:3}" 2> /dev/null) =~ ^([0-9]+)\ *([MG])B$ ]] || return 0
    heavy=${BASH_REMATCH[1]}
    if [ "${BASH_REMATCH[2]}" = G ]; then heavy=$((heavy * 1024)); fi
    fit=$(((limit / 1048576 - 150) / (heavy + 80)))
    if [ "$fit" -ge "$connections" ]; then return; fi
    log "this container's memory ($((limit / 1048576)) MB) holds $fit heavy statements at once, max_connections is $connections:" \
        "with more of them the kernel may end the server; give it more memory or fewer connections"
}

write_settings() {
    local connections
    printf 'cron.database_name = %s\n' "$(quote_literal "$POSTGRES_DB")" > "$run_folder/rvbbit.conf"
    connections=$(postgres -C max_connections "${@:2}" 2> /dev/null || echo 100)
    printf "rvbbit.memory_limit = '%s'\n" "$(default_memory_limit "$connections")" >> "$run_folder/rvbbit.conf"
    printf "rvbbit.process_limit = '%s'\n" "$(default_process_limit)" >> "$run_folder/rvbbit.conf"
    say_what_fits "$connections" "$@"
}

# For the server that is to run, not for the temporary one. Whatever pg_hba.conf allows, it is allowed over TLS only.
write_tls_settings() {
    local hba=$run_folder/rvbbit_hba.conf
    if [ -z "${RVBBIT_TLS_CERT_FILE:-}" ]; then return; fi
    printf 'hostnossl all all all reject\ninclude "%s"\n' "$PGDATA/pg_hba.conf" > "$hba"
    printf "ssl = on\nssl_cert_file = %s\nssl_key_file = %s\nhba_file = %s\n" \
        "$(quote_literal "$RVBBIT_TLS_CERT_FILE")" "$(quote_literal "$RVBBIT_TLS_KEY_FILE")" "$(quote_literal "$hba")" \
        >> "$run_folder/rvbbit.conf"
}

# On its socket only: nobody can connect from outside before all is in place. Jobs wait too.
start_temporary_server() {
    shift
    NOTIFY_SOCKET='' pg_ctl -D "$PGDATA" -w -t 3600 -s start -o "$(printf '%q ' "$@" \
        -c listen_addresses= -c cron.launch_active_jobs=off -p "${PGPORT:-5432}")"
}

stop_temporary_server() { pg_ctl -D "$PGDATA" -m fast -w -s stop; }

# The health check has a login of its own, with a password that lives as long as this container's run.
make_health_password() {
    HEALTH_PASSWORD=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
    export HEALTH_PASSWORD
    (umask 077 && printf '127.0.0.1:*:*:rvbbit_health:%s\n' "$HEALTH_PASSWORD" > "$run_folder/.rvbbit_health")
}

bootstrap() {
    make_health_password
    process_sql --set=session_dir="$session_folder" --set=snapshot_dir="$snapshot_folder" --file="$here/bootstrap.sql"
}

# Whoever connects first finds what the policy attaches; the background job would come after ten seconds. What takes
# longer than a start may is left to that job, and so is what goes wrong. Where no jobs are to run this does not either,
# nor where someone switched off the one that does it.
first_sync() {
    case "$(postgres -C cron.launch_active_jobs "${@:2}" 2> /dev/null || true)" in
        [oO][fF]* | [fF]* | [nN]* | 0) return ;;
    esac
    PGOPTIONS='-c statement_timeout=5s -c client_min_messages=warning' process_sql 2> /dev/null << 'SQL' ||
\set is_wanted true
SELECT pg_catalog.to_regclass('cron.job') IS NOT NULL AS has_jobs \gset
\if :has_jobs
SELECT COALESCE(pg_catalog.bool_or(active), true) AS is_wanted FROM cron.job
WHERE command LIKE '%rvbbit.sync(%' AND database = pg_catalog.current_database() \gset
\endif
\if :is_wanted
CALL rvbbit.sync();
\endif
SQL
        log "what is not attached yet is left to the background job"
}

is_standby() { [ -e "$PGDATA/standby.signal" ] || [ -e "$PGDATA/recovery.signal" ]; }

later_start() {
    start_temporary_server "$@"
    # A set-up that someone's own objects stand in the way of must not keep the rest of the database closed.
    if bootstrap; then first_sync "$@"; else
        log "warning: RVBBIT's sessions could not be set up; the server starts without (see the error above)"
    fi
    stop_temporary_server
}

prepare_cluster() {
    if is_initialized; then
        rm -rf "$(unfinished_folder)"
        write_settings "$@"
        if is_standby; then log "this is a standby: nothing is set up here"; else later_start "$@"; fi
    else
        first_start "$@"
    fi
}

# --- Start --------------------------------------------------------------------------------------------------------

wants_help() {
    local argument
    for argument in "$@"; do
        case "$argument" in -'?' | --help | --describe-config | -V | --version | -C) return 0 ;; esac
    done
    return 1
}

# Only the question whether the server could read the session folder, asked with its user and its groups.
is_check() { [ -n "${RVBBIT_ONLY_CHECK:-}" ]; }

run_server() {
    setup_environment
    if is_root; then
        if ! is_check; then own_folders; take_tls_files; fi
        step_down "$@"
    fi
    if is_check; then exec "$here/check-sessions.sh"; fi
    id -un > /dev/null 2>&1 || fail "uid $(id -u) has no name here; run as root or with \"--user 999:999\""
    close_data_folder
    "$here/check-sessions.sh" || true
    take_tls_files
    require_tls_files
    prepare_cluster "$@"
    write_tls_settings
    # Neither the server nor anything that it runs has a use for them.
    unset POSTGRES_PASSWORD RVBBIT_PASSWORD PGPASSWORD HEALTH_PASSWORD
    # What someone's "docker exec" leaves behind goes to process 1. PostgreSQL would take its end for a crash.
    if command -v tini > /dev/null; then exec tini -s -- "$@"; fi
    exec "$@"
}

main() {
    if [ "${1:0:1}" = '-' ]; then set -- postgres "$@"; fi
    if [ "${1:-}" = postgres ] && ! wants_help "$@"; then run_server "$@"; fi
    exec "$@"
}

main "$@"
