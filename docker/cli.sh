#!/bin/sh
# The command line in the image: over the server's own socket, as the login for people, unless told otherwise.
set -eu
run=/var/run/postgresql
export PYTHONPATH=/opt/rvbbit/cli PYTHONDONTWRITEBYTECODE=1
command='from rvbbit_cli.start import run; run()'

serves_here() { [ -S "$run/.s.PGSQL.${PGPORT:-5432}" ]; }

# Those of any of its processes. The container's first one may be the engine's own, with root's groups (--init).
server_groups() {
    for status in /proc/[0-9]*/status; do
        if grep -qsx 'Name:[[:space:]]*postgres' "$status"; then
            sed -n 's/^Groups:[[:space:]]*//p' "$status" | tr -s ' ' ',' | sed 's/,$//'
            return
        fi
    done
}

# As the server's user with the server's groups: what can be read is then what the server can read.
step_down() {
    groups=$(server_groups)
    export HOME=/var/lib/postgresql USER=postgres
    exec setpriv --reuid=postgres --regid=postgres --groups="${groups:-999}" python3.13 -c "$command" "$@"
}

if serves_here; then
    export PGHOST="${PGHOST-$run}" PGPORT="${PGPORT-5432}" SESSION_DIR="${SESSION_DIR-/sessions}"
    export PGDATABASE="${PGDATABASE-$(sed -n "s/^cron\.database_name = '\(.*\)'$/\1/p" "$run/rvbbit.conf" | sed "s/''/'/g")}"
    if [ "$(id -u)" = 0 ]; then step_down "$@"; fi
fi
exec python3.13 -c "$command" "$@"
