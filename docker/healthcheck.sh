#!/bin/bash
# Healthy: a query over TCP lists the session folder. The socket would answer before the first start is complete.
# No process but one: the engine kills a check that takes too long. Where the server is the container's first process,
# what that leaves behind becomes its child, and it takes its death for that of a backend and ends all connections.
set -eu
if [ "$EUID" = 0 ]; then exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0"; fi
export HOME=/var/lib/postgresql PGPASSFILE=/var/run/postgresql/.rvbbit_health PGCONNECT_TIMEOUT=5
export PGOPTIONS='-c statement_timeout=8s'

database=
while IFS= read -r line; do
    case $line in
        "cron.database_name = '"*) database=${line#*\'} database=${database%\'} database=${database//\'\'/\'} ;;
    esac
done < /var/run/postgresql/rvbbit.conf

exec psql --no-password --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --host=127.0.0.1 \
    --port="${PGPORT:-5432}" --username=rvbbit_health --dbname="$database" --file=/opt/rvbbit/healthcheck.sql
