-- Row estimates: what DuckDB knows of a session's tables, where the planner and other tools look for it.

-- Rows take about as much space as in an ordinary table: 28 bytes and the columns, of unknown width 32 bytes each.
CREATE FUNCTION rvbbit._pages(relation oid, estimated_rows bigint)
    RETURNS integer
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    RETURN (SELECT LEAST(pg_catalog.ceil(estimated_rows * (28.0 + pg_catalog.sum(
                             CASE WHEN a.attlen > 0 THEN a.attlen ELSE 32 END)) / 8168), 2147483647)::integer
            FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped);
COMMENT ON FUNCTION rvbbit._pages(oid, bigint) IS 'internal: pages that an ordinary table of so many rows would have';

-- Written only where it differs by more than a tenth. A view has no estimate and stays as it is.
CREATE PROCEDURE rvbbit._estimate(session text, tables oid[])
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    WITH wanted AS MATERIALIZED (
        SELECT s.schema_name, s.table_name, s.estimated_rows
        FROM public.rvbbit_tables AS s
        WHERE s.session_id = session AND s.estimated_rows IS NOT NULL
    ), present AS MATERIALIZED (
        SELECT t.ftrelid, pg_catalog.jsonb_object_agg(o.option_name, o.option_value) AS options
        FROM pg_catalog.pg_foreign_table AS t, pg_catalog.pg_options_to_table(t.ftoptions) AS o
        WHERE t.ftrelid = ANY (tables)
        GROUP BY t.ftrelid
    )
    UPDATE pg_catalog.pg_class AS c
    SET reltuples = w.estimated_rows, relpages = rvbbit._pages(c.oid, w.estimated_rows)
    FROM wanted AS w
    JOIN present AS p ON p.options ->> 'table_name' = w.table_name
                     AND COALESCE(p.options ->> 'schema_name', 'main') = w.schema_name
    WHERE c.oid = p.ftrelid
      AND (c.reltuples < 0 OR pg_catalog.abs(c.reltuples - w.estimated_rows) > 0.1 * w.estimated_rows);
END
$$;
COMMENT ON PROCEDURE rvbbit._estimate(text, oid[]) IS 'internal: give foreign tables the row counts that DuckDB knows';

-- Whoever imports, and into whichever schema.
CREATE FUNCTION rvbbit._on_import()
    RETURNS event_trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    imported record;
BEGIN
    FOR imported IN
        SELECT o.option_value AS session, pg_catalog.array_agg(t.ftrelid) AS tables
        FROM pg_catalog.pg_event_trigger_ddl_commands() AS d
        JOIN pg_catalog.pg_foreign_table AS t ON t.ftrelid = d.objid
        JOIN pg_catalog.pg_foreign_server AS s ON s.oid = t.ftserver,
        pg_catalog.pg_options_to_table(t.ftoptions) AS o
        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
          AND s.srvname = rvbbit._server() AND o.option_name = 'session'
        GROUP BY o.option_value
    LOOP
        CALL rvbbit._estimate(imported.session, imported.tables);
    END LOOP;
END
$$;
COMMENT ON FUNCTION rvbbit._on_import() IS 'internal: row estimates for tables that were just imported';
REVOKE ALL ON FUNCTION rvbbit._on_import() FROM PUBLIC;

CREATE EVENT TRIGGER rvbbit_import ON ddl_command_end WHEN TAG IN ('IMPORT FOREIGN SCHEMA')
    EXECUTE FUNCTION rvbbit._on_import();
COMMENT ON EVENT TRIGGER rvbbit_import IS 'row estimates for tables that were just imported';
