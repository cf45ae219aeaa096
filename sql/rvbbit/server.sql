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
    EXECUTE pg_catalog.format('CREATE SERVER %I FOREIGN DATA WRAPPER %I OPTIONS (%ssession_dir %L)', server, wrapper,
                              CASE WHEN wrapper = 'multicorn' THEN 'wrapper ''rvbbit_fdw.wrapper.RvbbitWrapper'', ' END,
                              session_dir);
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

-- That of the server in use, else our own, else Multicorn2's.
CREATE FUNCTION rvbbit._default_wrapper()
    RETURNS name
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    RETURN COALESCE(rvbbit._wrapper_of(rvbbit._server()),
                    (SELECT w.fdwname FROM pg_catalog.pg_foreign_data_wrapper AS w
                     WHERE w.fdwname IN ('rvbbit_fdw', 'multicorn') ORDER BY w.fdwname DESC LIMIT 1),
                    'rvbbit_fdw');
COMMENT ON FUNCTION rvbbit._default_wrapper() IS 'internal: the wrapper that a new server gets if none is named';

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
        CALL rvbbit._create_server(server, session_dir, COALESCE(wrapper, rvbbit._default_wrapper()));
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
    'internal: make the foreign server, or bring its options in step; a null wrapper is that of the server';
