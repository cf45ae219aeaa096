\echo Use "CREATE EXTENSION rvbbit" to load this file. \quit

-- The schema itself comes from the control file. Names in it that begin with an underscore are internal.

COMMENT ON SCHEMA rvbbit IS 'rvbbit-fdw: set-up and administration of RVBBIT sessions';
GRANT USAGE ON SCHEMA rvbbit TO PUBLIC;

-- Read from the catalog, so that it cannot differ from what ALTER EXTENSION did.

CREATE FUNCTION rvbbit.version()
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    RETURN (SELECT e.extversion FROM pg_catalog.pg_extension AS e WHERE e.extname = 'rvbbit');
COMMENT ON FUNCTION rvbbit.version() IS 'the installed version of the extension rvbbit';

-- rvbbit_reader reads sessions; rvbbit_operator also imports them. Neither can log in: people get them by GRANT.

CREATE PROCEDURE rvbbit._ensure_role(role name, description text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles AS r WHERE r.rolname = role) THEN
        EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', role);
        EXECUTE pg_catalog.format('COMMENT ON ROLE %I IS %L', role, description);
    END IF;
EXCEPTION
    -- Roles belong to the cluster: a set-up in another database may have been faster.
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;
COMMENT ON PROCEDURE rvbbit._ensure_role(name, text) IS 'internal: make a role that is missing';

CREATE PROCEDURE rvbbit._ensure_roles()
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    CALL rvbbit._ensure_role('rvbbit_reader', 'reads RVBBIT sessions and their catalogs');
    CALL rvbbit._ensure_role('rvbbit_operator', 'reads and imports RVBBIT sessions');
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_auth_members AS m
                   WHERE m.roleid = 'rvbbit_reader'::pg_catalog.regrole
                     AND m.member = 'rvbbit_operator'::pg_catalog.regrole) THEN
        GRANT rvbbit_reader TO rvbbit_operator;
    END IF;
END
$$;
COMMENT ON PROCEDURE rvbbit._ensure_roles() IS 'internal: make the roles rvbbit_reader and rvbbit_operator';

CREATE PROCEDURE rvbbit._grant_privileges(server text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    GRANT USAGE ON SCHEMA public TO rvbbit_reader;
    GRANT SELECT ON TABLE public.rvbbit_sessions TO rvbbit_reader;
    EXECUTE pg_catalog.format('GRANT USAGE ON FOREIGN SERVER %I TO rvbbit_operator', server);
    EXECUTE pg_catalog.format('GRANT CREATE ON DATABASE %I TO rvbbit_operator', pg_catalog.current_database());
END
$$;
COMMENT ON PROCEDURE rvbbit._grant_privileges(text) IS 'internal: what readers and operators may do';

-- The foreign server that names the session folder.

CREATE PROCEDURE rvbbit._create_server(server text, session_dir text, wrapper name)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF session_dir IS NULL THEN
        RAISE EXCEPTION 'server "%" does not exist and no session folder was given', server
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = 'Name the folder: CALL rvbbit.setup(session_dir => ''/path/to/session_dbs'').';
    END IF;
    EXECUTE pg_catalog.format('CREATE SERVER %I FOREIGN DATA WRAPPER %I OPTIONS (session_dir %L)',
                              server, wrapper, session_dir);
    EXECUTE pg_catalog.format('COMMENT ON SERVER %I IS %L', server, 'a folder of RVBBIT sessions');
END
$$;
COMMENT ON PROCEDURE rvbbit._create_server(text, text, name) IS 'internal: make the foreign server';

CREATE FUNCTION rvbbit._wrapper_of(server text)
    RETURNS name
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    RETURN (SELECT w.fdwname
            FROM pg_catalog.pg_foreign_server AS s
            JOIN pg_catalog.pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw
            WHERE s.srvname = server);
COMMENT ON FUNCTION rvbbit._wrapper_of(text) IS 'internal: the wrapper of a server, null if there is no such server';

-- ALTER SERVER only where something changes: each one invalidates the cached plans of every connection.
CREATE PROCEDURE rvbbit._set_server_option(server text, option text, value text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present text;
BEGIN
    SELECT o.option_value INTO present
    FROM pg_catalog.pg_foreign_server AS s, pg_catalog.pg_options_to_table(s.srvoptions) AS o
    WHERE s.srvname = server AND o.option_name = option;
    IF value IS NOT NULL AND value IS DISTINCT FROM present THEN
        EXECUTE pg_catalog.format('ALTER SERVER %I OPTIONS (%s %I %L)', server,
                                  CASE WHEN present IS NULL THEN 'ADD' ELSE 'SET' END, option, value);
    END IF;
END
$$;
COMMENT ON PROCEDURE rvbbit._set_server_option(text, text, text) IS
    'internal: set an option that differs; a null value leaves it as it is';

CREATE PROCEDURE rvbbit._ensure_server(server text, session_dir text, snapshot_dir text, wrapper name)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present name := rvbbit._wrapper_of(server);
BEGIN
    IF present IS NULL THEN
        CALL rvbbit._create_server(server, session_dir, wrapper);
    ELSIF present <> wrapper THEN
        RAISE EXCEPTION 'server "%" belongs to the foreign-data wrapper "%", not to "%"', server, present, wrapper
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Give another server name, or drop this server first.';
    END IF;
    CALL rvbbit._set_server_option(server, 'session_dir', session_dir);
    CALL rvbbit._set_server_option(server, 'snapshot_dir', snapshot_dir);
END
$$;
COMMENT ON PROCEDURE rvbbit._ensure_server(text, text, text, name) IS
    'internal: make the foreign server, or bring its options in step';

-- public.rvbbit_sessions: every session of the folder. Not a member of the extension, so that pg_dump keeps
-- it with its grants, and changed only in place, so that views over it survive.

CREATE FUNCTION rvbbit._session_columns()
    RETURNS TABLE (name name, type text, comment text)
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    VALUES
    ('session_id'::pg_catalog.name, 'text', 'name of the session: its file name without .duckdb'),
    ('state', 'text', 'ready, live (a writer has it open), empty, corrupt, encrypted, newer or unreadable'),
    ('size_bytes', 'bigint', 'size of the database file'),
    ('size_mb', 'double precision', 'size with the write-ahead log, in megabytes of 1,048,576 bytes'),
    ('wal_bytes', 'bigint', 'size of the write-ahead log: what is not yet in the database file'),
    ('created_at', 'timestamp with time zone', 'when the file was made, as far as the file system knows'),
    ('modified_at', 'timestamp with time zone', 'last change of the database file or its write-ahead log'),
    ('age_hours', 'double precision', 'hours since the last change'),
    ('table_count', 'integer', 'number of tables and views that may be read; needs a snapshot of the session'),
    ('duckdb_version', 'text', 'DuckDB version that created the file'),
    ('storage_version', 'integer', 'DuckDB storage version of the file'),
    ('file_path', 'text', 'path on the server; null without the rights of pg_read_server_files'),
    ('error', 'text', 'why the session cannot be read');
END;
COMMENT ON FUNCTION rvbbit._session_columns() IS 'internal: the columns of rvbbit_sessions';

-- Wrong kind of relation or wrong server: nothing that ALTER could mend.
CREATE PROCEDURE rvbbit._check_sessions_table(server text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present text;
BEGIN
    SELECT s.srvname INTO present
    FROM pg_catalog.pg_foreign_table AS t
    JOIN pg_catalog.pg_foreign_server AS s ON s.oid = t.ftserver
    WHERE t.ftrelid = 'public.rvbbit_sessions'::pg_catalog.regclass;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'relation "public.rvbbit_sessions" exists and is not a foreign table'
            USING ERRCODE = 'wrong_object_type', HINT = 'Rename it, then call rvbbit.setup() again.';
    ELSIF present <> server THEN
        RAISE EXCEPTION 'foreign table "public.rvbbit_sessions" belongs to the server "%", not to "%"', present, server
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Rename or drop it, then call rvbbit.setup() again.';
    END IF;
END
$$;
COMMENT ON PROCEDURE rvbbit._check_sessions_table(text) IS 'internal: refuse what setup() cannot bring in step';

CREATE FUNCTION rvbbit._sessions_changes()
    RETURNS SETOF text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH present AS (
        SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type
        FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = pg_catalog.to_regclass('public.rvbbit_sessions')
          AND a.attnum > 0 AND NOT a.attisdropped
    )
    SELECT CASE
               WHEN p.attname IS NULL THEN pg_catalog.format('ADD COLUMN %I %s', c.name, c.type)
               WHEN c.name IS NULL THEN pg_catalog.format('DROP COLUMN %I', p.attname)
               ELSE pg_catalog.format('ALTER COLUMN %I TYPE %s', c.name, c.type)
           END
    FROM rvbbit._session_columns() AS c
    FULL JOIN present AS p ON p.attname = c.name
    WHERE p.type IS DISTINCT FROM c.type;
END;
COMMENT ON FUNCTION rvbbit._sessions_changes() IS 'internal: ALTER FOREIGN TABLE actions that rvbbit_sessions needs';

CREATE FUNCTION rvbbit._sessions_options()
    RETURNS SETOF text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH wanted (name, value) AS (VALUES ('catalog', 'sessions')),
    present AS (
        SELECT o.option_name AS name, o.option_value AS value
        FROM pg_catalog.pg_foreign_table AS t, pg_catalog.pg_options_to_table(t.ftoptions) AS o
        WHERE t.ftrelid = pg_catalog.to_regclass('public.rvbbit_sessions')
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
COMMENT ON FUNCTION rvbbit._sessions_options() IS 'internal: option changes that rvbbit_sessions needs';

-- A view may hold a column as it is; that view is worth more than a tidy table.
CREATE PROCEDURE rvbbit._alter_sessions_table(action text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE 'ALTER FOREIGN TABLE public.rvbbit_sessions ' || action;
EXCEPTION
    WHEN dependent_objects_still_exist OR feature_not_supported THEN
        RAISE WARNING 'foreign table "public.rvbbit_sessions" was not changed: %', action
            USING DETAIL = SQLERRM, ERRCODE = SQLSTATE,
                  HINT = 'Drop what depends on the column, then call rvbbit.setup() again.';
END
$$;
COMMENT ON PROCEDURE rvbbit._alter_sessions_table(text) IS 'internal: one change, or a warning why not';

CREATE PROCEDURE rvbbit._create_sessions_table(server text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    columns text;
BEGIN
    SELECT pg_catalog.string_agg(pg_catalog.format('%I %s', c.name, c.type), ', ') INTO columns
    FROM rvbbit._session_columns() AS c;
    EXECUTE pg_catalog.format('CREATE FOREIGN TABLE public.rvbbit_sessions (%s) SERVER %I OPTIONS (catalog %L)',
                              columns, server, 'sessions');
END
$$;
COMMENT ON PROCEDURE rvbbit._create_sessions_table(text) IS 'internal: make rvbbit_sessions';

CREATE PROCEDURE rvbbit._comment_sessions_table()
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    sessions CONSTANT regclass := 'public.rvbbit_sessions';
    col record;
BEGIN
    IF pg_catalog.obj_description(sessions, 'pg_class') IS NULL THEN
        COMMENT ON FOREIGN TABLE public.rvbbit_sessions IS 'every RVBBIT session of the folder, with its state';
    END IF;
    FOR col IN
        SELECT c.name, c.comment
        FROM rvbbit._session_columns() AS c
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = sessions AND a.attname = c.name
        WHERE pg_catalog.col_description(sessions, a.attnum) IS DISTINCT FROM c.comment
    LOOP
        EXECUTE pg_catalog.format('COMMENT ON COLUMN public.rvbbit_sessions.%I IS %L', col.name, col.comment);
    END LOOP;
END
$$;
COMMENT ON PROCEDURE rvbbit._comment_sessions_table() IS 'internal: comments that clients show';

CREATE PROCEDURE rvbbit._ensure_sessions_table(server text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    action text;
BEGIN
    IF pg_catalog.to_regclass('public.rvbbit_sessions') IS NULL THEN
        CALL rvbbit._create_sessions_table(server);
    END IF;
    CALL rvbbit._check_sessions_table(server);
    FOR action IN SELECT rvbbit._sessions_changes() UNION ALL SELECT rvbbit._sessions_options() LOOP
        CALL rvbbit._alter_sessions_table(action);
    END LOOP;
    CALL rvbbit._comment_sessions_table();
END
$$;
COMMENT ON PROCEDURE rvbbit._ensure_sessions_table(text) IS 'internal: make rvbbit_sessions or bring it in step';

-- Makes what people use: server, roles, catalog table. Safe at every start and by several callers at once.

CREATE PROCEDURE rvbbit.setup(
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
    CALL rvbbit._ensure_sessions_table(server);
    CALL rvbbit._grant_privileges(server);
END
$$;
COMMENT ON PROCEDURE rvbbit.setup(text, text, text, name) IS
    'make or upgrade the server, the roles and public.rvbbit_sessions; may be called again at any time';

-- Every procedure here runs DDL in the caller's name: nobody but a superuser has a use for them.
REVOKE ALL ON ALL PROCEDURES IN SCHEMA rvbbit FROM PUBLIC;
