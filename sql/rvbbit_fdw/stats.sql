-- What all connections of the server did: numbers alone, so anybody may see them.

CREATE FUNCTION rvbbit.rvbbit_fdw_stats(
    OUT since timestamp with time zone,
    OUT scans bigint,
    OUT lists bigint,
    OUT whole_queries bigint,
    OUT rows_read bigint,
    OUT microseconds bigint,
    OUT fallbacks bigint,
    OUT snapshots bigint,
    OUT cancels bigint,
    OUT abandoned bigint
)
    RETURNS record
    LANGUAGE C STRICT
    AS 'MODULE_PATHNAME', 'rvbbit_fdw_stats';
COMMENT ON FUNCTION rvbbit.rvbbit_fdw_stats() IS 'internal: the row of rvbbit.stats, null if the library is not preloaded';

CREATE FUNCTION rvbbit.reset_stats()
    RETURNS void
    LANGUAGE C STRICT
    AS 'MODULE_PATHNAME', 'rvbbit_fdw_stats_reset';
COMMENT ON FUNCTION rvbbit.reset_stats() IS 'let rvbbit.stats count from zero again';
REVOKE ALL ON FUNCTION rvbbit.reset_stats() FROM PUBLIC;

CREATE VIEW rvbbit.stats AS
    SELECT s.since, s.scans, s.lists, s.whole_queries, s.rows_read, s.microseconds / 1000000.0::double precision AS seconds,
           s.fallbacks, s.snapshots, s.cancels, s.abandoned
    FROM rvbbit.rvbbit_fdw_stats() AS s
    WHERE s.since IS NOT NULL;
GRANT SELECT ON rvbbit.stats TO PUBLIC;
COMMENT ON VIEW rvbbit.stats IS
    'what all connections of the server did, in all databases; no row if rvbbit_fdw is not in shared_preload_libraries';
COMMENT ON COLUMN rvbbit.stats.since IS 'when counting began: the start of the server, or the last rvbbit.reset_stats()';
COMMENT ON COLUMN rvbbit.stats.scans IS 'how often a table of a session was read';
COMMENT ON COLUMN rvbbit.stats.lists IS 'how often rvbbit_sessions, rvbbit_tables, rvbbit_columns or rvbbit.snapshots was read; sync does so too';
COMMENT ON COLUMN rvbbit.stats.whole_queries IS 'queries and subqueries that DuckDB ran as a whole';
COMMENT ON COLUMN rvbbit.stats.rows_read IS 'rows that DuckDB handed over';
COMMENT ON COLUMN rvbbit.stats.seconds IS 'how long statements waited for that, with what opening a session takes';
COMMENT ON COLUMN rvbbit.stats.fallbacks IS 'how often PostgreSQL did what DuckDB could not do as planned';
COMMENT ON COLUMN rvbbit.stats.snapshots IS 'copies of sessions that were made';
COMMENT ON COLUMN rvbbit.stats.cancels IS 'calls that ended by cancel, timeout or the end of their connection';
COMMENT ON COLUMN rvbbit.stats.abandoned IS 'of these, the ones that DuckDB did not end in time: they ran on for a while';
