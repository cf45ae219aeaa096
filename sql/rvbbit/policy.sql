-- What is served and what attaches by itself: options of the server. How a statement runs: settings rvbbit.*.

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
     'LIKE patterns, separated by commas, of ids that never attach by themselves'),
    ('present_as', 'table', 'how attached sessions are shown: foreign (as foreign tables) or table (as ordinary ones)');
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
    WHERE s.name LIKE 'rvbbit.%' AND s.context <> 'internal';
COMMENT ON VIEW rvbbit.settings IS 'what is served and what attaches by itself, and how statements run';
COMMENT ON COLUMN rvbbit.settings.name IS 'name of the option or setting';
COMMENT ON COLUMN rvbbit.settings.value IS 'what holds now';
COMMENT ON COLUMN rvbbit.settings.default_value IS 'what holds if nobody says otherwise';
COMMENT ON COLUMN rvbbit.settings.kind IS 'option of the server (for everybody, at once) or setting';
COMMENT ON COLUMN rvbbit.settings.description IS 'what it does';
COMMENT ON COLUMN rvbbit.settings.how_to_change IS 'the statement that changes it';

CREATE FUNCTION rvbbit._present_as()
    RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    RETURN COALESCE((SELECT o.option_value
                     FROM pg_catalog.pg_foreign_server AS s, pg_catalog.pg_options_to_table(s.srvoptions) AS o
                     WHERE s.srvname = rvbbit._server() AND o.option_name = 'present_as'),
                    (SELECT p.default_value FROM rvbbit._policy_options() AS p WHERE p.name = 'present_as'));
COMMENT ON FUNCTION rvbbit._present_as() IS 'internal: how sessions are presented if nobody says otherwise';

CREATE FUNCTION rvbbit.set_policy(
    policy text DEFAULT NULL,
    named_limit integer DEFAULT NULL,
    unnamed_limit integer DEFAULT NULL,
    unnamed_max_age_hours integer DEFAULT NULL,
    recent_limit integer DEFAULT NULL,
    recent_max_age_days integer DEFAULT NULL,
    include text DEFAULT NULL,
    exclude text DEFAULT NULL,
    present_as text DEFAULT NULL
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
            'recent_max_age_days', recent_max_age_days, 'include', include, 'exclude', exclude, 'present_as', present_as)) AS given
    LOOP
        CALL rvbbit._set_server_option(server, option.key, option.value);
    END LOOP;
    RETURN QUERY
        SELECT s.name, s.value FROM rvbbit.settings AS s
        JOIN rvbbit._policy_options() AS p ON p.name = s.name;
END
$$;
COMMENT ON FUNCTION rvbbit.set_policy(text, integer, integer, integer, integer, integer, text, text, text) IS
    'change which sessions attach by themselves, and how they are shown; what is not given stays as it is; answers what holds now';
REVOKE ALL ON FUNCTION rvbbit.set_policy(text, integer, integer, integer, integer, integer, text, text, text) FROM PUBLIC;
