#!/bin/sh
# Healthy: a query over TCP lists the session folder. The socket would answer before the first start is complete.
# What it prints is the age of the last sync; with RVBBIT_MAX_SYNC_AGE, in seconds, an older one is unhealthy.
set -eu
if [ "$(id -u)" = 0 ]; then exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0"; fi
export HOME=/var/lib/postgresql PGPASSFILE=/var/run/postgresql/.rvbbit_health PGCONNECT_TIMEOUT=5
database=$(sed -n "s/^cron\.database_name = '\(.*\)'$/\1/p" /var/run/postgresql/rvbbit.conf | sed "s/''/'/g")

# Where sync was never set up there is nothing to say of it.
ask() {
    psql --no-password --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --host=127.0.0.1 \
        --port="${PGPORT:-5432}" --username=rvbbit_health --dbname="$database" << 'SQL'
SELECT session_id FROM public.rvbbit_sessions LIMIT 1 \g /dev/null
SELECT pg_catalog.to_regclass('rvbbit.sync_status') IS NOT NULL AS has_sync
\gset
\if :has_sync
SELECT pg_catalog.round(EXTRACT(epoch FROM pg_catalog.now() - last_run)) FROM rvbbit.sync_status;
\endif
SQL
}

age=$(ask)
if [ -z "$age" ]; then echo "no sync so far"; else echo "last sync $age s ago"; fi
if [ -n "${RVBBIT_MAX_SYNC_AGE:-}" ] && [ "${age:-0}" -gt "$RVBBIT_MAX_SYNC_AGE" ]; then
    echo "older than RVBBIT_MAX_SYNC_AGE, $RVBBIT_MAX_SYNC_AGE s" >&2
    exit 1
fi
