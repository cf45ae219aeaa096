\echo Use "ALTER EXTENSION rvbbit UPDATE" to load this file. \quit

CREATE OR REPLACE PROCEDURE rvbbit._grant_privileges(server text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    GRANT USAGE ON SCHEMA public TO rvbbit_reader;
    GRANT SELECT ON TABLE public.rvbbit_sessions, public.rvbbit_tables, public.rvbbit_columns,
        public._rvbbit_sessions, rvbbit.settings TO rvbbit_reader;
    GRANT SELECT ON TABLE rvbbit.attachment, rvbbit.detachment, rvbbit._attached,
        rvbbit.sync_status, rvbbit.sync_problem TO rvbbit_reader;
    REVOKE ALL ON FUNCTION public.rvbbit_attach_session(text, text), public.rvbbit_detach_session(text) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION
        public.rvbbit_attach_session(text, text), public.rvbbit_detach_session(text),
        rvbbit.attach_session(text, text), rvbbit.detach_session(text),
        rvbbit.set_policy(text, integer, integer, integer, integer, integer, text, text),
        rvbbit.sync_plan(), rvbbit._sync_todo(), rvbbit._sync_step(text),
        rvbbit._sync_done(timestamp with time zone, integer) TO rvbbit_operator;
    GRANT EXECUTE ON PROCEDURE rvbbit.sync() TO rvbbit_operator;
    EXECUTE pg_catalog.format('GRANT USAGE ON FOREIGN SERVER %I TO rvbbit_operator', server);
    EXECUTE pg_catalog.format('GRANT CREATE ON DATABASE %I TO rvbbit_operator', pg_catalog.current_database());
END
$$;
COMMENT ON PROCEDURE rvbbit._grant_privileges(text) IS 'internal: what readers and operators may do';

CREATE FUNCTION rvbbit._catalogs()
    RETURNS TABLE (catalog text, relation name, comment text)
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    VALUES
    ('sessions', 'rvbbit_sessions'::pg_catalog.name, 'every RVBBIT session of the folder, with its state'),
    ('tables', 'rvbbit_tables', 'every table and view of every session, attached or not'),
    ('columns', 'rvbbit_columns', 'every column of every table of every session, attached or not');
END;
COMMENT ON FUNCTION rvbbit._catalogs() IS 'internal: the foreign tables of public that list things';

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
    ('columns', 'comment', 'text', 'the comment that the session has on it');
END;
COMMENT ON FUNCTION rvbbit._catalog_columns() IS 'internal: their columns';

CREATE FUNCTION rvbbit._catalog_oid(catalog text)
    RETURNS oid
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    RETURN (SELECT pg_catalog.to_regclass(pg_catalog.format('public.%I', c.relation))
            FROM rvbbit._catalogs() AS c WHERE c.catalog = _catalog_oid.catalog);
COMMENT ON FUNCTION rvbbit._catalog_oid(text) IS 'internal: the oid of a catalog, null if there is no such relation';

-- Wrong kind of relation or wrong server: nothing that ALTER could mend.
CREATE PROCEDURE rvbbit._check_catalog(catalog text, relation name, server text)
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
        RAISE EXCEPTION 'relation "public.%" exists and is not a foreign table', relation
            USING ERRCODE = 'wrong_object_type', HINT = 'Rename it, then call rvbbit.setup() again.';
    ELSIF present <> server THEN
        RAISE EXCEPTION 'foreign table "public.%" belongs to the server "%", not to "%"', relation, present, server
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Rename or drop it, then call rvbbit.setup() again.';
    END IF;
END
$$;
COMMENT ON PROCEDURE rvbbit._check_catalog(text, name, text) IS 'internal: refuse what setup() cannot bring in step';

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
CREATE PROCEDURE rvbbit._alter_catalog(relation name, action text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE pg_catalog.format('ALTER FOREIGN TABLE public.%I ', relation) || action;
EXCEPTION
    WHEN dependent_objects_still_exist OR feature_not_supported THEN
        RAISE WARNING 'foreign table "public.%" was not changed: %', relation, action
            USING DETAIL = SQLERRM, ERRCODE = SQLSTATE,
                  HINT = 'Drop what depends on the column, then call rvbbit.setup() again.';
END
$$;
COMMENT ON PROCEDURE rvbbit._alter_catalog(name, text) IS 'internal: one change, or a warning why not';

CREATE PROCEDURE rvbbit._create_catalog(catalog text, relation name, server text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    columns text;
BEGIN
    SELECT pg_catalog.string_agg(pg_catalog.format('%I %s', c.name, c.type), ', ') INTO columns
    FROM rvbbit._catalog_columns() AS c WHERE c.catalog = _create_catalog.catalog;
    EXECUTE pg_catalog.format('CREATE FOREIGN TABLE public.%I (%s) SERVER %I OPTIONS (catalog %L)',
                              relation, columns, server, catalog);
END
$$;
COMMENT ON PROCEDURE rvbbit._create_catalog(text, name, text) IS 'internal: make a catalog';

CREATE PROCEDURE rvbbit._comment_catalog(catalog text, relation name, comment text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present CONSTANT oid := rvbbit._catalog_oid(catalog);
    col record;
BEGIN
    IF pg_catalog.obj_description(present, 'pg_class') IS NULL THEN
        EXECUTE pg_catalog.format('COMMENT ON FOREIGN TABLE public.%I IS %L', relation, comment);
    END IF;
    FOR col IN
        SELECT c.name, c.comment
        FROM rvbbit._catalog_columns() AS c
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = present AND a.attname = c.name
        WHERE c.catalog = _comment_catalog.catalog
          AND pg_catalog.col_description(present, a.attnum) IS DISTINCT FROM c.comment
    LOOP
        EXECUTE pg_catalog.format('COMMENT ON COLUMN public.%I.%I IS %L', relation, col.name, col.comment);
    END LOOP;
END
$$;
COMMENT ON PROCEDURE rvbbit._comment_catalog(text, name, text) IS 'internal: comments that clients show';

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
END
$$;
COMMENT ON PROCEDURE rvbbit._ensure_catalogs(text) IS 'internal: make the catalogs or bring them in step';

CREATE TABLE rvbbit.attachment (
    schema_name name PRIMARY KEY,
    session_id text NOT NULL UNIQUE,
    attached_by text NOT NULL CHECK (attached_by IN ('auto', 'manual')),
    attached_at timestamp with time zone NOT NULL DEFAULT pg_catalog.now(),
    seen text,
    missing_since timestamp with time zone,
    missing_tables name[]
);
SELECT pg_catalog.pg_extension_config_dump('rvbbit.attachment', '');
COMMENT ON TABLE rvbbit.attachment IS 'schemas that show a session; written by attach and detach alone';
COMMENT ON COLUMN rvbbit.attachment.schema_name IS 'name of the schema';
COMMENT ON COLUMN rvbbit.attachment.session_id IS 'the session that it shows';
COMMENT ON COLUMN rvbbit.attachment.attached_by IS 'manual: by a person, who alone takes it away; auto: by the policy';
COMMENT ON COLUMN rvbbit.attachment.attached_at IS 'when the schema was made';
COMMENT ON COLUMN rvbbit.attachment.seen IS 'the state of the session''s files when sync last looked into it';
COMMENT ON COLUMN rvbbit.attachment.missing_since IS 'since when the session''s file is gone';
COMMENT ON COLUMN rvbbit.attachment.missing_tables IS 'tables that were gone when sync last looked';

-- What a person took away stays away, whatever the policy says.
CREATE TABLE rvbbit.detachment (
    session_id text PRIMARY KEY,
    detached_at timestamp with time zone NOT NULL DEFAULT pg_catalog.now()
);
SELECT pg_catalog.pg_extension_config_dump('rvbbit.detachment', '');
COMMENT ON TABLE rvbbit.detachment IS 'sessions that a person detached: they are not attached by themselves again';
COMMENT ON COLUMN rvbbit.detachment.session_id IS 'the session';
COMMENT ON COLUMN rvbbit.detachment.detached_at IS 'when it was detached';

-- A schema is ours if it has a row here, our owner and our comment. One that only took over the name is not.
CREATE VIEW rvbbit._attached AS
    SELECT a.schema_name, a.session_id, a.attached_by, a.attached_at, n.oid AS schema_oid
    FROM rvbbit.attachment AS a
    JOIN pg_catalog.pg_namespace AS n ON n.nspname = a.schema_name
    WHERE n.nspowner = (SELECT c.relowner FROM pg_catalog.pg_class AS c
                        WHERE c.oid = 'rvbbit.attachment'::pg_catalog.regclass)
      AND pg_catalog.starts_with(pg_catalog.obj_description(n.oid, 'pg_namespace'),
                                 pg_catalog.format('RVBBIT session "%s"', a.session_id));
COMMENT ON VIEW rvbbit._attached IS 'internal: attachments whose schema is there and is ours';

CREATE FUNCTION rvbbit._server()
    RETURNS name
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    RETURN (SELECT s.srvname
            FROM pg_catalog.pg_foreign_table AS t
            JOIN pg_catalog.pg_foreign_server AS s ON s.oid = t.ftserver
            WHERE t.ftrelid = pg_catalog.to_regclass('public.rvbbit_sessions'));
COMMENT ON FUNCTION rvbbit._server() IS 'internal: the server that rvbbit_sessions belongs to';

CREATE FUNCTION rvbbit._schema_oid(schema_name name)
    RETURNS oid
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    RETURN (SELECT n.oid FROM pg_catalog.pg_namespace AS n WHERE n.nspname = schema_name);
COMMENT ON FUNCTION rvbbit._schema_oid(name) IS 'internal: a schema''s oid, null if there is none';

-- The foreign tables of a schema that show a session: nothing else in it is ours.
CREATE FUNCTION rvbbit._tables_of(session text, schema_oid oid)
    RETURNS TABLE (table_oid oid, table_name name)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT c.oid, c.relname
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_foreign_table AS t ON t.ftrelid = c.oid
    JOIN pg_catalog.pg_foreign_server AS s ON s.oid = t.ftserver
    WHERE c.relnamespace = schema_oid
      AND c.relkind = 'f'
      AND s.srvname = rvbbit._server()
      AND pg_catalog.format('session=%s', session) = ANY (t.ftoptions);
END;
COMMENT ON FUNCTION rvbbit._tables_of(text, oid) IS 'internal: the foreign tables of an attached schema';

CREATE FUNCTION rvbbit._cut(value text, bytes integer)
    RETURNS text
    LANGUAGE sql IMMUTABLE STRICT
    SET search_path = pg_catalog, pg_temp
    RETURN (SELECT pg_catalog.left(value, pg_catalog.max(n))
            FROM pg_catalog.generate_series(0, bytes) AS n
            WHERE pg_catalog.octet_length(pg_catalog.left(value, n)) <= bytes);
COMMENT ON FUNCTION rvbbit._cut(text, integer) IS 'internal: as many characters as fit into so many bytes';

-- For error messages: whatever came in, one line that can be read.
CREATE FUNCTION rvbbit._shown(value text)
    RETURNS text
    LANGUAGE sql IMMUTABLE STRICT
    SET search_path = pg_catalog, pg_temp
    RETURN pg_catalog.regexp_replace(
        CASE WHEN pg_catalog.length(value) > 120 THEN pg_catalog.left(value, 119) || '…' ELSE value END,
        '[[:cntrl:]]', '?', 'g');
COMMENT ON FUNCTION rvbbit._shown(text) IS 'internal: a value as messages show it';

-- A name that stays the same, whatever stands beside it: its end is a hash of the id.
CREATE FUNCTION rvbbit._hashed_name(session text, attempt integer)
    RETURNS name
    LANGUAGE sql IMMUTABLE STRICT
    SET search_path = pg_catalog, pg_temp
    RETURN (rvbbit._cut(CASE WHEN session LIKE 'pg\_%' THEN '_' ELSE '' END || session, 54) || '_'
            || pg_catalog.left(pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(
                   session || pg_catalog.repeat('/', attempt), 'UTF8')), 'hex'), 8))::pg_catalog.name;
COMMENT ON FUNCTION rvbbit._hashed_name(text, integer) IS 'internal: a schema name with a hash of the session''s id';

CREATE FUNCTION rvbbit._plain_name(session text)
    RETURNS name
    LANGUAGE sql IMMUTABLE STRICT
    SET search_path = pg_catalog, pg_temp
    RETURN CASE
        WHEN session LIKE 'pg\_%' AND pg_catalog.octet_length(session) < 63 THEN ('_' || session)::pg_catalog.name
        WHEN session LIKE 'pg\_%' OR pg_catalog.octet_length(session) > 63 THEN rvbbit._hashed_name(session, 0)
        ELSE session::pg_catalog.name
    END;
COMMENT ON FUNCTION rvbbit._plain_name(text) IS
    'internal: the schema name for a session: its id, with a leading "_" if reserved, shortened if too long';

-- Schemas of other people and of other sessions keep their names.
CREATE FUNCTION rvbbit._schema_name(session text)
    RETURNS name
    LANGUAGE sql STABLE STRICT
    SET search_path = pg_catalog, pg_temp
    RETURN (SELECT c.candidate
            FROM (SELECT 0, rvbbit._plain_name(session)
                  UNION ALL
                  SELECT n, rvbbit._hashed_name(session, n - 1) FROM pg_catalog.generate_series(1, 9) AS n
                 ) AS c (rank, candidate)
            WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname = c.candidate)
              AND NOT EXISTS (SELECT FROM rvbbit.attachment AS a
                              WHERE a.schema_name = c.candidate AND a.session_id <> session)
              AND c.candidate <> 'cron'
            ORDER BY c.rank
            LIMIT 1);
COMMENT ON FUNCTION rvbbit._schema_name(text) IS 'internal: the name that a new schema for a session gets';

CREATE PROCEDURE rvbbit._check_alias(alias text, session text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    shown CONSTANT text := rvbbit._shown(alias);
    holder text;
BEGIN
    IF alias = '' THEN
        RAISE EXCEPTION 'a schema name must not be empty'
            USING ERRCODE = 'invalid_name', HINT = 'Leave it out, and the schema gets the name of the session.';
    ELSIF pg_catalog.octet_length(alias) > 63 THEN
        RAISE EXCEPTION 'schema name "%" is too long: it has % bytes', shown, pg_catalog.octet_length(alias)
            USING ERRCODE = 'name_too_long', HINT = 'PostgreSQL allows 63 bytes.';
    ELSIF alias LIKE 'pg\_%' OR alias IN ('public', 'information_schema', 'rvbbit', 'cron') THEN
        RAISE EXCEPTION 'schema name "%" is reserved', shown
            USING ERRCODE = 'reserved_name', HINT = 'Choose another name, or leave it out.';
    END IF;
    SELECT a.session_id INTO holder FROM rvbbit._attached AS a WHERE a.schema_name = alias;
    IF holder <> session THEN
        RAISE EXCEPTION 'schema "%" shows another session already, "%"', shown, rvbbit._shown(holder)
            USING ERRCODE = 'duplicate_schema', HINT = 'Choose another name, or detach that session first.';
    ELSIF holder IS NULL AND EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname = alias) THEN
        RAISE EXCEPTION 'schema "%" already exists and shows no session', shown
            USING ERRCODE = 'duplicate_schema', HINT = 'Choose another name.';
    END IF;
END
$$;
COMMENT ON PROCEDURE rvbbit._check_alias(text, text) IS 'internal: refuse a schema name that a session cannot get';

CREATE FUNCTION rvbbit._exists(session text)
    RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (SELECT s.session_id FROM public.rvbbit_sessions AS s WHERE s.session_id = session);
END
$$;
COMMENT ON FUNCTION rvbbit._exists(text) IS 'internal: true if the folder has a session of that id';

CREATE PROCEDURE rvbbit._check_id(session text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF session IS NULL OR session = '' THEN
        RAISE EXCEPTION 'a session id must not be %', CASE WHEN session IS NULL THEN 'null' ELSE 'empty' END
            USING ERRCODE = CASE WHEN session IS NULL THEN 'null_value_not_allowed' ELSE 'invalid_parameter_value' END,
                  HINT = 'SELECT session_id FROM rvbbit_sessions shows what there is.';
    END IF;
END
$$;
COMMENT ON PROCEDURE rvbbit._check_id(text) IS 'internal: refuse what is no session id at all';

-- What the wrapper says of an unknown id has the ids that are alike.
CREATE PROCEDURE rvbbit._refuse_unknown(session text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    stem CONSTANT text := pg_catalog.regexp_replace(
        pg_catalog.regexp_replace(session, '^.*[/\\]', ''), '\.duckdb(\.wal)?$', '');
    meant text;
BEGIN
    IF stem <> session AND rvbbit._exists(stem) THEN
        meant := pg_catalog.format('Did you mean "%s"? A session is named by its id, without folder and ending.', stem);
    ELSIF pg_catalog.octet_length(session) <= 255 THEN
        EXECUTE pg_catalog.format('IMPORT FOREIGN SCHEMA main LIMIT TO (" ") FROM SERVER %I INTO rvbbit OPTIONS (session %L)',
                                  rvbbit._server(), session);
    END IF;
    RAISE EXCEPTION 'session "%" does not exist', rvbbit._shown(session)
        USING ERRCODE = 'fdw_schema_not_found',
              HINT = COALESCE(meant, 'SELECT session_id FROM rvbbit_sessions shows what there is.');
END
$$;
COMMENT ON PROCEDURE rvbbit._refuse_unknown(text) IS 'internal: the error for an id that the folder does not have';

-- A type that every user of PostgreSQL takes for the same needs no comment.
CREATE FUNCTION rvbbit._is_same_type(duckdb_type text, pg_type text)
    RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    RETURN pg_catalog.lower(pg_catalog.replace(duckdb_type, 'DECIMAL', 'numeric')) = pg_type
        OR (duckdb_type, pg_type) IN (
            ('VARCHAR', 'text'), ('DOUBLE', 'double precision'), ('FLOAT', 'real'), ('BLOB', 'bytea'),
            ('TIMESTAMP WITH TIME ZONE', 'timestamptz'), ('JSON', 'jsonb'));
COMMENT ON FUNCTION rvbbit._is_same_type(text, text) IS 'internal: true if a DuckDB type needs no explanation';

CREATE FUNCTION rvbbit._table_comments(session text, schema_oid oid)
    RETURNS SETOF text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
        SELECT pg_catalog.format('COMMENT ON FOREIGN TABLE %s IS %L', t.table_oid::pg_catalog.regclass,
                                 pg_catalog.format('%s of the RVBBIT session "%s"', s.kind, session)
                                 || COALESCE(', ' || s.estimated_rows || ' rows when attached', '')
                                 || COALESCE(': ' || s.comment, ''))
        FROM public.rvbbit_tables AS s
        JOIN rvbbit._tables_of(session, schema_oid) AS t ON t.table_name = s.pg_name
        WHERE s.session_id = session AND s.schema_name = 'main'
          AND pg_catalog.obj_description(t.table_oid, 'pg_class') IS NULL;
END
$$;
COMMENT ON FUNCTION rvbbit._table_comments(text, oid) IS 'internal: the comments that the tables of an attached schema lack';

CREATE FUNCTION rvbbit._column_comments(session text, schema_oid oid)
    RETURNS SETOF text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
        WITH tables AS MATERIALIZED (
            SELECT s.table_name, t.table_oid
            FROM public.rvbbit_tables AS s
            JOIN rvbbit._tables_of(session, schema_oid) AS t ON t.table_name = s.pg_name
            WHERE s.session_id = session AND s.schema_name = 'main'
        ), columns AS MATERIALIZED (
            SELECT * FROM public.rvbbit_columns AS s WHERE s.session_id = session AND s.schema_name = 'main'
        )
        SELECT pg_catalog.format('COMMENT ON COLUMN %s.%I IS %L', a.attrelid::pg_catalog.regclass, a.attname,
                                 pg_catalog.concat_ws(': ', k.kind, s.comment))
        FROM columns AS s
        JOIN tables AS t ON t.table_name = s.table_name
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.table_oid AND a.attname = s.pg_name
        CROSS JOIN LATERAL (SELECT CASE WHEN NOT rvbbit._is_same_type(s.duckdb_type, s.pg_type)
                                        THEN 'DuckDB type ' || s.duckdb_type END) AS k (kind)
        WHERE (k.kind IS NOT NULL OR s.comment IS NOT NULL)
          AND pg_catalog.col_description(a.attrelid, a.attnum) IS NULL;
END
$$;
COMMENT ON FUNCTION rvbbit._column_comments(text, oid) IS 'internal: the comments that columns of an attached schema lack';

CREATE PROCEDURE rvbbit._comment_schema(session text, schema_name name)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    state text;
    command text;
BEGIN
    SELECT s.state INTO state FROM public.rvbbit_sessions AS s WHERE s.session_id = session;
    EXECUTE pg_catalog.format('COMMENT ON SCHEMA %I IS %L', schema_name,
        pg_catalog.format('RVBBIT session "%s", %s when attached at %s UTC', session, state,
                          pg_catalog.to_char(pg_catalog.now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')));
    -- Only for what has none yet: what a person wrote stays.
    FOR command IN
        SELECT rvbbit._table_comments(session, rvbbit._schema_oid(schema_name))
        UNION ALL SELECT rvbbit._column_comments(session, rvbbit._schema_oid(schema_name))
    LOOP
        EXECUTE command;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE rvbbit._comment_schema(text, name) IS 'internal: comments that clients show';

-- Only what is not there yet; what a person made in the schema keeps its name.
CREATE PROCEDURE rvbbit._import_missing(session text, schema_name name)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present text;
BEGIN
    SELECT pg_catalog.format('EXCEPT (%s)', pg_catalog.string_agg(pg_catalog.quote_ident(c.relname), ', '))
    INTO present
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = _import_missing.schema_name
    HAVING pg_catalog.count(*) > 0;
    -- By option, because PostgreSQL cuts the name of a remote schema at 63 bytes. NOT NULL is a promise that a table
    -- in use may break before the next sync; comments are put together with what else there is to say.
    EXECUTE pg_catalog.format('IMPORT FOREIGN SCHEMA main %s FROM SERVER %I INTO %I '
                              'OPTIONS (session %L, import_not_null ''false'', import_comments ''false'')',
                              present, rvbbit._server(), schema_name, session);
END
$$;
COMMENT ON PROCEDURE rvbbit._import_missing(text, name) IS 'internal: foreign tables that an attached schema lacks';

CREATE PROCEDURE rvbbit._create_schema(session text, schema_name name, attached_by text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT rvbbit._exists(session) THEN
        CALL rvbbit._refuse_unknown(session);
    END IF;
    EXECUTE pg_catalog.format('CREATE SCHEMA %I', schema_name);
    EXECUTE pg_catalog.format('GRANT USAGE ON SCHEMA %I TO rvbbit_reader', schema_name);
    EXECUTE pg_catalog.format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT ON TABLES TO rvbbit_reader',
                              schema_name);
    -- Rows whose schema someone dropped or replaced say nothing any more.
    DELETE FROM rvbbit.attachment AS a
    WHERE a.session_id = session OR a.schema_name = _create_schema.schema_name;
    INSERT INTO rvbbit.attachment (schema_name, session_id, attached_by)
    VALUES (_create_schema.schema_name, session, _create_schema.attached_by);
    CALL rvbbit._import_missing(session, schema_name);
    CALL rvbbit._comment_schema(session, schema_name);
END
$$;
COMMENT ON PROCEDURE rvbbit._create_schema(text, name, text) IS 'internal: a new schema for a session';

CREATE PROCEDURE rvbbit._rename_schema(present name, wanted name)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE pg_catalog.format('ALTER SCHEMA %I RENAME TO %I', present, wanted);
    DELETE FROM rvbbit.attachment AS a WHERE a.schema_name = wanted;
    UPDATE rvbbit.attachment AS a SET schema_name = wanted WHERE a.schema_name = present;
END
$$;
COMMENT ON PROCEDURE rvbbit._rename_schema(name, name) IS 'internal: another name for an attached schema';

CREATE PROCEDURE rvbbit._lock(session text)
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('rvbbit session ' || session, 0));
$$;
COMMENT ON PROCEDURE rvbbit._lock(text) IS 'internal: one transaction at a time attaches or detaches a session';

-- What was done, as a format of id and schema name, and the schema's name.
CREATE FUNCTION rvbbit._attach(session text, alias text, attached_by text, OUT done text, OUT schema_name name)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    CALL rvbbit._check_id(session);
    CALL rvbbit._lock(session);
    IF alias IS NOT NULL THEN
        CALL rvbbit._check_alias(alias, session);
    END IF;
    SELECT a.schema_name INTO schema_name FROM rvbbit._attached AS a WHERE a.session_id = session;
    IF schema_name IS NULL THEN
        done := 'Attached ''%s'' as schema "%s"';
        schema_name := COALESCE(alias, rvbbit._schema_name(session));
        CALL rvbbit._create_schema(session, schema_name, attached_by);
    ELSIF schema_name <> alias THEN
        done := 'Renamed the schema of ''%s'' to "%s"';
        CALL rvbbit._rename_schema(schema_name, alias::pg_catalog.name);
        schema_name := alias;
    ELSE
        done := '''%s'' is attached already, as schema "%s"';
        CALL rvbbit._import_missing(session, schema_name);
        CALL rvbbit._comment_schema(session, schema_name);
    END IF;
    IF attached_by = 'manual' THEN
        UPDATE rvbbit.attachment AS a SET attached_by = 'manual'
        WHERE a.session_id = session AND a.attached_by <> 'manual';
        DELETE FROM rvbbit.detachment AS d WHERE d.session_id = session;
    END IF;
END
$$;
COMMENT ON FUNCTION rvbbit._attach(text, text, text) IS 'internal: attach a session, or rename its schema';

-- "5 tables", and by name what could not be imported.
CREATE FUNCTION rvbbit._contents(session text, schema_name name)
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tables bigint;
    missing text;
BEGIN
    SELECT pg_catalog.count(*) INTO tables FROM rvbbit._tables_of(session, rvbbit._schema_oid(schema_name));
    SELECT pg_catalog.string_agg(rvbbit._shown(t.table_name), ', ' ORDER BY t.table_name) INTO missing
    FROM public.rvbbit_tables AS t
    WHERE t.session_id = session AND t.schema_name = 'main' AND t.error IS NOT NULL;
    RETURN tables || CASE tables WHEN 1 THEN ' table' ELSE ' tables' END || COALESCE('; left out: ' || missing, '');
END
$$;
COMMENT ON FUNCTION rvbbit._contents(text, name) IS 'internal: what an attached schema has, and what it lacks';

CREATE FUNCTION rvbbit.attach_session(session_id text, schema_name text DEFAULT NULL)
    RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '10s'
AS $$
DECLARE
    result record;
BEGIN
    SELECT * INTO result FROM rvbbit._attach(session_id, schema_name, 'manual');
    RETURN pg_catalog.format('SUCCESS: %s (%s). Refresh the connection in DBeaver to see it.',
                             pg_catalog.format(result.done, session_id, result.schema_name),
                             rvbbit._contents(session_id, result.schema_name));
END
$$;
COMMENT ON FUNCTION rvbbit.attach_session(text, text) IS
    'show a session as a schema, named after it or as given; again with another name: rename the schema';

CREATE PROCEDURE rvbbit._drop_schema(session text, schema_name name)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tables text;
    what text;
BEGIN
    SELECT pg_catalog.string_agg(pg_catalog.format('%I.%I', schema_name, t.table_name), ', ') INTO tables
    FROM rvbbit._tables_of(session, rvbbit._schema_oid(schema_name)) AS t;
    IF tables IS NOT NULL THEN
        EXECUTE 'DROP FOREIGN TABLE ' || tables;
    END IF;
    EXECUTE pg_catalog.format('DROP SCHEMA %I', schema_name);
EXCEPTION
    -- Never CASCADE: a view over a session is somebody's work.
    WHEN dependent_objects_still_exist THEN
        GET STACKED DIAGNOSTICS what = PG_EXCEPTION_DETAIL;
        RAISE EXCEPTION 'schema "%" is kept, because other objects depend on it', schema_name
            USING ERRCODE = 'dependent_objects_still_exist', DETAIL = what,
                  HINT = 'Drop these objects, then detach the session again.';
END
$$;
COMMENT ON PROCEDURE rvbbit._drop_schema(text, name) IS 'internal: drop an attached schema, unless something depends on it';

CREATE FUNCTION rvbbit.detach_session(session_id text)
    RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '10s'
AS $$
DECLARE
    gone name;
    holder text;
BEGIN
    CALL rvbbit._check_id(session_id);
    CALL rvbbit._lock(session_id);
    SELECT a.schema_name INTO gone FROM rvbbit._attached AS a WHERE a.session_id = detach_session.session_id;
    IF gone IS NOT NULL THEN
        CALL rvbbit._drop_schema(session_id, gone);
    ELSIF NOT rvbbit._exists(session_id) THEN
        SELECT a.session_id INTO holder FROM rvbbit._attached AS a WHERE a.schema_name = detach_session.session_id;
        IF holder IS NOT NULL THEN
            RAISE EXCEPTION 'session "%" does not exist', rvbbit._shown(session_id)
                USING ERRCODE = 'fdw_schema_not_found',
                      HINT = pg_catalog.format('A schema of that name shows the session "%s": detach that.', holder);
        END IF;
        CALL rvbbit._refuse_unknown(session_id);
    END IF;
    DELETE FROM rvbbit.attachment AS a WHERE a.session_id = detach_session.session_id;
    INSERT INTO rvbbit.detachment (session_id) VALUES (detach_session.session_id)
    ON CONFLICT ON CONSTRAINT detachment_pkey DO NOTHING;
    RETURN CASE WHEN gone IS NULL THEN pg_catalog.format('SUCCESS: ''%s'' is not attached.', session_id)
                ELSE pg_catalog.format('SUCCESS: Detached ''%s'' (schema "%s"). '
                                       'Refresh the connection in DBeaver to see it.', session_id, gone) END;
END
$$;
COMMENT ON FUNCTION rvbbit.detach_session(text) IS 'take the schema of a session away; the session itself is not touched';

REVOKE ALL ON FUNCTION rvbbit.attach_session(text, text), rvbbit.detach_session(text),
    rvbbit._attach(text, text, text) FROM PUBLIC;

-- CREATE OR REPLACE keeps the owner: a function of somebody else would run what they like.
CREATE PROCEDURE rvbbit._check_owner(kind text, owner oid)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT (SELECT r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.oid = owner) THEN
        RAISE EXCEPTION '% exists and belongs to "%"', kind, owner::pg_catalog.regrole
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Rename or drop it, then call rvbbit.setup() again.';
    END IF;
END
$$;
COMMENT ON PROCEDURE rvbbit._check_owner(text, oid) IS 'internal: refuse to replace what somebody else made';

CREATE PROCEDURE rvbbit._ensure_functions()
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $outer$
DECLARE
    present record;
BEGIN
    FOR present IN
        SELECT p.oid, p.proowner FROM pg_catalog.pg_proc AS p
        WHERE p.oid IN (pg_catalog.to_regprocedure('public.rvbbit_attach_session(text, text)'),
                        pg_catalog.to_regprocedure('public.rvbbit_detach_session(text)'))
    LOOP
        CALL rvbbit._check_owner(pg_catalog.format('function %s', present.oid::pg_catalog.regprocedure), present.proowner);
    END LOOP;
    CREATE OR REPLACE FUNCTION public.rvbbit_attach_session(session_id text, schema_name text DEFAULT NULL)
        RETURNS text
        LANGUAGE sql
        SET search_path = pg_catalog, pg_temp
        AS $$ SELECT rvbbit.attach_session(session_id, schema_name) $$;
    COMMENT ON FUNCTION public.rvbbit_attach_session(text, text) IS
        'show a session as a schema, named after it or as given; again with another name: rename the schema';
    CREATE OR REPLACE FUNCTION public.rvbbit_detach_session(session_id text)
        RETURNS text
        LANGUAGE sql
        SET search_path = pg_catalog, pg_temp
        AS $$ SELECT rvbbit.detach_session(session_id) $$;
    COMMENT ON FUNCTION public.rvbbit_detach_session(text) IS
        'take the schema of a session away; the session itself is not touched';
END
$outer$;
COMMENT ON PROCEDURE rvbbit._ensure_functions() IS 'internal: make public.rvbbit_attach_session and _detach_session';

CREATE FUNCTION rvbbit._sessions_view()
    RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- security_invoker: what a caller may see of rvbbit_sessions (paths!) depends on the caller.
    SELECT pg_catalog.format(
        'CREATE OR REPLACE VIEW public._rvbbit_sessions WITH (security_invoker = true) AS '
        'SELECT %s, a.session_id IS NOT NULL AS is_attached, a.schema_name::text AS schema_name, a.attached_by '
        'FROM public.rvbbit_sessions AS s LEFT JOIN rvbbit._attached AS a ON a.session_id = s.session_id',
        pg_catalog.string_agg(pg_catalog.format('s.%I', c.name), ', '))
    FROM rvbbit._catalog_columns() AS c WHERE c.catalog = 'sessions';
END;
COMMENT ON FUNCTION rvbbit._sessions_view() IS 'internal: the command that makes _rvbbit_sessions';

CREATE PROCEDURE rvbbit._comment_view()
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    col record;
BEGIN
    COMMENT ON VIEW public._rvbbit_sessions IS 'rvbbit_sessions, and which schema shows each session';
    FOR col IN
        SELECT c.name, c.comment FROM rvbbit._catalog_columns() AS c WHERE c.catalog = 'sessions'
        UNION ALL VALUES ('is_attached', 'whether a schema shows the session'),
                         ('schema_name', 'the schema that shows it'),
                         ('attached_by', 'manual: by a person; auto: by the policy')
    LOOP
        EXECUTE pg_catalog.format('COMMENT ON COLUMN public._rvbbit_sessions.%I IS %L', col.name, col.comment);
    END LOOP;
END
$$;
COMMENT ON PROCEDURE rvbbit._comment_view() IS 'internal: comments of _rvbbit_sessions';

CREATE PROCEDURE rvbbit._ensure_view()
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner oid;
BEGIN
    SELECT c.relowner INTO owner FROM pg_catalog.pg_class AS c
    WHERE c.oid = pg_catalog.to_regclass('public._rvbbit_sessions');
    IF FOUND THEN
        CALL rvbbit._check_owner('relation "public._rvbbit_sessions"', owner);
    END IF;
    EXECUTE rvbbit._sessions_view();
    CALL rvbbit._comment_view();
EXCEPTION
    WHEN wrong_object_type OR invalid_table_definition OR undefined_column THEN
        RAISE WARNING 'view "public._rvbbit_sessions" was not changed'
            USING DETAIL = SQLERRM, ERRCODE = SQLSTATE, HINT = 'Drop it, then call rvbbit.setup() again.';
END
$$;
COMMENT ON PROCEDURE rvbbit._ensure_view() IS 'internal: make _rvbbit_sessions or bring it in step';

-- A column cannot change under a view. It is made again afterwards, unless somebody's view needs it.
CREATE PROCEDURE rvbbit._drop_view()
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF pg_catalog.to_regclass('public._rvbbit_sessions') IS NOT NULL THEN
        DROP VIEW public._rvbbit_sessions;
    END IF;
EXCEPTION
    WHEN dependent_objects_still_exist OR wrong_object_type THEN NULL;
END
$$;
COMMENT ON PROCEDURE rvbbit._drop_view() IS 'internal: drop _rvbbit_sessions, unless something depends on it';

-- The defaults are those of the wrapper, which alone judges values.
CREATE FUNCTION rvbbit._policy_options()
    RETURNS TABLE (name text, default_value text, description text)
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    VALUES
    ('policy', 'smart', 'which sessions attach by themselves: smart, recent, all or none'),
    ('named_limit', '50', 'smart: the most named sessions, newest first'),
    ('unnamed_limit', '10', 'smart: the most unnamed sessions, newest first'),
    ('unnamed_max_age_hours', '24', 'smart: the age of the oldest unnamed session, in hours'),
    ('recent_limit', '50', 'recent: the most sessions, newest first'),
    ('recent_max_age_days', '7', 'recent: the age of the oldest session, in days'),
    ('include', '', 'LIKE patterns, separated by commas, of ids that always attach by themselves'),
    ('exclude', 'pg_client_%, health_check_%, http_api_%',
     'LIKE patterns, separated by commas, of ids that never attach by themselves');
END;
COMMENT ON FUNCTION rvbbit._policy_options() IS 'internal: the options of the policy, with their defaults';

CREATE VIEW rvbbit.settings AS
    WITH present AS (
        SELECT o.option_name, o.option_value
        FROM pg_catalog.pg_foreign_server AS s, pg_catalog.pg_options_to_table(s.srvoptions) AS o
        WHERE s.srvname = rvbbit._server()
    )
    SELECT p.name, COALESCE(o.option_value, p.default_value) AS value, p.default_value,
           'option of the server' AS kind, p.description,
           'SELECT rvbbit.set_policy(' || p.name || ' => ...)' AS how_to_change
    FROM rvbbit._policy_options() AS p
    LEFT JOIN present AS o ON o.option_name = p.name
    UNION ALL
    SELECT s.name, pg_catalog.current_setting(s.name), s.boot_val || COALESCE(s.unit, ''), 'setting', s.short_desc,
           CASE s.context WHEN 'user' THEN 'SET ' ELSE 'ALTER SYSTEM SET ' END || s.name || ' = ...'
    FROM pg_catalog.pg_settings AS s
    WHERE s.name LIKE 'rvbbit.%';
COMMENT ON VIEW rvbbit.settings IS 'what is served and what attaches by itself, and how statements run';
COMMENT ON COLUMN rvbbit.settings.name IS 'name of the option or setting';
COMMENT ON COLUMN rvbbit.settings.value IS 'what holds now';
COMMENT ON COLUMN rvbbit.settings.default_value IS 'what holds if nobody says otherwise';
COMMENT ON COLUMN rvbbit.settings.kind IS 'option of the server (for everybody, at once) or setting';
COMMENT ON COLUMN rvbbit.settings.description IS 'what it does';
COMMENT ON COLUMN rvbbit.settings.how_to_change IS 'the statement that changes it';

CREATE FUNCTION rvbbit.set_policy(
    policy text DEFAULT NULL,
    named_limit integer DEFAULT NULL,
    unnamed_limit integer DEFAULT NULL,
    unnamed_max_age_hours integer DEFAULT NULL,
    recent_limit integer DEFAULT NULL,
    recent_max_age_days integer DEFAULT NULL,
    include text DEFAULT NULL,
    exclude text DEFAULT NULL
)
    RETURNS TABLE (name text, value text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    server CONSTANT text := rvbbit._server();
    option record;
BEGIN
    IF server IS NULL THEN
        RAISE EXCEPTION 'rvbbit.setup() has not been called'
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'A superuser does: CALL rvbbit.setup(...).';
    END IF;
    FOR option IN
        SELECT given.key, given.value
        FROM pg_catalog.jsonb_each_text(pg_catalog.jsonb_build_object(
            'policy', policy, 'named_limit', named_limit, 'unnamed_limit', unnamed_limit,
            'unnamed_max_age_hours', unnamed_max_age_hours, 'recent_limit', recent_limit,
            'recent_max_age_days', recent_max_age_days, 'include', include, 'exclude', exclude)) AS given
    LOOP
        CALL rvbbit._set_server_option(server, option.key, option.value);
    END LOOP;
    RETURN QUERY
        SELECT s.name, s.value FROM rvbbit.settings AS s
        JOIN rvbbit._policy_options() AS p ON p.name = s.name;
END
$$;
COMMENT ON FUNCTION rvbbit.set_policy(text, integer, integer, integer, integer, integer, text, text) IS
    'change which sessions attach by themselves; what is not given stays as it is; answers what holds now';
REVOKE ALL ON FUNCTION rvbbit.set_policy(text, integer, integer, integer, integer, integer, text, text) FROM PUBLIC;

CREATE TABLE rvbbit.sync_problem (
    session_id text PRIMARY KEY,
    problem text NOT NULL,
    signature text,
    since timestamp with time zone NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE rvbbit.sync_problem IS 'what kept sync from a session';
COMMENT ON COLUMN rvbbit.sync_problem.session_id IS 'the session';
COMMENT ON COLUMN rvbbit.sync_problem.problem IS 'what went wrong';
COMMENT ON COLUMN rvbbit.sync_problem.signature IS 'the state of its files: only when that changes sync tries again; null: at each tick';
COMMENT ON COLUMN rvbbit.sync_problem.since IS 'when it went wrong first';

CREATE TABLE rvbbit.sync_run (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    last_run timestamp with time zone,
    duration interval,
    steps integer,
    last_change timestamp with time zone
);
COMMENT ON TABLE rvbbit.sync_run IS 'the last sync that is known: one that changed something, or at most a minute old';
COMMENT ON COLUMN rvbbit.sync_run.only_row IS 'there is one row';
COMMENT ON COLUMN rvbbit.sync_run.last_run IS 'when it began';
COMMENT ON COLUMN rvbbit.sync_run.duration IS 'how long it took';
COMMENT ON COLUMN rvbbit.sync_run.steps IS 'how many sessions it changed or looked into';
COMMENT ON COLUMN rvbbit.sync_run.last_change IS 'when a sync had anything to do';

-- Two states of a session's files differ in this.
CREATE FUNCTION rvbbit._folder(only_session text)
    RETURNS TABLE (session_id text, state text, auto_attach boolean, signature text)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF only_session IS NULL THEN
        RETURN QUERY
            SELECT s.session_id, s.state, s.auto_attach,
                   pg_catalog.format('%s %s %s', EXTRACT(epoch FROM s.modified_at), s.size_bytes, s.wal_bytes)
            FROM public.rvbbit_sessions AS s;
    ELSE
        RETURN QUERY
            SELECT s.session_id, s.state, s.auto_attach,
                   pg_catalog.format('%s %s %s', EXTRACT(epoch FROM s.modified_at), s.size_bytes, s.wal_bytes)
            FROM public.rvbbit_sessions AS s WHERE s.session_id = only_session;
    END IF;
END
$$;
COMMENT ON FUNCTION rvbbit._folder(text) IS 'internal: the sessions as sync sees them';

-- Views over our tables, and whatever else stands in our schema: not ours to drop.
CREATE FUNCTION rvbbit._has_dependents(session text, schema_oid oid)
    RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    RETURN EXISTS (SELECT FROM rvbbit._tables_of(session, schema_oid) AS t
                   JOIN pg_catalog.pg_depend AS d ON d.refobjid = t.table_oid
                   WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype = 'n')
        OR EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                   WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid = schema_oid
                     AND d.deptype = 'n'
                     AND d.objid NOT IN (SELECT t.table_oid FROM rvbbit._tables_of(session, schema_oid) AS t));
COMMENT ON FUNCTION rvbbit._has_dependents(text, oid) IS 'internal: true if something of a person''s hangs on an attached schema';

-- What an attached schema lacks or has too much. A new table's definition comes from IMPORT FOREIGN SCHEMA.
CREATE FUNCTION rvbbit._drift(session text, schema_name name)
    RETURNS TABLE (action text, table_name name, column_name name, command text)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    WITH wanted AS MATERIALIZED (
        SELECT s.table_name, s.pg_name::name AS pg_name FROM public.rvbbit_tables AS s
        WHERE s.session_id = session AND s.schema_name = 'main' AND s.error IS NULL
    ), wanted_columns AS MATERIALIZED (
        SELECT w.pg_name AS table_name, s.pg_name::name AS pg_name, s.column_name, s.duckdb_type, s.pg_type, s.position,
               pg_catalog.format_type(pg_catalog.to_regtype(s.pg_type), pg_catalog.to_regtypemod(s.pg_type)) AS type
        FROM public.rvbbit_columns AS s JOIN wanted AS w ON w.table_name = s.table_name
        WHERE s.session_id = session AND s.schema_name = 'main'
    ), present AS MATERIALIZED (
        SELECT t.table_oid, t.table_name FROM rvbbit._tables_of(session, rvbbit._schema_oid(_drift.schema_name)) AS t
    ), present_columns AS MATERIALIZED (
        SELECT p.table_name, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
               (SELECT o.option_value FROM pg_catalog.pg_options_to_table(a.attfdwoptions) AS o
                WHERE o.option_name = 'column_name') AS column_name,
               (SELECT o.option_value FROM pg_catalog.pg_options_to_table(a.attfdwoptions) AS o
                WHERE o.option_name = 'duckdb_type') AS duckdb_type
        FROM present AS p
        JOIN wanted AS w ON w.pg_name = p.table_name
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = p.table_oid AND a.attnum > 0 AND NOT a.attisdropped
    ), changed_columns AS (
        SELECT CASE WHEN p.attname IS NULL THEN 'add column' WHEN w.pg_name IS NULL THEN 'drop column'
                    ELSE 'alter column' END AS action,
               COALESCE(w.table_name, p.table_name) AS table_name, COALESCE(w.pg_name, p.attname) AS column_name,
               CASE WHEN p.attname IS NULL THEN
                        pg_catalog.format('ADD COLUMN %I %s OPTIONS (column_name %L, duckdb_type %L)',
                            w.pg_name, w.pg_type, w.column_name, w.duckdb_type)
                    WHEN w.pg_name IS NULL THEN pg_catalog.format('DROP COLUMN %I', p.attname)
                    ELSE pg_catalog.format('ALTER COLUMN %1$I TYPE %2$s, '
                                           'ALTER COLUMN %1$I OPTIONS (%3$s column_name %4$L, %5$s duckdb_type %6$L)',
                            w.pg_name, w.pg_type,
                            CASE WHEN p.column_name IS NULL THEN 'ADD' ELSE 'SET' END, w.column_name,
                            CASE WHEN p.duckdb_type IS NULL THEN 'ADD' ELSE 'SET' END, w.duckdb_type)
               END AS change, w.position
        FROM (SELECT * FROM wanted_columns AS c
              WHERE c.table_name IN (SELECT x.table_name FROM present AS x)) AS w
        FULL JOIN present_columns AS p ON p.table_name = w.table_name AND p.attname = w.pg_name
        WHERE (p.type, p.duckdb_type, COALESCE(p.column_name, p.attname::text))
              IS DISTINCT FROM (w.type, w.duckdb_type, w.column_name)
    )
    SELECT 'create table', w.pg_name, NULL::name, NULL::text FROM wanted AS w
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c
                      WHERE c.relnamespace = rvbbit._schema_oid(_drift.schema_name) AND c.relname = w.pg_name)
    UNION ALL
    SELECT 'drop table', p.table_name, NULL, pg_catalog.format('DROP FOREIGN TABLE %I.%I', _drift.schema_name, p.table_name)
    FROM present AS p WHERE NOT EXISTS (SELECT FROM wanted AS w WHERE w.pg_name = p.table_name)
    UNION ALL
    (SELECT c.action, c.table_name, c.column_name,
            pg_catalog.format('ALTER FOREIGN TABLE %I.%I %s', _drift.schema_name, c.table_name, c.change)
     FROM changed_columns AS c ORDER BY c.table_name, c.position);
END
$$;
COMMENT ON FUNCTION rvbbit._drift(text, name) IS 'internal: what an attached schema lacks or has too much';

CREATE FUNCTION rvbbit._sessions_to_do(only_session text DEFAULT NULL)
    RETURNS TABLE (action text, session_id text, schema_name name, signature text, reason text)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH folder AS MATERIALIZED (SELECT * FROM rvbbit._folder(only_session)),
    attached AS MATERIALIZED (
        SELECT a.schema_name, a.session_id, a.attached_by, a.schema_oid, t.seen, t.missing_since, t.missing_tables
        FROM rvbbit._attached AS a JOIN rvbbit.attachment AS t ON t.schema_name = a.schema_name
        WHERE only_session IS NULL OR a.session_id = only_session
    )
    SELECT 'attach', f.session_id, rvbbit._schema_name(f.session_id), f.signature, 'the policy wants it'
    FROM folder AS f
    LEFT JOIN rvbbit.sync_problem AS p ON p.session_id = f.session_id AND p.signature = f.signature
    WHERE f.auto_attach AND f.state IN ('ready', 'live') AND p.session_id IS NULL
      AND NOT EXISTS (SELECT FROM attached AS a WHERE a.session_id = f.session_id)
      AND NOT EXISTS (SELECT FROM rvbbit.detachment AS d WHERE d.session_id = f.session_id)
    UNION ALL
    SELECT 'refresh', f.session_id, a.schema_name, f.signature,
           CASE WHEN a.missing_since IS NOT NULL THEN 'its file is there again'
                WHEN f.signature IS DISTINCT FROM a.seen THEN 'its files changed'
                ELSE 'tables were missing at the last tick' END
    FROM folder AS f JOIN attached AS a ON a.session_id = f.session_id
    WHERE f.state IN ('ready', 'live') AND (f.auto_attach OR a.attached_by = 'manual')
      AND (f.signature IS DISTINCT FROM a.seen OR a.missing_since IS NOT NULL OR a.missing_tables IS NOT NULL)
    UNION ALL
    SELECT CASE WHEN rvbbit._has_dependents(a.session_id, a.schema_oid) THEN 'keep'
                WHEN f.session_id IS NULL AND a.missing_since IS NULL THEN 'wait'
                ELSE 'detach' END,
           a.session_id, a.schema_name, f.signature,
           CASE WHEN f.session_id IS NULL THEN 'its file is gone' ELSE 'the policy does not want it any more' END
    FROM attached AS a LEFT JOIN folder AS f ON f.session_id = a.session_id
    WHERE a.attached_by = 'auto' AND f.auto_attach IS NOT TRUE;
END;
COMMENT ON FUNCTION rvbbit._sessions_to_do(text) IS 'internal: sessions that sync has to do with';

CREATE FUNCTION rvbbit.sync_plan()
    RETURNS TABLE (action text, session_id text, schema_name name, table_name name, column_name name, reason text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH todo AS MATERIALIZED (SELECT * FROM rvbbit._sessions_to_do())
    SELECT t.action, t.session_id, t.schema_name, NULL::pg_catalog.name, NULL::pg_catalog.name,
           CASE t.action WHEN 'keep' THEN t.reason || ', but something depends on it'
                         WHEN 'wait' THEN t.reason || '; at the next tick it is detached' ELSE t.reason END
    FROM todo AS t WHERE t.action <> 'refresh'
    UNION ALL
    SELECT d.action, t.session_id, t.schema_name, d.table_name, d.column_name, t.reason
    FROM todo AS t CROSS JOIN LATERAL rvbbit._drift(t.session_id, t.schema_name) AS d
    WHERE t.action = 'refresh';
END;
COMMENT ON FUNCTION rvbbit.sync_plan() IS 'what rvbbit.sync() would do now, and why, without doing it';

-- A problem that stays the same is not written again: an idle tick writes nothing.
CREATE PROCEDURE rvbbit._note_problem(session text, problem text, signature text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF problem IS NULL THEN
        DELETE FROM rvbbit.sync_problem AS p WHERE p.session_id = session;
    ELSE
        INSERT INTO rvbbit.sync_problem AS p (session_id, problem, signature)
        SELECT session, _note_problem.problem, _note_problem.signature
        WHERE NOT EXISTS (SELECT FROM rvbbit.sync_problem AS q
                          WHERE q.session_id = session AND q.problem = _note_problem.problem
                            AND q.signature IS NOT DISTINCT FROM _note_problem.signature)
        ON CONFLICT ON CONSTRAINT sync_problem_pkey
        DO UPDATE SET problem = excluded.problem, signature = excluded.signature, since = excluded.since;
    END IF;
END
$$;
COMMENT ON PROCEDURE rvbbit._note_problem(text, text, text) IS 'internal: remember what kept sync from a session, or that nothing does';

-- Each change by itself: what a view holds stays as it is, and is named.
CREATE FUNCTION rvbbit._apply(command text)
    RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE command;
    RETURN NULL;
EXCEPTION
    WHEN dependent_objects_still_exist OR feature_not_supported THEN
        RETURN pg_catalog.format('%s: %s', command, SQLERRM);
END
$$;
COMMENT ON FUNCTION rvbbit._apply(text) IS 'internal: run a change; what stands in its way, or null';

-- A table that is gone is dropped when it is still gone at the next tick: it may only be being written anew.
CREATE PROCEDURE rvbbit._refresh(session text, schema_name name, signature text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    missing CONSTANT name[] := (SELECT a.missing_tables FROM rvbbit.attachment AS a WHERE a.session_id = session);
    still_missing name[];
    problems text[] := '{}';
    problem text;
    change record;
    lacks_tables boolean := false;
    reason text;
BEGIN
    -- A session that cannot be read just now has no rows in rvbbit_tables: that says nothing of its tables.
    SELECT COALESCE(s.error, 'it cannot be read') INTO reason
    FROM public.rvbbit_sessions AS s WHERE s.session_id = session AND s.table_count IS NULL;
    IF FOUND THEN
        RAISE EXCEPTION '%', reason USING ERRCODE = 'fdw_error';
    END IF;
    FOR change IN SELECT * FROM rvbbit._drift(session, schema_name) LOOP
        problem := NULL;
        IF change.action = 'create table' THEN
            lacks_tables := true;
        ELSIF change.action = 'drop table' AND NOT change.table_name = ANY (COALESCE(missing, '{}')) THEN
            still_missing := still_missing || change.table_name;
        ELSE
            problem := rvbbit._apply(change.command);
        END IF;
        IF problem IS NOT NULL THEN
            problems := problems || problem;
        END IF;
    END LOOP;
    IF lacks_tables THEN
        CALL rvbbit._import_missing(session, schema_name);
        CALL rvbbit._comment_schema(session, schema_name);
    END IF;
    UPDATE rvbbit.attachment AS a
    SET seen = signature, missing_since = NULL, missing_tables = still_missing
    WHERE a.session_id = session;
    CALL rvbbit._note_problem(session, NULLIF(pg_catalog.array_to_string(problems, '; '), ''), signature);
END
$$;
COMMENT ON PROCEDURE rvbbit._refresh(text, name, text) IS 'internal: bring an attached schema in step with its session';

CREATE PROCEDURE rvbbit._sync_action(action text, session text, schema_name name, signature text, reason text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    CASE action
        WHEN 'attach' THEN
            PERFORM rvbbit._attach(session, NULL, 'auto');
            UPDATE rvbbit.attachment AS a SET seen = signature WHERE a.session_id = session;
            CALL rvbbit._note_problem(session, NULL, NULL);
        WHEN 'refresh' THEN
            CALL rvbbit._refresh(session, schema_name, signature);
        WHEN 'wait' THEN
            UPDATE rvbbit.attachment AS a SET missing_since = pg_catalog.now() WHERE a.session_id = session;
        WHEN 'detach' THEN
            CALL rvbbit._drop_schema(session, schema_name);
            DELETE FROM rvbbit.attachment AS a WHERE a.session_id = session;
            CALL rvbbit._note_problem(session, NULL, NULL);
        WHEN 'keep' THEN
            CALL rvbbit._note_problem(session, reason || ', but something depends on its schema', signature);
    END CASE;
END
$$;
COMMENT ON PROCEDURE rvbbit._sync_action(text, text, name, text, text) IS 'internal: do one thing of the plan';

-- What passes by itself is tried again at the next tick, anything else when the session's files change.
CREATE PROCEDURE rvbbit._sync_failed(session text, message text, sqlstate_ text, signature text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    passes CONSTANT boolean := sqlstate_ IN ('55P03', '40P01', '40001', '53000', '53100', '53200', '53300', '2BP01');
BEGIN
    CALL rvbbit._note_problem(session, message, CASE WHEN NOT passes THEN signature END);
    IF NOT passes THEN
        UPDATE rvbbit.attachment AS a SET seen = signature, missing_since = NULL, missing_tables = NULL
        WHERE a.session_id = session;
    END IF;
END
$$;
COMMENT ON PROCEDURE rvbbit._sync_failed(text, text, text, text) IS 'internal: remember a failure of sync';

CREATE FUNCTION rvbbit._sync_lock()
    RETURNS boolean
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
    RETURN pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended('rvbbit.sync', 0));
COMMENT ON FUNCTION rvbbit._sync_lock() IS 'internal: true if no other sync is at work';

-- The ids of sessions that sync has to do with; what is kept is told once.
CREATE FUNCTION rvbbit._sync_todo()
    RETURNS text[]
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT COALESCE(pg_catalog.array_agg(t.session_id), '{}')
    FROM rvbbit._sessions_to_do() AS t
    WHERE t.action <> 'keep'
       OR NOT EXISTS (SELECT FROM rvbbit.sync_problem AS p WHERE p.session_id = t.session_id);
END;
COMMENT ON FUNCTION rvbbit._sync_todo() IS 'internal: the sessions that a sync goes through';

-- One session in one transaction. What is to be done is asked again, because time has passed.
CREATE FUNCTION rvbbit._sync_step(session text)
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '200ms'
    SET client_min_messages = 'warning'
AS $$
DECLARE
    todo record;
BEGIN
    IF NOT rvbbit._sync_lock() THEN
        RETURN;
    END IF;
    SELECT * INTO todo FROM rvbbit._sessions_to_do(session) AS t LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    BEGIN
        CALL rvbbit._sync_action(todo.action, session, todo.schema_name, todo.signature, todo.reason);
    EXCEPTION
        WHEN OTHERS THEN
            CALL rvbbit._sync_failed(session, SQLERRM, SQLSTATE, todo.signature);
    END;
END
$$;
COMMENT ON FUNCTION rvbbit._sync_step(text) IS 'internal: bring one session in step, or remember why not';

-- The heartbeat: once a minute if nothing happens.
CREATE FUNCTION rvbbit._sync_done(began timestamp with time zone, done_steps integer)
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF done_steps = 0 AND EXISTS (SELECT FROM rvbbit.sync_run AS r
                                  WHERE r.last_run > began - interval '1 minute') THEN
        RETURN;
    END IF;
    INSERT INTO rvbbit.sync_run AS r (last_run, duration, steps, last_change)
    VALUES (began, pg_catalog.clock_timestamp() - began, done_steps, CASE WHEN done_steps > 0 THEN began END)
    ON CONFLICT ON CONSTRAINT sync_run_pkey
    DO UPDATE SET last_run = excluded.last_run, duration = excluded.duration, steps = excluded.steps,
                  last_change = COALESCE(excluded.last_change, r.last_change);
END
$$;
COMMENT ON FUNCTION rvbbit._sync_done(timestamp with time zone, integer) IS 'internal: write down a sync that did something';

-- No SET clause and no rights of its own: either would forbid COMMIT.
CREATE PROCEDURE rvbbit.sync()
    LANGUAGE plpgsql
AS $$
DECLARE
    began CONSTANT timestamp with time zone := pg_catalog.clock_timestamp();
    sessions text[];
    session text;
BEGIN
    IF pg_catalog.pg_is_in_recovery() OR rvbbit._server() IS NULL THEN
        RETURN;
    END IF;
    sessions := rvbbit._sync_todo();
    COMMIT;
    FOREACH session IN ARRAY sessions LOOP
        PERFORM rvbbit._sync_step(session);
        COMMIT;
    END LOOP;
    PERFORM rvbbit._sync_done(began, pg_catalog.cardinality(sessions));
END
$$;
COMMENT ON PROCEDURE rvbbit.sync() IS 'bring schemas in step with the folder and the policy, one transaction for each session';

CREATE VIEW rvbbit.sync_status AS
    SELECT r.last_run, r.duration, r.steps, r.last_change,
           (SELECT pg_catalog.count(*) FROM rvbbit._attached) AS attached,
           (SELECT pg_catalog.jsonb_object_agg(p.session_id, p.problem) FROM rvbbit.sync_problem AS p) AS problems
    FROM (VALUES (true)) AS one (row)
    LEFT JOIN rvbbit.sync_run AS r ON true;
COMMENT ON VIEW rvbbit.sync_status IS 'the last sync, how many sessions are attached, and what keeps which session from being in step';
COMMENT ON COLUMN rvbbit.sync_status.last_run IS 'when it began; if nothing is to be done, written once a minute';
COMMENT ON COLUMN rvbbit.sync_status.duration IS 'how long it took';
COMMENT ON COLUMN rvbbit.sync_status.steps IS 'how many sessions it changed or looked into';
COMMENT ON COLUMN rvbbit.sync_status.last_change IS 'when a sync had anything to do';
COMMENT ON COLUMN rvbbit.sync_status.attached IS 'how many sessions are attached';
COMMENT ON COLUMN rvbbit.sync_status.problems IS 'what keeps a session from being in step, by session';

REVOKE ALL ON FUNCTION rvbbit.sync_plan(), rvbbit._sync_todo(), rvbbit._sync_step(text),
    rvbbit._sync_done(timestamp with time zone, integer) FROM PUBLIC;
REVOKE ALL ON PROCEDURE rvbbit.sync() FROM PUBLIC;

CREATE OR REPLACE PROCEDURE rvbbit.setup(
    server text DEFAULT 'rvbbit',
    session_dir text DEFAULT NULL,
    snapshot_dir text DEFAULT NULL,
    wrapper name DEFAULT 'rvbbit_fdw'
)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT (SELECT r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.rolname = CURRENT_USER) THEN
        RAISE EXCEPTION 'permission denied for procedure rvbbit.setup'
            USING ERRCODE = 'insufficient_privilege', HINT = 'Only a superuser may set up the server.';
    END IF;
    PERFORM pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('rvbbit.setup', 0));
    CALL rvbbit._ensure_server(server, session_dir, snapshot_dir, wrapper);
    CALL rvbbit._ensure_roles();
    CALL rvbbit._ensure_catalogs(server);
    CALL rvbbit._ensure_view();
    CALL rvbbit._ensure_functions();
    CALL rvbbit._grant_privileges(server);
END
$$;
COMMENT ON PROCEDURE rvbbit.setup(text, text, text, name) IS
    'make or upgrade the server, the roles and the objects in public; may be called again at any time';

-- Every procedure here runs DDL in the caller's name: nobody but a superuser has a use for them.
REVOKE ALL ON ALL PROCEDURES IN SCHEMA rvbbit FROM PUBLIC;

-- What setup() did for rvbbit_sessions alone, it now does for all catalogs.
DROP ROUTINE rvbbit._session_columns(),
    rvbbit._check_sessions_table(text),
    rvbbit._sessions_changes(),
    rvbbit._sessions_options(),
    rvbbit._alter_sessions_table(text),
    rvbbit._create_sessions_table(text),
    rvbbit._comment_sessions_table(),
    rvbbit._ensure_sessions_table(text);
