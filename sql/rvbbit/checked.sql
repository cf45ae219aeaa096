-- A host whose validator does not know our options: they are judged here when they are set. Ours judges them itself, and
-- what is said here holds for no server of it.

-- Its names tell what a foreign table may say; all else is the server's, and only who owns that may say it.
CREATE FUNCTION rvbbit._table_options()
    RETURNS text[]
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    RETURN '{on_unrepresentable,session,schema_name,table_name,catalog,missing_columns}'::text[];
COMMENT ON FUNCTION rvbbit._table_options() IS 'internal: the options of foreign tables';

CREATE FUNCTION rvbbit._is_unchecked(server oid)
    RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    RETURN EXISTS (SELECT FROM pg_catalog.pg_foreign_server AS s, pg_catalog.pg_options_to_table(s.srvoptions) AS o
                   WHERE s.oid = server AND o.option_name = 'wrapper' AND o.option_value LIKE 'rvbbit\_fdw.%');
COMMENT ON FUNCTION rvbbit._is_unchecked(oid) IS 'internal: true if the host of a server leaves options to the brain';

CREATE FUNCTION rvbbit._needs_guard()
    RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    RETURN rvbbit._is_unchecked((SELECT s.oid FROM pg_catalog.pg_foreign_server AS s WHERE s.srvname = rvbbit._server()));
COMMENT ON FUNCTION rvbbit._needs_guard() IS 'internal: true if ordinary tables have to refuse rows for the host behind them';

-- Planning makes the brain look at all options, and opens nothing. Its errors come without a SQLSTATE of their own.
CREATE PROCEDURE rvbbit._check_by_plan(relation oid)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    problem text;
    hint text;
BEGIN
    EXECUTE pg_catalog.format('EXPLAIN SELECT FROM %s', relation::pg_catalog.regclass);
EXCEPTION
    WHEN internal_error THEN
        GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
        -- What else is wrong, such as a column too many, is for who reads the table.
        IF problem ~ '^(invalid option|invalid value|option .* is required$|options .* exclude)' THEN
            RAISE EXCEPTION '%', problem
                USING HINT = hint,
                      ERRCODE = CASE WHEN problem LIKE 'invalid value%' THEN 'HV024'
                                     WHEN problem LIKE '% is required' THEN 'HV00J' ELSE 'HV00D' END;
        END IF;
END
$$;
COMMENT ON PROCEDURE rvbbit._check_by_plan(oid) IS 'internal: refuse options of a foreign table, or of its server';

CREATE PROCEDURE rvbbit._check_table(relation oid)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    bad text;
BEGIN
    SELECT o.option_name INTO bad
    FROM pg_catalog.pg_foreign_table AS t, pg_catalog.pg_options_to_table(t.ftoptions) AS o
    WHERE t.ftrelid = relation AND o.option_name <> ALL (rvbbit._table_options());
    IF FOUND THEN
        RAISE EXCEPTION 'invalid option "%"', bad
            USING ERRCODE = 'fdw_invalid_option_name',
                  HINT = 'Valid options in this context are: '
                         || pg_catalog.array_to_string(rvbbit._table_options(), ', ') || '.';
    END IF;
    CALL rvbbit._check_by_plan(relation);
END
$$;
COMMENT ON PROCEDURE rvbbit._check_table(oid) IS 'internal: refuse options that a foreign table may not have';

-- Options of a user mapping would stand in the place of the server's, and everybody may make one for oneself.
CREATE PROCEDURE rvbbit._check_mapping(server oid)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_user_mapping AS u WHERE u.umserver = server AND u.umoptions IS NOT NULL) THEN
        RAISE EXCEPTION 'a user mapping of this server may have no options'
            USING ERRCODE = 'fdw_invalid_option_name', HINT = 'There are no valid options in this context.';
    END IF;
END
$$;
COMMENT ON PROCEDURE rvbbit._check_mapping(oid) IS 'internal: refuse options of user mappings';

CREATE PROCEDURE rvbbit._check_server(server oid)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    list oid;
BEGIN
    SELECT t.ftrelid INTO list FROM pg_catalog.pg_foreign_table AS t
    WHERE t.ftserver = server AND t.ftrelid = pg_catalog.to_regclass('public.rvbbit_sessions');
    IF FOUND THEN
        CALL rvbbit._check_by_plan(list);
    END IF;
END
$$;
COMMENT ON PROCEDURE rvbbit._check_server(oid) IS 'internal: refuse options that a server may not have';

-- A COPY into a foreign table of such a host ends the server: nobody but a superuser can do that, unless by a GRANT.
CREATE PROCEDURE rvbbit._revoke_insert(tables oid[])
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT c.oid::pg_catalog.regclass AS shown, c.relowner::pg_catalog.regrole AS owner
        FROM pg_catalog.pg_foreign_table AS t JOIN pg_catalog.pg_class AS c ON c.oid = t.ftrelid
        WHERE t.ftrelid = ANY (tables) AND rvbbit._is_unchecked(t.ftserver)
    LOOP
        EXECUTE pg_catalog.format('REVOKE INSERT ON TABLE %s FROM %s', item.shown, item.owner);
    END LOOP;
END
$$;
COMMENT ON PROCEDURE rvbbit._revoke_insert(oid[]) IS 'internal: take from owners of foreign tables what their host does not survive';

CREATE FUNCTION rvbbit._on_options()
    RETURNS event_trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changed record;
BEGIN
    FOR changed IN
        SELECT d.classid::pg_catalog.regclass::text AS kind, d.objid, COALESCE(t.ftserver, u.umserver, s.oid) AS server
        FROM pg_catalog.pg_event_trigger_ddl_commands() AS d
        LEFT JOIN pg_catalog.pg_foreign_table AS t
               ON t.ftrelid = d.objid AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
        LEFT JOIN pg_catalog.pg_user_mapping AS u
               ON u.oid = d.objid AND d.classid = 'pg_catalog.pg_user_mapping'::pg_catalog.regclass
        LEFT JOIN pg_catalog.pg_foreign_server AS s
               ON s.oid = d.objid AND d.classid = 'pg_catalog.pg_foreign_server'::pg_catalog.regclass
    LOOP
        CONTINUE WHEN NOT rvbbit._is_unchecked(changed.server);
        CASE changed.kind
            WHEN 'pg_class' THEN
                CALL rvbbit._check_table(changed.objid);
                IF TG_TAG = 'CREATE FOREIGN TABLE' THEN
                    CALL rvbbit._revoke_insert(ARRAY[changed.objid]);
                END IF;
            WHEN 'pg_user_mapping' THEN CALL rvbbit._check_mapping(changed.server);
            ELSE CALL rvbbit._check_server(changed.server);
        END CASE;
    END LOOP;
END
$$;
COMMENT ON FUNCTION rvbbit._on_options() IS 'internal: judge options where the host does not';
REVOKE ALL ON FUNCTION rvbbit._on_options() FROM PUBLIC;

CREATE EVENT TRIGGER rvbbit_options ON ddl_command_end
    WHEN TAG IN ('CREATE SERVER', 'ALTER SERVER', 'CREATE FOREIGN TABLE', 'ALTER FOREIGN TABLE',
                 'CREATE USER MAPPING', 'ALTER USER MAPPING')
    EXECUTE FUNCTION rvbbit._on_options();
COMMENT ON EVENT TRIGGER rvbbit_options IS 'judges options of servers whose host does not; off where there is no such server';
-- A session of 30 tables fires it a hundred times.
ALTER EVENT TRIGGER rvbbit_options DISABLE;

CREATE PROCEDURE rvbbit._ensure_checks(server text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF rvbbit._is_unchecked((SELECT s.oid FROM pg_catalog.pg_foreign_server AS s WHERE s.srvname = server))
       AND EXISTS (SELECT FROM pg_catalog.pg_event_trigger AS e WHERE e.evtname = 'rvbbit_options' AND e.evtenabled = 'D')
    THEN
        ALTER EVENT TRIGGER rvbbit_options ENABLE;
    END IF;
END
$$;
COMMENT ON PROCEDURE rvbbit._ensure_checks(text) IS 'internal: switch on what judges options, if the server needs it';
