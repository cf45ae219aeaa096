-- rvbbit_reader reads sessions; rvbbit_operator also attaches, detaches and imports them. Neither can log in: people get them by GRANT.

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
    GRANT SELECT ON TABLE public.rvbbit_sessions, public.rvbbit_tables, public.rvbbit_columns,
        public.rvbbit_snapshots, public._rvbbit_sessions, rvbbit.settings, rvbbit.snapshots TO rvbbit_reader;
    GRANT SELECT ON TABLE rvbbit.attachment, rvbbit.detachment, rvbbit._attached, rvbbit._partitions,
        rvbbit.sync_status, rvbbit.sync_problem, rvbbit.sync_seen TO rvbbit_reader;
    REVOKE ALL ON FUNCTION public.rvbbit_attach_session(text, text, text), public.rvbbit_detach_session(text) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION
        public.rvbbit_attach_session(text, text, text), public.rvbbit_detach_session(text),
        rvbbit.attach_session(text, text, text), rvbbit.detach_session(text),
        rvbbit.set_policy(text, integer, integer, integer, integer, integer, text, text, text),
        rvbbit.sync_plan(), rvbbit._sync_todo(), rvbbit._sync_step(text),
        rvbbit._sync_done(timestamp with time zone, text[], text[]) TO rvbbit_operator;
    GRANT EXECUTE ON PROCEDURE rvbbit.sync() TO rvbbit_operator;
    IF pg_catalog.to_regprocedure('rvbbit.reset_stats()') IS NOT NULL THEN  -- another wrapper does not count
        GRANT EXECUTE ON FUNCTION rvbbit.reset_stats() TO rvbbit_operator;
    END IF;
    EXECUTE pg_catalog.format('GRANT USAGE ON FOREIGN SERVER %I TO rvbbit_operator', server);
    EXECUTE pg_catalog.format('GRANT CREATE ON DATABASE %I TO rvbbit_operator', pg_catalog.current_database());
END
$$;
COMMENT ON PROCEDURE rvbbit._grant_privileges(text) IS 'internal: what readers and operators may do';
