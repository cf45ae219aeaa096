#!/bin/sh
# Healthy: a query over TCP lists the session folder. The socket would answer before the first start is complete.
set -eu
if [ "$(id -u)" = 0 ]; then exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0"; fi
export HOME=/var/lib/postgresql PGPASSFILE=/var/run/postgresql/.rvbbit_health PGCONNECT_TIMEOUT=5
database=$(sed -n "s/^cron\.database_name = '\(.*\)'$/\1/p" /var/run/postgresql/rvbbit.conf | sed "s/''/'/g")
exec psql --no-password --no-psqlrc --quiet --tuples-only --output=/dev/null --host=127.0.0.1 \
    --port="${PGPORT:-5432}" --username=rvbbit_health --dbname="$database" \
    --command='SELECT session_id FROM public.rvbbit_sessions LIMIT 1'
