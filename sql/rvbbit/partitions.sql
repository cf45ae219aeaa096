-- A session's table is shown as it is, a foreign table, or as an ordinary table: a partitioned one of which the foreign
-- table is the only partition, so that clients that list no foreign tables find it. The partitions of all sessions are
-- in one schema; readers have no rights there.

CREATE FUNCTION rvbbit._partition_schema()
    RETURNS name
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    RETURN 'rvbbit_partitions'::pg_catalog.name;
COMMENT ON FUNCTION rvbbit._partition_schema() IS 'internal: the schema of the foreign tables behind ordinary ones';

-- One that a person gave another partition, or another owner, is theirs: it is left alone.
CREATE VIEW rvbbit._partitions AS
    SELECT i.inhparent AS table_oid, i.inhrelid AS part_oid
    FROM pg_catalog.pg_inherits AS i
    JOIN pg_catalog.pg_class AS t ON t.oid = i.inhparent AND t.relkind = 'p'
    JOIN pg_catalog.pg_class AS p ON p.oid = i.inhrelid AND p.relkind = 'f' AND p.relowner = t.relowner
    JOIN pg_catalog.pg_namespace AS n ON n.oid = p.relnamespace AND n.nspowner = t.relowner
    WHERE n.nspname = rvbbit._partition_schema()
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits AS o
                      WHERE o.inhparent = i.inhparent AND o.inhrelid <> i.inhrelid);
COMMENT ON VIEW rvbbit._partitions IS 'internal: ordinary tables that show sessions, each with its foreign table';
