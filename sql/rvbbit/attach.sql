-- Attach: a schema with a table for each table of a session. Detach: take it away again.
-- attach_session and detach_session run with their owner's rights, so that all schemas have one owner, whoever asks.

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
        BEGIN
            EXECUTE pg_catalog.format('IMPORT FOREIGN SCHEMA main LIMIT TO (" ") FROM SERVER %I INTO rvbbit '
                                      'OPTIONS (session %L)',
                                      rvbbit._server(), session);
        EXCEPTION
            WHEN internal_error THEN  -- from a host that gives all errors this SQLSTATE
                GET STACKED DIAGNOSTICS meant = PG_EXCEPTION_HINT;
        END;
    END IF;
    RAISE EXCEPTION 'session "%" does not exist', rvbbit._shown(session)
        USING ERRCODE = 'fdw_schema_not_found',
              HINT = COALESCE(NULLIF(meant, ''), 'SELECT session_id FROM rvbbit_sessions shows what there is.');
END
$$;
COMMENT ON PROCEDURE rvbbit._refuse_unknown(text) IS 'internal: the error for an id that the folder does not have';

-- Its beginning says that the schema is ours.
CREATE PROCEDURE rvbbit._comment_schema(session text, schema_name name, what text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE pg_catalog.format('COMMENT ON SCHEMA %I IS %L', schema_name,
        pg_catalog.format('RVBBIT session "%s", %s %s UTC', session, what,
                          pg_catalog.to_char(pg_catalog.now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')));
END
$$;
COMMENT ON PROCEDURE rvbbit._comment_schema(text, name, text) IS 'internal: the comment of an attached schema';

-- Read once for an attach, because to read a list costs more than all that is asked of it. Without a state there is no
-- such session.
CREATE FUNCTION rvbbit._known(session text, OUT state text, OUT tables jsonb)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    SELECT s.state, pg_catalog.jsonb_path_query_array(s.tables, '$[*] ? (@.schema_name == "main")') INTO state, tables
    FROM rvbbit._imports AS s WHERE s.session_id = session;
    tables := COALESCE(tables, '[]');
END
$$;
COMMENT ON FUNCTION rvbbit._known(text) IS 'internal: the state of a session, and the tables of it that an attached schema shows';

-- What an attached schema need not import: names that are taken, and tables that a person renamed.
CREATE FUNCTION rvbbit._present_names(session text, schema_oid oid, known jsonb)
    RETURNS SETOF text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT c.relname::text FROM rvbbit._relations_of(schema_oid) AS r
                 JOIN pg_catalog.pg_class AS c ON c.oid = r.relation;
    IF FOUND THEN
        RETURN QUERY
            SELECT k.pg_name FROM pg_catalog.jsonb_to_recordset(known) AS k (pg_name text, table_name text)
            JOIN rvbbit._tables_of(session, schema_oid) AS t ON t.remote_name = k.table_name;
    END IF;
END
$$;
COMMENT ON FUNCTION rvbbit._present_names(text, oid, jsonb) IS 'internal: names that an attached schema need not import';

-- All tables but those, or those under other names. By option, because PostgreSQL cuts the name of a remote schema at 63
-- bytes. NOT NULL is a promise that a table in use may break before the next sync.
CREATE PROCEDURE rvbbit._import(session text, schema_name name, others text[], called jsonb)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE pg_catalog.format('IMPORT FOREIGN SCHEMA main %s FROM SERVER %I INTO %I '
                              'OPTIONS (session %L, import_not_null ''false'' %s)',
        'EXCEPT (' || (SELECT pg_catalog.string_agg(DISTINCT pg_catalog.quote_ident(o.name), ', ')
                       FROM pg_catalog.unnest(others) AS o (name)) || ')',
        rvbbit._server(), schema_name, session,
        ', import_as ' || pg_catalog.quote_literal(called));
END
$$;
COMMENT ON PROCEDURE rvbbit._import(text, name, text[], jsonb) IS 'internal: foreign tables of a session';

CREATE FUNCTION rvbbit._missing_tables(known jsonb, present text[])
    RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    RETURN (SELECT COALESCE(pg_catalog.jsonb_agg(k), '[]') FROM pg_catalog.jsonb_array_elements(known) AS k
            WHERE k ->> 'pg_name' <> ALL (present));
COMMENT ON FUNCTION rvbbit._missing_tables(jsonb, text[]) IS 'internal: known tables that an attached schema lacks';

-- Straight to where they stay and under the names that they have there: to move one costs as much as to make it.
CREATE FUNCTION rvbbit._import_tables(session text, schema_name name, missing jsonb)
    RETURNS integer
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    schema_oid CONSTANT oid := rvbbit._schema_oid(schema_name);
    guarded CONSTANT boolean := rvbbit._needs_guard();
    names name[] := '{}';
    partitions name[] := '{}';
    imported oid[] := '{}';
    shown jsonb[] := '{}';
    item record;
BEGIN
    CALL rvbbit._ensure_partition_schema();
    FOR item IN SELECT m.pg_name FROM pg_catalog.jsonb_to_recordset(missing) AS m (pg_name name) LOOP
        names := names || item.pg_name;
        partitions := partitions || rvbbit._partition_name(session, item.pg_name, schema_oid, partitions);
    END LOOP;
    CALL rvbbit._import(session, rvbbit._partition_schema(), NULL, pg_catalog.jsonb_object(names::text[], partitions::text[]));
    FOR item IN
        SELECT c.oid, u.name, u.known
        FROM ROWS FROM (pg_catalog.unnest(names), pg_catalog.unnest(partitions), pg_catalog.jsonb_array_elements(missing))
             AS u (name, partition, known)
        JOIN pg_catalog.pg_class AS c ON c.relname = u.partition
        WHERE c.relnamespace = rvbbit._schema_oid(rvbbit._partition_schema())
    LOOP
        imported := imported || item.oid;
        shown := shown || (item.known || pg_catalog.jsonb_build_object(
            'part_oid', item.oid,
            'table_oid', rvbbit._make_table_before(item.oid, schema_name, item.name, guarded, false)));
    END LOOP;
    CALL rvbbit._hide_partitions(imported);
    CALL rvbbit._describe(session, pg_catalog.to_jsonb(shown), true);
    RETURN pg_catalog.cardinality(imported);
END
$$;
COMMENT ON FUNCTION rvbbit._import_tables(text, name, jsonb) IS 'internal: ordinary tables that a schema lacks; how many it got';

-- Only what is not there yet; what a person made in the schema keeps its name. How many tables were made is known of
-- ordinary ones alone.
CREATE FUNCTION rvbbit._import_missing(session text, schema_name name, present_as text, INOUT known jsonb, OUT made integer)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present CONSTANT text[] := ARRAY(SELECT rvbbit._present_names(session, rvbbit._schema_oid(schema_name), known));
    missing jsonb := rvbbit._missing_tables(known, present);
BEGIN
    IF present_as = 'foreign' THEN
        CALL rvbbit._import(session, schema_name, present, NULL);
        RETURN;
    END IF;
    IF missing = '[]' THEN
        -- The session may have been one that could not be read just then: this says why.
        CALL rvbbit._import(session, schema_name, NULL, '{}');
        known := (rvbbit._known(session)).tables;
        missing := rvbbit._missing_tables(known, present);
    END IF;
    made := CASE WHEN missing = '[]' THEN 0 ELSE rvbbit._import_tables(session, schema_name, missing) END;
END
$$;
COMMENT ON FUNCTION rvbbit._import_missing(text, name, text, jsonb) IS 'internal: make the tables that an attached schema lacks';

CREATE FUNCTION rvbbit._create_schema(session text, schema_name name, attached_by text, present_as text,
                                      OUT known jsonb, OUT made integer)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    state text;
BEGIN
    SELECT k.state, k.tables INTO state, known FROM rvbbit._known(session) AS k;
    IF state IS NULL THEN
        CALL rvbbit._refuse_unknown(session);
    END IF;
    EXECUTE pg_catalog.format('CREATE SCHEMA %I', schema_name);
    EXECUTE pg_catalog.format('GRANT USAGE ON SCHEMA %I TO rvbbit_reader', schema_name);
    EXECUTE pg_catalog.format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT ON TABLES TO rvbbit_reader',
                              schema_name);
    CALL rvbbit._comment_schema(session, schema_name, state || ' when attached at');
    -- Rows whose schema someone dropped or replaced say nothing any more.
    CALL rvbbit._forget(session);
    DELETE FROM rvbbit.attachment AS a WHERE a.schema_name = _create_schema.schema_name;
    INSERT INTO rvbbit.attachment (schema_name, session_id, attached_by, present_as)
    VALUES (_create_schema.schema_name, session, _create_schema.attached_by, _create_schema.present_as);
    SELECT m.known, m.made INTO known, made FROM rvbbit._import_missing(session, schema_name, present_as, known) AS m;
END
$$;
COMMENT ON FUNCTION rvbbit._create_schema(text, name, text, text) IS
    'internal: a new schema for a session, with what is known of its tables and, if that is known, their number';

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

CREATE PROCEDURE rvbbit._forget(session text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM rvbbit.attachment AS a WHERE a.session_id = session;
    DELETE FROM rvbbit.sync_seen AS e WHERE e.session_id = session;
    DELETE FROM rvbbit.sync_problem AS p WHERE p.session_id = session;
END
$$;
COMMENT ON PROCEDURE rvbbit._forget(text) IS 'internal: what is remembered of a session goes, but that a person detached it';

CREATE PROCEDURE rvbbit._lock(session text)
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('rvbbit session ' || session, 0));
$$;
COMMENT ON PROCEDURE rvbbit._lock(text) IS 'internal: one transaction at a time attaches or detaches a session';

CREATE PROCEDURE rvbbit._lock_name(schema_name text)
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('rvbbit schema ' || schema_name, 0));
$$;
COMMENT ON PROCEDURE rvbbit._lock_name(text) IS 'internal: one transaction at a time gives a schema that name';

-- Another session may want the same, and its schema is not seen before it is committed.
CREATE FUNCTION rvbbit._take_name(session text)
    RETURNS name
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    candidate name;
BEGIN
    LOOP
        candidate := rvbbit._schema_name(session);
        CALL rvbbit._lock_name(candidate);
        IF candidate = rvbbit._schema_name(session) THEN
            RETURN candidate;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION rvbbit._take_name(text) IS 'internal: the name of a new schema for a session, which no other session takes';

-- What was done, as a format of id and schema name, the schema's name, what is known of the tables if that was asked, and
-- how many the schema has if it is plain.
CREATE FUNCTION rvbbit._attach(session text, alias text, attached_by text, present_as text, OUT done text,
                               OUT schema_name name, OUT known jsonb, OUT made integer)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present text;
BEGIN
    CALL rvbbit._check_id(session);
    CALL rvbbit._check_presentation(present_as);
    CALL rvbbit._lock(session);
    IF alias IS NOT NULL THEN
        CALL rvbbit._lock_name(alias);
        CALL rvbbit._check_alias(alias, session);
    END IF;
    SELECT a.schema_name, a.present_as INTO schema_name, present FROM rvbbit._attached AS a WHERE a.session_id = session;
    IF schema_name IS NULL THEN
        done := 'Attached ''%s'' as schema "%s"';
        schema_name := COALESCE(alias, rvbbit._take_name(session));
        SELECT c.known, c.made INTO known, made
        FROM rvbbit._create_schema(session, schema_name, attached_by, COALESCE(present_as, rvbbit._present_as())) AS c;
    ELSIF schema_name <> alias THEN
        done := 'Renamed the schema of ''%s'' to "%s"';
        CALL rvbbit._rename_schema(schema_name, alias::pg_catalog.name);
        schema_name := alias;
    ELSE
        done := '''%s'' is attached already, as schema "%s"';
        SELECT m.known INTO known
        FROM rvbbit._import_missing(session, schema_name, present, (rvbbit._known(session)).tables) AS m;
    END IF;
    IF present_as <> present THEN
        done := CASE present_as WHEN 'table' THEN 'Presented ''%s'' as ordinary tables in schema "%s"'
                                ELSE 'Presented ''%s'' as foreign tables in schema "%s"' END;
        CALL rvbbit._present(session, schema_name, present_as);
    END IF;
    IF attached_by = 'manual' THEN
        UPDATE rvbbit.attachment AS a SET attached_by = 'manual'
        WHERE a.session_id = session AND a.attached_by <> 'manual';
        DELETE FROM rvbbit.detachment AS d WHERE d.session_id = session;
    END IF;
END
$$;
COMMENT ON FUNCTION rvbbit._attach(text, text, text, text) IS
    'internal: attach a session, rename its schema or present it otherwise';

-- "5 tables", and by name what could not be imported.
CREATE FUNCTION rvbbit._contents(session text, schema_name name, known jsonb, made integer)
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tables bigint := made;
    missing text;
BEGIN
    IF tables IS NULL THEN
        SELECT pg_catalog.count(*) INTO tables FROM rvbbit._tables_of(session, rvbbit._schema_oid(schema_name));
    END IF;
    SELECT pg_catalog.string_agg(rvbbit._shown(t.table_name), ', ' ORDER BY t.table_name) INTO missing
    FROM pg_catalog.jsonb_to_recordset(known) AS t (table_name text, error text)
    WHERE t.error IS NOT NULL;
    RETURN tables || CASE tables WHEN 1 THEN ' table' ELSE ' tables' END || COALESCE('; left out: ' || missing, '');
END
$$;
COMMENT ON FUNCTION rvbbit._contents(text, name, jsonb, integer) IS 'internal: what an attached schema has, and what it lacks';

CREATE FUNCTION rvbbit.attach_session(session_id text, schema_name text DEFAULT NULL, present_as text DEFAULT NULL)
    RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '10s'
AS $$
DECLARE
    result record;
BEGIN
    SELECT * INTO result FROM rvbbit._attach(session_id, schema_name, 'manual', present_as);
    RETURN pg_catalog.format('SUCCESS: %s (%s). Refresh the connection in DBeaver to see it.',
                             pg_catalog.format(result.done, session_id, result.schema_name),
                             rvbbit._contents(session_id, result.schema_name,
                                              COALESCE(result.known, (rvbbit._known(session_id)).tables), result.made));
END
$$;
COMMENT ON FUNCTION rvbbit.attach_session(text, text, text) IS
    'show a session as a schema, named after it or as given; again with another name or presentation: change it in place';

CREATE PROCEDURE rvbbit._drop_schema(session text, schema_name name)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    command text;
    what text;
BEGIN
    FOR command IN
        SELECT pg_catalog.format('DROP %s %s', CASE WHEN t.table_oid = t.part_oid THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
                                 pg_catalog.string_agg(t.table_oid::pg_catalog.regclass::text, ', '))
        FROM rvbbit._tables_of(session, rvbbit._schema_oid(schema_name)) AS t
        GROUP BY t.table_oid = t.part_oid
    LOOP
        EXECUTE command;
    END LOOP;
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
    CALL rvbbit._forget(session_id);
    INSERT INTO rvbbit.detachment (session_id) VALUES (detach_session.session_id)
    ON CONFLICT ON CONSTRAINT detachment_pkey DO NOTHING;
    RETURN CASE WHEN gone IS NULL THEN pg_catalog.format('SUCCESS: ''%s'' is not attached.', session_id)
                ELSE pg_catalog.format('SUCCESS: Detached ''%s'' (schema "%s"). '
                                       'Refresh the connection in DBeaver to see it.', session_id, gone) END;
END
$$;
COMMENT ON FUNCTION rvbbit.detach_session(text) IS 'take the schema of a session away; the session itself is not touched';

REVOKE ALL ON FUNCTION rvbbit.attach_session(text, text, text), rvbbit.detach_session(text),
    rvbbit._attach(text, text, text, text) FROM PUBLIC;
