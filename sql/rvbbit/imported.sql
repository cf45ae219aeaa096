-- What every import adds to its foreign tables, whoever imports: DuckDB's row counts, where the planner and other tools
-- look for them, and comments.

-- Rows take about as much space as in an ordinary table: 28 bytes and the columns, of unknown width 32 bytes each.
CREATE FUNCTION rvbbit._row_bytes(relations oid[])
    RETURNS TABLE (relation oid, bytes numeric)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT a.attrelid, 28.0 + pg_catalog.sum(CASE WHEN a.attlen > 0 THEN a.attlen ELSE 32 END)
    FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = ANY (relations) AND a.attnum > 0 AND NOT a.attisdropped
    GROUP BY a.attrelid;
END;
COMMENT ON FUNCTION rvbbit._row_bytes(oid[]) IS 'internal: what a row would take in ordinary tables of such columns';

CREATE FUNCTION rvbbit._shown_by(tables oid[])
    RETURNS TABLE (table_oid oid, session text, schema_name text, table_name text, part_oid oid)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT r.oid, o.options ->> 'session', COALESCE(o.options ->> 'schema_name', 'main'), o.options ->> 'table_name',
           t.ftrelid
    FROM (SELECT u.oid, COALESCE((SELECT p.part_oid FROM rvbbit._partitions AS p WHERE p.table_oid = u.oid), u.oid)
          FROM pg_catalog.unnest(tables) AS u (oid)) AS r (oid, part_oid)
    JOIN pg_catalog.pg_foreign_table AS t ON t.ftrelid = r.part_oid
    JOIN pg_catalog.pg_foreign_server AS s ON s.oid = t.ftserver
    CROSS JOIN LATERAL (SELECT pg_catalog.jsonb_object_agg(p.option_name, p.option_value)
                        FROM pg_catalog.pg_options_to_table(t.ftoptions) AS p) AS o (options)
    WHERE s.srvname = rvbbit._server();
END;
COMMENT ON FUNCTION rvbbit._shown_by(oid[]) IS 'internal: what foreign tables, or tables before them, show';

-- As rvbbit._imports describes them: a list is read once for all that is to be said of its tables. Comments only where
-- they are asked for, because the server's encoding may not have their characters.
CREATE FUNCTION rvbbit._tables_shown(session text, tables oid[], comments boolean)
    RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known jsonb;
BEGIN
    IF comments THEN
        SELECT s.tables INTO known FROM rvbbit._imports AS s WHERE s.session_id = session;
    ELSE
        SELECT s.uncommented INTO known FROM rvbbit._imports AS s WHERE s.session_id = session;
    END IF;
    RETURN (
        SELECT COALESCE(pg_catalog.jsonb_agg(k.item || pg_catalog.jsonb_build_object(
                   'table_oid', t.table_oid, 'part_oid', t.part_oid)), '[]')
        FROM pg_catalog.jsonb_array_elements(known) AS k (item)
        JOIN rvbbit._shown_by(tables) AS t
             ON t.schema_name = k.item ->> 'schema_name' AND t.table_name = k.item ->> 'table_name'
        WHERE t.session = _tables_shown.session);
END
$$;
COMMENT ON FUNCTION rvbbit._tables_shown(text, oid[], boolean) IS 'internal: what is known of the tables that foreign tables show';

-- Written only where it differs by more than a tenth. A view has no estimate and stays as it is.
CREATE PROCEDURE rvbbit._estimate(shown jsonb)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    WITH known AS MATERIALIZED (
        SELECT s.* FROM pg_catalog.jsonb_to_recordset(shown) AS s (table_oid oid, part_oid oid, estimated_rows bigint)
        WHERE s.estimated_rows IS NOT NULL
    ), sized AS MATERIALIZED (  -- in the UPDATE itself it would be computed several times for each row
        SELECT k.*, LEAST(pg_catalog.ceil(k.estimated_rows * b.bytes / 8168), 2147483647)::integer AS pages
        FROM known AS k
        JOIN rvbbit._row_bytes(ARRAY(SELECT o.table_oid FROM known AS o)) AS b ON b.relation = k.table_oid
    )
    UPDATE pg_catalog.pg_class AS c SET reltuples = s.estimated_rows, relpages = s.pages
    FROM sized AS s
    WHERE c.oid IN (s.table_oid, s.part_oid)
      AND (c.reltuples < 0 OR pg_catalog.abs(c.reltuples - s.estimated_rows) > 0.1 * s.estimated_rows);
END
$$;
COMMENT ON PROCEDURE rvbbit._estimate(jsonb) IS 'internal: give tables the row counts that DuckDB knows';

CREATE FUNCTION rvbbit._column_comments(relation oid, comments jsonb)
    RETURNS SETOF text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
        SELECT pg_catalog.format('COMMENT ON COLUMN %s.%I IS %L', relation::pg_catalog.regclass, a.attname, c.value)
        FROM pg_catalog.jsonb_each_text(comments) AS c
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = relation AND a.attname = c.key;
END
$$;
COMMENT ON FUNCTION rvbbit._column_comments(oid, jsonb) IS 'internal: commands that make the comments on imported columns';

CREATE PROCEDURE rvbbit._describe(session text, shown jsonb, comments boolean)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    item record;
    command text;
BEGIN
    CALL rvbbit._estimate(shown);
    IF NOT comments THEN
        RETURN;
    END IF;
    FOR item IN
        SELECT s.* FROM pg_catalog.jsonb_to_recordset(shown) AS s (table_oid oid, part_oid oid, kind text,
                                                                   estimated_rows bigint, comment text, column_comments jsonb)
    LOOP
        EXECUTE pg_catalog.format('COMMENT ON %s TABLE %s IS %L',
                                  CASE WHEN item.table_oid = item.part_oid THEN 'FOREIGN' ELSE '' END,
                                  item.table_oid::pg_catalog.regclass,
                                  pg_catalog.format('%s of the RVBBIT session "%s"', item.kind, session)
                                  || COALESCE(', ' || item.estimated_rows || ' rows when imported', '')
                                  || COALESCE(': ' || item.comment, ''));
        -- Most tables need none, and to ask costs more than to tell.
        IF item.column_comments <> '{}' THEN
            FOR command IN SELECT rvbbit._column_comments(item.table_oid, item.column_comments) LOOP
                EXECUTE command;
            END LOOP;
        END IF;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE rvbbit._describe(text, jsonb, boolean) IS 'internal: row counts and comments of tables that were just imported';

CREATE FUNCTION rvbbit._on_import()
    RETURNS event_trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- The option of the command, as its host passes it on.
    comments CONSTANT boolean := COALESCE(pg_catalog.current_setting('rvbbit.import_comments', true), 'on')::boolean;
    tables oid[];
    session text;
BEGIN
    -- A table is there once for itself and once for each column that has options. Partitions are described with the
    -- tables before them.
    tables := ARRAY(SELECT DISTINCT d.objid FROM pg_catalog.pg_event_trigger_ddl_commands() AS d
                    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      AND d.schema_name <> rvbbit._partition_schema());
    IF tables = '{}' THEN
        RETURN;
    END IF;
    FOR session IN SELECT DISTINCT t.session FROM rvbbit._shown_by(tables) AS t WHERE t.session IS NOT NULL LOOP
        CALL rvbbit._describe(session, rvbbit._tables_shown(session, tables, comments), comments);
    END LOOP;
    CALL rvbbit._revoke_insert(tables);
END
$$;
COMMENT ON FUNCTION rvbbit._on_import() IS 'internal: what every import adds to its foreign tables';
REVOKE ALL ON FUNCTION rvbbit._on_import() FROM PUBLIC;

CREATE EVENT TRIGGER rvbbit_import ON ddl_command_end WHEN TAG IN ('IMPORT FOREIGN SCHEMA')
    EXECUTE FUNCTION rvbbit._on_import();
COMMENT ON EVENT TRIGGER rvbbit_import IS 'row counts and comments for tables that were just imported';
