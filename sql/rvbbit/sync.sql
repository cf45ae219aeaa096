-- Sync: schemas follow the folder and the policy. sync_plan() says what is to be done and why, sync() does it.

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
                WHEN a.missing_tables IS NOT NULL THEN 'tables were missing at the last tick'
                ELSE 'the last tick could not' END
    FROM folder AS f JOIN attached AS a ON a.session_id = f.session_id
    WHERE f.state IN ('ready', 'live') AND (f.auto_attach OR a.attached_by = 'manual')
      AND (f.signature IS DISTINCT FROM a.seen OR a.missing_since IS NOT NULL OR a.missing_tables IS NOT NULL
           OR EXISTS (SELECT FROM rvbbit.sync_problem AS p WHERE p.session_id = a.session_id AND p.signature IS NULL))
    UNION ALL
    SELECT 'forget', p.session_id, NULL, NULL, 'it is neither attached nor wanted any more'
    FROM rvbbit.sync_problem AS p LEFT JOIN folder AS f ON f.session_id = p.session_id
    WHERE (only_session IS NULL OR p.session_id = only_session)
      AND NOT EXISTS (SELECT FROM attached AS a WHERE a.session_id = p.session_id)
      AND (f.auto_attach IS NOT TRUE OR EXISTS (SELECT FROM rvbbit.detachment AS d WHERE d.session_id = p.session_id))
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
            CALL rvbbit._note_problem(session, reason || ', but something depends on its schema', NULL);
        WHEN 'forget' THEN
            CALL rvbbit._note_problem(session, NULL, NULL);
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

CREATE FUNCTION rvbbit._try_lock(session text)
    RETURNS boolean
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
    RETURN pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended('rvbbit session ' || session, 0));
COMMENT ON FUNCTION rvbbit._try_lock(text) IS 'internal: true if nobody attaches or detaches that session';

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
    -- A person who attaches or detaches it just now comes first.
    IF NOT (rvbbit._sync_lock() AND rvbbit._try_lock(session)) THEN
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
