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
