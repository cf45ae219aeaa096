#!/bin/sh
# The image's settings without our own host: Multicorn2 is loaded by the backends that use it. With pg_cron if it is there.
set -eu
if [ -e /usr/share/postgresql/17/extension/pg_cron.control ]; then
    sed "s/^shared_preload_libraries *=.*/shared_preload_libraries = 'pg_cron'/" "$1"
else
    sed '/^shared_preload_libraries/d; /^cron\./d; /^# Background jobs/d' "$1"
fi
