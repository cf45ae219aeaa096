-- rvbbit_sessions, rvbbit_tables and rvbbit_columns in public: what the folder holds; and rvbbit._imports, which an attach
-- reads. No members of the extension, so that pg_dump keeps them with their grants, and changed only in place, so that
-- views over them survive.

CREATE FUNCTION rvbbit._catalogs()
    RETURNS TABLE (catalog text, relation text, comment text)
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    VALUES
    ('sessions', 'public.rvbbit_sessions', 'every RVBBIT session of the folder, with its state'),
    ('tables', 'public.rvbbit_tables', 'every table and view of every session, attached or not'),
    ('columns', 'public.rvbbit_columns', 'every column of every table of every session, attached or not'),
    ('snapshots', 'public.rvbbit_snapshots', 'the copies of sessions that queries read, shared by all connections'),
    ('imports', 'rvbbit._imports', 'internal: what an import makes of every session');
END;
COMMENT ON FUNCTION rvbbit._catalogs() IS 'internal: the foreign tables that list things';

CREATE FUNCTION rvbbit._catalog_columns()
    RETURNS TABLE (catalog text, name name, type text, comment text)
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    VALUES
    ('sessions', 'session_id'::pg_catalog.name, 'text', 'name of the session: its file name without .duckdb'),
    ('sessions', 'state', 'text', 'ready, live (a writer has it open), empty, corrupt, encrypted, newer or unreadable'),
    ('sessions', 'is_named', 'boolean', 'whether a person chose the id'),
    ('sessions', 'auto_attach', 'boolean', 'whether the policy attaches the session by itself'),
    ('sessions', 'over_limit', 'text', 'the limit by which the policy leaves the session out, if that is all'),
    ('sessions', 'size_bytes', 'bigint', 'size of the database file'),
    ('sessions', 'size_mb', 'double precision', 'size with the write-ahead log, in megabytes of 1,048,576 bytes'),
    ('sessions', 'wal_bytes', 'bigint', 'size of the write-ahead log: what is not yet in the database file'),
    ('sessions', 'created_at', 'timestamp with time zone', 'when the file was made, as far as the file system knows'),
    ('sessions', 'modified_at', 'timestamp with time zone', 'last change of the database file or its write-ahead log'),
    ('sessions', 'age_hours', 'double precision', 'hours since the last change'),
    ('sessions', 'table_count', 'integer', 'number of tables and views that may be read; needs a snapshot of the session'),
    ('sessions', 'duckdb_version', 'text', 'DuckDB version that created the file'),
    ('sessions', 'storage_version', 'integer', 'DuckDB storage version of the file'),
    ('sessions', 'file_path', 'text', 'path on the server; null without the rights of pg_read_server_files'),
    ('sessions', 'error', 'text', 'why the session cannot be read'),
    ('tables', 'session_id', 'text', 'the session'),
    ('tables', 'schema_name', 'text', 'schema inside the session; an attached schema shows "main"'),
    ('tables', 'table_name', 'text', 'table or view inside the session'),
    ('tables', 'kind', 'text', 'table or view'),
    ('tables', 'pg_name', 'text', 'its name in PostgreSQL'),
    ('tables', 'estimated_rows', 'bigint', 'rows, as far as DuckDB knows them without counting'),
    ('tables', 'column_count', 'integer', 'number of columns'),
    ('tables', 'comment', 'text', 'the comment that the session has on it'),
    ('tables', 'error', 'text', 'why it is left out of an import'),
    ('columns', 'session_id', 'text', 'the session'),
    ('columns', 'schema_name', 'text', 'schema inside the session'),
    ('columns', 'table_name', 'text', 'table or view inside the session'),
    ('columns', 'column_name', 'text', 'column inside the session'),
    ('columns', 'position', 'integer', 'its number in the table, from 1'),
    ('columns', 'duckdb_type', 'text', 'its type in the session'),
    ('columns', 'pg_name', 'text', 'its name in PostgreSQL'),
    ('columns', 'pg_type', 'text', 'its type in PostgreSQL'),
    ('columns', 'comment', 'text', 'the comment that the session has on it'),
    ('snapshots', 'session_id', 'text', 'the session; null if it has left the folder'),
    ('snapshots', 'taken_at', 'timestamp with time zone', 'when the copy was made'),
    ('snapshots', 'age_seconds', 'double precision', 'seconds since then'),
    ('snapshots', 'last_used_at', 'timestamp with time zone', 'when a statement last began to read it'),
    ('snapshots', 'size_bytes', 'bigint', 'what it takes on disk'),
    ('snapshots', 'is_current', 'boolean', 'whether the session has not changed since'),
    ('imports', 'session_id', 'text', 'the session'),
    ('imports', 'state', 'text', 'as rvbbit_sessions has it'),
    ('imports', 'tables', 'jsonb', 'its tables and views as rvbbit_tables has them, each with the comments on its columns'),
    ('imports', 'uncommented', 'jsonb', 'the same without any comment');
END;
COMMENT ON FUNCTION rvbbit._catalog_columns() IS 'internal: their columns';

CREATE FUNCTION rvbbit._catalog_oid(catalog text)
    RETURNS oid
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    RETURN (SELECT pg_catalog.to_regclass(c.relation)
            FROM rvbbit._catalogs() AS c WHERE c.catalog = _catalog_oid.catalog);
COMMENT ON FUNCTION rvbbit._catalog_oid(text) IS 'internal: the oid of a catalog, null if there is no such relation';

-- Wrong kind of relation or wrong server: nothing that ALTER could mend.
CREATE PROCEDURE rvbbit._check_catalog(catalog text, relation text, server text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present text;
BEGIN
    SELECT s.srvname INTO present
    FROM pg_catalog.pg_foreign_table AS t
    JOIN pg_catalog.pg_foreign_server AS s ON s.oid = t.ftserver
    WHERE t.ftrelid = rvbbit._catalog_oid(catalog);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'relation "%" exists and is not a foreign table', relation
            USING ERRCODE = 'wrong_object_type', HINT = 'Rename it, then call rvbbit.setup() again.';
    ELSIF present <> server THEN
        RAISE EXCEPTION 'foreign table "%" belongs to the server "%", not to "%"', relation, present, server
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Rename or drop it, then call rvbbit.setup() again.';
    END IF;
END
$$;
COMMENT ON PROCEDURE rvbbit._check_catalog(text, text, text) IS 'internal: refuse what setup() cannot bring in step';

CREATE FUNCTION rvbbit._catalog_changes(catalog text)
    RETURNS SETOF text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH present AS (
        SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type
        FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = rvbbit._catalog_oid(_catalog_changes.catalog)
          AND a.attnum > 0 AND NOT a.attisdropped
    ), wanted AS (
        SELECT * FROM rvbbit._catalog_columns() AS c WHERE c.catalog = _catalog_changes.catalog
    )
    SELECT CASE
               WHEN p.attname IS NULL THEN pg_catalog.format('ADD COLUMN %I %s', c.name, c.type)
               WHEN c.name IS NULL THEN pg_catalog.format('DROP COLUMN %I', p.attname)
               ELSE pg_catalog.format('ALTER COLUMN %I TYPE %s', c.name, c.type)
           END
    FROM wanted AS c
    FULL JOIN present AS p ON p.attname = c.name
    WHERE p.type IS DISTINCT FROM c.type;
END;
COMMENT ON FUNCTION rvbbit._catalog_changes(text) IS 'internal: ALTER FOREIGN TABLE actions that a catalog needs';

CREATE FUNCTION rvbbit._catalog_options(catalog text)
    RETURNS SETOF text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH wanted (name, value) AS (VALUES ('catalog', _catalog_options.catalog)),
    present AS (
        SELECT o.option_name AS name, o.option_value AS value
        FROM pg_catalog.pg_foreign_table AS t, pg_catalog.pg_options_to_table(t.ftoptions) AS o
        WHERE t.ftrelid = rvbbit._catalog_oid(_catalog_options.catalog)
    )
    SELECT CASE
               WHEN p.name IS NULL THEN pg_catalog.format('OPTIONS (ADD %I %L)', w.name, w.value)
               WHEN w.name IS NULL THEN pg_catalog.format('OPTIONS (DROP %I)', p.name)
               ELSE pg_catalog.format('OPTIONS (SET %I %L)', w.name, w.value)
           END
    FROM wanted AS w
    FULL JOIN present AS p ON p.name = w.name
    WHERE p.value IS DISTINCT FROM w.value
    ORDER BY w.name NULLS FIRST;
END;
COMMENT ON FUNCTION rvbbit._catalog_options(text) IS 'internal: option changes that a catalog needs';

-- A view may hold a column as it is; that view is worth more than a tidy table.
CREATE PROCEDURE rvbbit._alter_catalog(relation text, action text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE pg_catalog.format('ALTER FOREIGN TABLE %s ', relation) || action;
EXCEPTION
    WHEN dependent_objects_still_exist OR feature_not_supported THEN
        RAISE WARNING 'foreign table "%" was not changed: %', relation, action
            USING DETAIL = SQLERRM, ERRCODE = SQLSTATE,
                  HINT = 'Drop what depends on the column, then call rvbbit.setup() again.';
END
$$;
COMMENT ON PROCEDURE rvbbit._alter_catalog(text, text) IS 'internal: one change, or a warning why not';

CREATE PROCEDURE rvbbit._create_catalog(catalog text, relation text, server text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    columns text;
BEGIN
    SELECT pg_catalog.string_agg(pg_catalog.format('%I %s', c.name, c.type), ', ') INTO columns
    FROM rvbbit._catalog_columns() AS c WHERE c.catalog = _create_catalog.catalog;
    EXECUTE pg_catalog.format('CREATE FOREIGN TABLE %s (%s) SERVER %I OPTIONS (catalog %L)',
                              relation, columns, server, catalog);
END
$$;
COMMENT ON PROCEDURE rvbbit._create_catalog(text, text, text) IS 'internal: make a catalog';

CREATE PROCEDURE rvbbit._comment_catalog(catalog text, relation text, comment text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present CONSTANT oid := rvbbit._catalog_oid(catalog);
    col record;
BEGIN
    IF pg_catalog.obj_description(present, 'pg_class') IS NULL THEN
        EXECUTE pg_catalog.format('COMMENT ON FOREIGN TABLE %s IS %L', relation, comment);
    END IF;
    FOR col IN
        SELECT c.name, c.comment
        FROM rvbbit._catalog_columns() AS c
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = present AND a.attname = c.name
        WHERE c.catalog = _comment_catalog.catalog
          AND pg_catalog.col_description(present, a.attnum) IS DISTINCT FROM c.comment
    LOOP
        EXECUTE pg_catalog.format('COMMENT ON COLUMN %s.%I IS %L', relation, col.name, col.comment);
    END LOOP;
END
$$;
COMMENT ON PROCEDURE rvbbit._comment_catalog(text, text, text) IS 'internal: comments that clients show';

-- Without any estimate the planner would read rvbbit_columns once for each row of rvbbit_tables.
CREATE PROCEDURE rvbbit._estimate_catalogs()
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE pg_catalog.pg_class AS c SET reltuples = e.rows, relpages = e.rows / 100
    FROM (VALUES ('sessions', 1000), ('tables', 5000), ('columns', 50000)) AS e (catalog, rows)
    WHERE c.oid = rvbbit._catalog_oid(e.catalog) AND c.reltuples < 0;
END
$$;
COMMENT ON PROCEDURE rvbbit._estimate_catalogs() IS 'internal: tell the planner that the catalogs are not small';

CREATE PROCEDURE rvbbit._ensure_catalogs(server text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    entry record;
    action text;
BEGIN
    FOR entry IN SELECT * FROM rvbbit._catalogs() LOOP
        IF rvbbit._catalog_oid(entry.catalog) IS NULL THEN
            CALL rvbbit._create_catalog(entry.catalog, entry.relation, server);
        END IF;
        CALL rvbbit._check_catalog(entry.catalog, entry.relation, server);
        IF entry.catalog = 'sessions'
           AND EXISTS (SELECT FROM rvbbit._catalog_changes('sessions') AS change WHERE change !~ '^ADD') THEN
            CALL rvbbit._drop_view();
        END IF;
        FOR action IN
            SELECT rvbbit._catalog_changes(entry.catalog) UNION ALL SELECT rvbbit._catalog_options(entry.catalog)
        LOOP
            CALL rvbbit._alter_catalog(entry.relation, action);
        END LOOP;
        CALL rvbbit._comment_catalog(entry.catalog, entry.relation, entry.comment);
    END LOOP;
    CALL rvbbit._estimate_catalogs();
END
$$;
COMMENT ON PROCEDURE rvbbit._ensure_catalogs(text) IS 'internal: make the catalogs or bring them in step';
