-- What the snapshot store holds, under the schema where operators look for such things.

-- plpgsql: public.rvbbit_snapshots is made by setup(), later than this.
CREATE FUNCTION rvbbit._snapshots()
    RETURNS TABLE (session_id text, taken_at timestamp with time zone, age_seconds double precision,
                   last_used_at timestamp with time zone, size_bytes bigint, is_current boolean)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT s.session_id, s.taken_at, s.age_seconds, s.last_used_at, s.size_bytes, s.is_current
        FROM public.rvbbit_snapshots AS s;
END
$$;
COMMENT ON FUNCTION rvbbit._snapshots() IS 'internal: the rows of rvbbit.snapshots';

CREATE VIEW rvbbit.snapshots AS SELECT * FROM rvbbit._snapshots();
COMMENT ON VIEW rvbbit.snapshots IS 'the copies of sessions that queries read, shared by all connections';
COMMENT ON COLUMN rvbbit.snapshots.session_id IS 'the session; null if it has left the folder';
COMMENT ON COLUMN rvbbit.snapshots.taken_at IS 'when the copy was made';
COMMENT ON COLUMN rvbbit.snapshots.age_seconds IS 'seconds since then';
COMMENT ON COLUMN rvbbit.snapshots.last_used_at IS 'when a statement last began to read it';
COMMENT ON COLUMN rvbbit.snapshots.size_bytes IS 'what it takes on disk';
COMMENT ON COLUMN rvbbit.snapshots.is_current IS 'whether the session has not changed since';
