-- What healthcheck.sh asks. It prints the age of the last sync; with RVBBIT_MAX_SYNC_AGE, in seconds, an older one fails.
SELECT session_id FROM public.rvbbit_sessions LIMIT 1 \g /dev/null

-- Where sync was never set up there is nothing to say of it.
SELECT pg_catalog.to_regclass('rvbbit.sync_status') IS NOT NULL AS has_sync \gset
\if :has_sync
SELECT pg_catalog.round(EXTRACT(epoch FROM pg_catalog.now() - (SELECT last_run FROM rvbbit.sync_status))) AS age \gset
\endif

\if :{?age}
\echo last sync :age s ago
\set most ''
\getenv most RVBBIT_MAX_SYNC_AGE
SELECT COALESCE(:age > NULLIF(:'most', '')::numeric, false) AS is_too_old \gset
\else
\echo no sync so far
\set is_too_old false
\endif

-- No row for \gset is an error of psql's own, of which the server's log has nothing.
\if :is_too_old
\warn older than RVBBIT_MAX_SYNC_AGE, :most s
SELECT WHERE false \gset
\endif
