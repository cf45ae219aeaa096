-- What people type stands in public, without a schema's name. No member of the extension, as rvbbit_sessions.

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
        WHERE p.oid IN (pg_catalog.to_regprocedure('public.rvbbit_attach_session(text, text, text)'),
                        pg_catalog.to_regprocedure('public.rvbbit_detach_session(text)'))
    LOOP
        CALL rvbbit._check_owner(pg_catalog.format('function %s', present.oid::pg_catalog.regprocedure), present.proowner);
    END LOOP;
    CREATE OR REPLACE FUNCTION public.rvbbit_attach_session(session_id text, schema_name text DEFAULT NULL,
                                                            present_as text DEFAULT NULL)
        RETURNS text
        LANGUAGE sql
        SET search_path = pg_catalog, pg_temp
        AS $$ SELECT rvbbit.attach_session(session_id, schema_name, present_as) $$;
    COMMENT ON FUNCTION public.rvbbit_attach_session(text, text, text) IS
        'show a session as a schema, named after it or as given; again with another name or presentation: change it in place';
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

-- Why a session is not as a person may expect it. An error of the session itself weighs more.
CREATE FUNCTION rvbbit._view_error()
    RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    RETURN $$COALESCE(s.error, p.problem, CASE
        WHEN a.session_id IS NULL AND d.session_id IS NOT NULL AND s.auto_attach THEN 'it was detached by hand'
        WHEN a.session_id IS NULL THEN s.over_limit
        WHEN a.attached_by = 'auto' AND a.schema_name <> rvbbit._plain_name(s.session_id)
            THEN 'another schema has its name'
        END) AS error$$;
COMMENT ON FUNCTION rvbbit._view_error() IS 'internal: the column error of _rvbbit_sessions';

-- Attached sessions whose file is gone stand at the end.
CREATE FUNCTION rvbbit._sessions_view()
    RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- security_invoker: what a caller may see of rvbbit_sessions (paths!) depends on the caller.
    SELECT pg_catalog.format($$
        CREATE OR REPLACE VIEW public._rvbbit_sessions WITH (security_invoker = true) AS
        SELECT %s, a.session_id IS NOT NULL AS is_attached, a.schema_name::text AS schema_name, a.attached_by,
               a.present_as
        FROM public.rvbbit_sessions AS s
        LEFT JOIN rvbbit._attached AS a ON a.session_id = s.session_id
        LEFT JOIN rvbbit.sync_problem AS p ON p.session_id = s.session_id
        LEFT JOIN rvbbit.detachment AS d ON d.session_id = s.session_id
        UNION ALL
        SELECT %s, true, a.schema_name::text, a.attached_by, a.present_as
        FROM rvbbit._attached AS a
        JOIN rvbbit.sync_seen AS e ON e.session_id = a.session_id
        WHERE e.missing_since IS NOT NULL
          -- One look for all that are missing, by their names: a join would list the whole folder a second time.
          AND e.session_id <> ALL (ARRAY(
              SELECT s.session_id FROM public.rvbbit_sessions AS s
              WHERE s.session_id = ANY (ARRAY(SELECT m.session_id FROM rvbbit.sync_seen AS m
                                              WHERE m.missing_since IS NOT NULL))))$$,
        pg_catalog.string_agg(CASE c.name WHEN 'error' THEN rvbbit._view_error()
                                          ELSE pg_catalog.format('s.%I', c.name) END, ', '),
        pg_catalog.string_agg(CASE c.name WHEN 'session_id' THEN 'a.session_id'
                                          WHEN 'error' THEN pg_catalog.quote_literal('its file is gone')
                                          ELSE 'NULL::' || c.type END, ', '))
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
        SELECT c.name, c.comment FROM rvbbit._catalog_columns() AS c
        WHERE c.catalog = 'sessions' AND c.name <> 'error'
        UNION ALL VALUES ('error', 'why the session cannot be read, or why no schema shows it as one would expect'),
                         ('is_attached', 'whether a schema shows the session'),
                         ('schema_name', 'the schema that shows it'),
                         ('attached_by', 'manual: by a person; auto: by the policy'),
                         ('present_as', 'how its tables are shown: foreign, or table for ordinary ones')
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
