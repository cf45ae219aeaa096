-- The schema of a session bears the session's id, as long as PostgreSQL lets it.

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

CREATE FUNCTION rvbbit._is_free(candidate name, session text)
    RETURNS boolean
    LANGUAGE sql STABLE STRICT
    SET search_path = pg_catalog, pg_temp
    RETURN candidate NOT IN ('cron', rvbbit._partition_schema())
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname = candidate)
       AND NOT EXISTS (SELECT FROM rvbbit.attachment AS a
                       WHERE a.schema_name = candidate AND a.session_id <> session);
COMMENT ON FUNCTION rvbbit._is_free(name, text) IS 'internal: true if no other schema or session has the name';

-- Schemas of other people and of other sessions keep their names.
CREATE FUNCTION rvbbit._schema_name(session text)
    RETURNS name
    LANGUAGE plpgsql STABLE STRICT
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    candidate name := rvbbit._plain_name(session);
BEGIN
    FOR attempt IN 0..9 LOOP
        IF rvbbit._is_free(candidate, session) THEN
            RETURN candidate;
        END IF;
        candidate := rvbbit._hashed_name(session, attempt);
    END LOOP;
    RETURN NULL;
END
$$;
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
    ELSIF alias LIKE 'pg\_%' OR alias IN ('public', 'information_schema', 'rvbbit', 'cron', rvbbit._partition_schema()) THEN
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
