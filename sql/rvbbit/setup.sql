-- Makes what people use: server, roles, catalog table, functions. Safe at every start and by several callers at once.

CREATE PROCEDURE rvbbit.setup(
    server text DEFAULT 'rvbbit',
    session_dir text DEFAULT NULL,
    snapshot_dir text DEFAULT NULL,
    wrapper name DEFAULT NULL
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
    CALL rvbbit._ensure_checks(server);
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
