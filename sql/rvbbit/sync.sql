-- Sync: schemas follow the folder and the policy. sync_plan() says what is to be done and why, sync() does it.

CREATE TABLE rvbbit.sync_problem (
    session_id text PRIMARY KEY,
    problem text NOT NULL,
    since timestamp with time zone NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE rvbbit.sync_problem IS 'what kept sync from a session';
COMMENT ON COLUMN rvbbit.sync_problem.session_id IS 'the session';
COMMENT ON COLUMN rvbbit.sync_problem.problem IS 'what went wrong';
COMMENT ON COLUMN rvbbit.sync_problem.since IS 'since when it is so';

-- A dump leaves it out: the first sync after a restore looks into every session.
CREATE TABLE rvbbit.sync_seen (
    session_id text PRIMARY KEY,
    signature text,
    looked_at timestamp with time zone NOT NULL DEFAULT pg_catalog.now(),
    in_step boolean NOT NULL DEFAULT true,
    missing_since timestamp with time zone,
    missing_tables name[]
);
COMMENT ON TABLE rvbbit.sync_seen IS 'what sync remembers of the sessions that it looked into';
COMMENT ON COLUMN rvbbit.sync_seen.session_id IS 'the session';
COMMENT ON COLUMN rvbbit.sync_seen.signature IS 'the state of its files then; null: to be looked into at the next tick';
COMMENT ON COLUMN rvbbit.sync_seen.looked_at IS 'when that was';
COMMENT ON COLUMN rvbbit.sync_seen.in_step IS 'false if something went wrong; it is tried again after ten minutes, if not before';
COMMENT ON COLUMN rvbbit.sync_seen.missing_since IS 'since when the session''s file is gone';
COMMENT ON COLUMN rvbbit.sync_seen.missing_tables IS 'tables that were gone then';

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

-- Two states of a session's files differ in their signature; after an upgrade every session is looked into again.
-- A query's text says what is to be found out: which sessions attach by themselves costs a look at the whole folder.
CREATE FUNCTION rvbbit._look(wanted text, condition text, ids text[])
    RETURNS TABLE (session_id text, state text, auto_attach boolean, signature text, is_large boolean)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $outer$
BEGIN
    RETURN QUERY EXECUTE pg_catalog.format($$
        SELECT s.session_id, s.state, %s,
               pg_catalog.format('%%s %%s %%s %%s', EXTRACT(epoch FROM s.modified_at), s.size_bytes, s.wal_bytes, $2),
               s.size_bytes + s.wal_bytes > 268435456 AND (s.state = 'live' OR s.wal_bytes > 0)
        FROM public.rvbbit_sessions AS s WHERE %s$$, wanted, condition) USING ids, rvbbit.version();
END
$outer$;
COMMENT ON FUNCTION rvbbit._look(text, text, text[]) IS 'internal: sessions as sync sees them';

CREATE FUNCTION rvbbit._folder(only_session text)
    RETURNS TABLE (session_id text, state text, auto_attach boolean, signature text, is_large boolean)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wanted text[] := '{}';
    others text[];
BEGIN
    IF only_session IS NOT NULL THEN
        RETURN QUERY SELECT * FROM rvbbit._look('s.auto_attach', 's.session_id = ANY ($1)', ARRAY[only_session]);
        RETURN;
    END IF;
    FOR session_id, state, auto_attach, signature, is_large IN
        SELECT * FROM rvbbit._look('true', 's.auto_attach', NULL)
    LOOP
        RETURN NEXT;
        wanted := wanted || session_id;
    END LOOP;
    others := ARRAY(SELECT a.session_id FROM rvbbit.attachment AS a EXCEPT SELECT pg_catalog.unnest(wanted));
    IF others <> '{}' THEN
        RETURN QUERY SELECT * FROM rvbbit._look('false', 's.session_id = ANY ($1)', others);
    END IF;
END
$$;
COMMENT ON FUNCTION rvbbit._folder(text) IS 'internal: the sessions that the policy wants or that are attached';

-- Views over our tables, and whatever else stands in our schema: not ours to drop.
CREATE FUNCTION rvbbit._has_dependents(session text, schema_oid oid)
    RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    RETURN EXISTS (SELECT FROM rvbbit._tables_of(session, schema_oid) AS t
                   JOIN pg_catalog.pg_depend AS d ON d.refobjid IN (t.table_oid, t.part_oid)
                   WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype = 'n')
        OR EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                   WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid = schema_oid
                     AND d.deptype = 'n'
                     AND d.objid NOT IN (SELECT t.table_oid FROM rvbbit._tables_of(session, schema_oid) AS t));
COMMENT ON FUNCTION rvbbit._has_dependents(text, oid) IS 'internal: true if something of a person''s hangs on an attached schema';

-- What an ordinary table has, its partition has too. Only a foreign table takes options.
CREATE FUNCTION rvbbit._add_column(relation oid, partition oid, column_name name, type text, options text)
    RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    RETURN CASE WHEN relation = partition THEN
               pg_catalog.format('ALTER FOREIGN TABLE %s ADD COLUMN %I %s %s', relation::pg_catalog.regclass,
                                 column_name, type, options)
           ELSE pg_catalog.format('ALTER TABLE %s ADD COLUMN %I %s; ALTER FOREIGN TABLE %s ALTER COLUMN %I %s',
                                  relation::pg_catalog.regclass, column_name, type,
                                  partition::pg_catalog.regclass, column_name, options) END;
COMMENT ON FUNCTION rvbbit._add_column(oid, oid, name, text, text) IS 'internal: the command that adds a column';

CREATE FUNCTION rvbbit._drop_column(relation oid, partition oid, column_name name)
    RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    RETURN pg_catalog.format('ALTER %sTABLE %s DROP COLUMN %I', CASE WHEN relation = partition THEN 'FOREIGN ' ELSE '' END,
                             relation::pg_catalog.regclass, column_name);
COMMENT ON FUNCTION rvbbit._drop_column(oid, oid, name) IS 'internal: the command that drops a column';

-- Any type becomes any other: nothing is stored. PostgreSQL believes it only of an ordinary table without partitions.
CREATE FUNCTION rvbbit._alter_column(relation oid, partition oid, column_name name, type text, options text)
    RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    RETURN CASE
        WHEN relation = partition THEN
            pg_catalog.format('ALTER FOREIGN TABLE %1$s ALTER COLUMN %2$I TYPE %3$s, ALTER COLUMN %2$I %4$s',
                              relation::pg_catalog.regclass, column_name, type, options)
        WHEN type IS NULL THEN
            pg_catalog.format('ALTER FOREIGN TABLE %s ALTER COLUMN %I %s', partition::pg_catalog.regclass,
                              column_name, options)
        ELSE pg_catalog.format('ALTER TABLE %1$s DETACH PARTITION %2$s; '
                               'ALTER TABLE %1$s ALTER COLUMN %3$I TYPE %4$s USING NULL::%4$s; '
                               'ALTER FOREIGN TABLE %2$s ALTER COLUMN %3$I TYPE %4$s, ALTER COLUMN %3$I %5$s; '
                               'ALTER TABLE %1$s ATTACH PARTITION %2$s DEFAULT',
                               relation::pg_catalog.regclass, partition::pg_catalog.regclass, column_name, type, options)
    END;
COMMENT ON FUNCTION rvbbit._alter_column(oid, oid, name, text, text) IS
    'internal: the commands that give a column another type, if one is given, and options';

-- Tables and columns are known by their names in the session, so one that a person renamed stays what it is. Only a
-- column whose name in the session is gone becomes, by its name here, another one: its grants and views stay.
CREATE FUNCTION rvbbit._column_drift(session text, schema_oid oid)
    RETURNS TABLE (action text, table_name name, column_name name, command text, place integer)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    WITH tables AS MATERIALIZED (
        SELECT * FROM rvbbit._tables_of(session, schema_oid)
    ), wanted AS MATERIALIZED (
        SELECT t.table_oid, t.part_oid, t.table_name, s.pg_name::name AS pg_name, s.column_name, s.duckdb_type, s.pg_type, s.position,
               pg_catalog.format_type(pg_catalog.to_regtype(s.pg_type), pg_catalog.to_regtypemod(s.pg_type)) AS type
        FROM public.rvbbit_columns AS s JOIN tables AS t ON t.remote_name = s.table_name
        WHERE s.session_id = session AND s.schema_name = 'main'
    ), present AS MATERIALIZED (
        SELECT t.table_oid, t.part_oid, t.table_name, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
               (SELECT o.option_value FROM pg_catalog.pg_options_to_table(a.attfdwoptions) AS o
                WHERE o.option_name = 'column_name') AS column_name,
               (SELECT o.option_value FROM pg_catalog.pg_options_to_table(a.attfdwoptions) AS o
                WHERE o.option_name = 'duckdb_type') AS duckdb_type
        FROM tables AS t
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.part_oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE t.table_oid IN (SELECT w.table_oid FROM wanted AS w)
    ), paired AS MATERIALIZED (
        SELECT w.table_oid, p.attname, w.column_name
        FROM wanted AS w
        JOIN present AS p ON p.table_oid = w.table_oid AND COALESCE(p.column_name, p.attname::text) = w.column_name
    ), pairs AS (
        SELECT * FROM paired
        UNION ALL
        SELECT COALESCE(w.table_oid, p.table_oid), p.attname, w.column_name
        FROM (SELECT * FROM wanted AS x
              WHERE NOT EXISTS (SELECT FROM paired AS q
                                WHERE q.table_oid = x.table_oid AND q.column_name = x.column_name)) AS w
        FULL JOIN (SELECT * FROM present AS x
                   WHERE NOT EXISTS (SELECT FROM paired AS q
                                     WHERE q.table_oid = x.table_oid AND q.attname = x.attname)) AS p
            ON p.table_oid = w.table_oid AND p.attname = w.pg_name
    )
    SELECT CASE WHEN p.attname IS NULL THEN 'add column' WHEN w.pg_name IS NULL THEN 'drop column'
                ELSE 'alter column' END,
           COALESCE(w.table_name, p.table_name), COALESCE(p.attname, w.pg_name),
           CASE WHEN p.attname IS NULL THEN
                    rvbbit._add_column(w.table_oid, w.part_oid, w.pg_name, w.pg_type, pg_catalog.format(
                        'OPTIONS (column_name %L, duckdb_type %L)', w.column_name, w.duckdb_type))
                WHEN w.pg_name IS NULL THEN rvbbit._drop_column(p.table_oid, p.part_oid, p.attname)
                ELSE rvbbit._alter_column(p.table_oid, p.part_oid, p.attname,
                         CASE WHEN p.table_oid = p.part_oid OR p.type IS DISTINCT FROM w.type THEN w.pg_type END,
                         pg_catalog.format('OPTIONS (%s column_name %L, %s duckdb_type %L)',
                             CASE WHEN p.column_name IS NULL THEN 'ADD' ELSE 'SET' END, w.column_name,
                             CASE WHEN p.duckdb_type IS NULL THEN 'ADD' ELSE 'SET' END, w.duckdb_type))
           END,
           w.position
    FROM pairs AS x
    LEFT JOIN present AS p ON p.table_oid = x.table_oid AND p.attname = x.attname
    LEFT JOIN wanted AS w ON w.table_oid = x.table_oid AND w.column_name = x.column_name
    WHERE (p.type, p.duckdb_type, COALESCE(p.column_name, p.attname::text))
          IS DISTINCT FROM (w.type, w.duckdb_type, w.column_name);
END
$$;
COMMENT ON FUNCTION rvbbit._column_drift(text, oid) IS 'internal: columns that an attached schema lacks or has otherwise';

-- What an attached schema lacks or has too much. A new table's definition comes from IMPORT FOREIGN SCHEMA. A view that
-- cannot be read just now is not imported, but what shows it already says why and stays.
CREATE FUNCTION rvbbit._drift(session text, schema_name name)
    RETURNS TABLE (action text, table_name name, column_name name, command text)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    schema_oid CONSTANT oid := rvbbit._schema_oid(schema_name);
BEGIN
    RETURN QUERY
    WITH wanted AS MATERIALIZED (
        SELECT s.table_name, s.pg_name::name AS pg_name, s.error FROM public.rvbbit_tables AS s
        WHERE s.session_id = session AND s.schema_name = 'main'
    ), present AS MATERIALIZED (
        SELECT * FROM rvbbit._tables_of(session, schema_oid)
    )
    SELECT 'create table', w.pg_name, NULL::name, NULL::text FROM wanted AS w
    WHERE w.error IS NULL
      AND NOT EXISTS (SELECT FROM present AS p WHERE p.remote_name = w.table_name)
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c
                      WHERE c.relnamespace = schema_oid AND c.relname = w.pg_name)
    UNION ALL
    SELECT 'drop table', p.table_name, NULL,
           pg_catalog.format('DROP %sTABLE %s', CASE WHEN p.table_oid = p.part_oid THEN 'FOREIGN ' ELSE '' END,
                             p.table_oid::pg_catalog.regclass)
    FROM present AS p WHERE NOT EXISTS (SELECT FROM wanted AS w WHERE w.table_name = p.remote_name)
    UNION ALL
    (SELECT c.action, c.table_name, c.column_name, c.command
     FROM rvbbit._column_drift(session, schema_oid) AS c ORDER BY c.table_name, c.place);
END
$$;
COMMENT ON FUNCTION rvbbit._drift(text, name) IS 'internal: what an attached schema lacks or has too much';

-- When a session is to be looked into: when its files changed, but one that is large and being written, and so copied
-- at each look, only once a minute; and again after ten minutes if something went wrong.
-- Without a SET clause, so that it becomes a part of the query that calls it.
CREATE FUNCTION rvbbit._is_due(seen rvbbit.sync_seen, signature text, is_large boolean)
    RETURNS boolean
    LANGUAGE sql STABLE
    RETURN seen.session_id IS NULL OR seen.missing_since IS NOT NULL
        OR (seen.signature IS DISTINCT FROM signature OR seen.missing_tables IS NOT NULL)
           AND (NOT is_large OR seen.looked_at <= pg_catalog.now() - interval '1 minute')
        OR NOT seen.in_step AND seen.looked_at <= pg_catalog.now() - interval '10 minutes';
COMMENT ON FUNCTION rvbbit._is_due(rvbbit.sync_seen, text, boolean) IS 'internal: true if sync is to look into a session';

-- What a person attached stays as that person has it.
CREATE VIEW rvbbit._presented_otherwise AS
    SELECT a.session_id FROM rvbbit.attachment AS a
    -- A subquery: computed once, not for each session.
    WHERE a.attached_by = 'auto' AND a.present_as <> (SELECT rvbbit._present_as());
COMMENT ON VIEW rvbbit._presented_otherwise IS 'internal: sessions of which the policy wants other kinds of tables';

-- The planner takes what it cannot estimate for one row, and would compare each session with each.
CREATE FUNCTION rvbbit._attached_for_sync(only_session text)
    RETURNS TABLE (session_id text, schema_name name, schema_oid oid, attached_by text, is_presented_otherwise boolean)
    LANGUAGE sql STABLE ROWS 200
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT a.session_id, a.schema_name, a.schema_oid, a.attached_by, o.session_id IS NOT NULL
    FROM rvbbit._attached AS a LEFT JOIN rvbbit._presented_otherwise AS o ON o.session_id = a.session_id
    WHERE only_session IS NULL OR a.session_id = only_session;
END;
COMMENT ON FUNCTION rvbbit._attached_for_sync(text) IS 'internal: attached sessions as sync sees them';

CREATE FUNCTION rvbbit._sessions_to_do(only_session text DEFAULT NULL)
    RETURNS TABLE (action text, session_id text, schema_name name, signature text, reason text)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH folder AS MATERIALIZED (SELECT * FROM rvbbit._folder(only_session)),
    attached AS MATERIALIZED (SELECT * FROM rvbbit._attached_for_sync(only_session)),
    gone AS (
        SELECT a.*, e.missing_since, f.session_id IS NULL AS has_no_file, f.signature,
               rvbbit._has_dependents(a.session_id, a.schema_oid) AS is_held
        FROM attached AS a
        LEFT JOIN folder AS f ON f.session_id = a.session_id
        LEFT JOIN rvbbit.sync_seen AS e ON e.session_id = a.session_id
        WHERE f.session_id IS NULL OR a.attached_by = 'auto' AND NOT f.auto_attach
    )
    SELECT 'attach', f.session_id, rvbbit._schema_name(f.session_id), f.signature, 'the policy wants it'
    FROM folder AS f LEFT JOIN rvbbit.sync_seen AS e ON e.session_id = f.session_id
    WHERE f.auto_attach AND f.state IN ('ready', 'live')
      AND (COALESCE(e.in_step, true) OR rvbbit._is_due(e, f.signature, f.is_large))
      AND NOT EXISTS (SELECT FROM attached AS a WHERE a.session_id = f.session_id)
      AND NOT EXISTS (SELECT FROM rvbbit.detachment AS d WHERE d.session_id = f.session_id)
    UNION ALL
    SELECT 'refresh', f.session_id, a.schema_name, f.signature,
           CASE WHEN e.missing_since IS NOT NULL THEN 'its file is there again'
                WHEN a.is_presented_otherwise THEN 'the policy presents it otherwise'
                WHEN f.signature IS DISTINCT FROM e.signature THEN 'its files changed'
                WHEN e.missing_tables IS NOT NULL THEN 'tables were missing at the last tick'
                ELSE 'the last tick could not' END
    FROM folder AS f
    JOIN attached AS a ON a.session_id = f.session_id
    LEFT JOIN rvbbit.sync_seen AS e ON e.session_id = f.session_id
    WHERE f.state IN ('ready', 'live', 'empty') AND (f.auto_attach OR a.attached_by = 'manual')
      AND (rvbbit._is_due(e, f.signature, f.is_large)
           OR COALESCE(e.in_step, true) AND a.is_presented_otherwise)
    UNION ALL
    SELECT CASE WHEN g.attached_by = 'manual' OR g.is_held THEN 'keep'
                WHEN g.has_no_file AND g.missing_since IS NULL THEN 'wait'
                ELSE 'detach' END,
           g.session_id, g.schema_name, g.signature,
           CASE WHEN g.has_no_file THEN 'its file is gone' ELSE 'the policy does not want it any more' END
           || CASE WHEN g.attached_by = 'manual' THEN ', but a person attached it'
                   WHEN g.is_held THEN ', but something depends on its schema'
                   WHEN g.has_no_file AND g.missing_since IS NULL THEN '; at the next tick it is detached' ELSE '' END
    FROM gone AS g
    UNION ALL
    SELECT 'forget', p.session_id, NULL, NULL, 'it is neither attached nor wanted any more'
    FROM rvbbit.sync_problem AS p LEFT JOIN folder AS f ON f.session_id = p.session_id
    WHERE (only_session IS NULL OR p.session_id = only_session)
      AND NOT EXISTS (SELECT FROM attached AS a WHERE a.session_id = p.session_id)
      AND (f.auto_attach IS NOT TRUE OR EXISTS (SELECT FROM rvbbit.detachment AS d WHERE d.session_id = p.session_id));
END;
COMMENT ON FUNCTION rvbbit._sessions_to_do(text) IS 'internal: sessions that sync has to do with';

CREATE FUNCTION rvbbit.sync_plan()
    RETURNS TABLE (action text, session_id text, schema_name name, table_name name, column_name name, reason text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH todo AS MATERIALIZED (SELECT * FROM rvbbit._sessions_to_do())
    SELECT t.action, t.session_id, t.schema_name, NULL::pg_catalog.name, NULL::pg_catalog.name, t.reason
    FROM todo AS t WHERE t.action NOT IN ('refresh', 'forget')
    UNION ALL
    SELECT d.action, t.session_id, t.schema_name, d.table_name, d.column_name, t.reason
    FROM todo AS t CROSS JOIN LATERAL rvbbit._drift(t.session_id, t.schema_name) AS d
    WHERE t.action = 'refresh'
    UNION ALL
    SELECT 'present', t.session_id, t.schema_name, NULL, NULL, t.reason
    FROM todo AS t JOIN rvbbit._presented_otherwise AS o ON o.session_id = t.session_id WHERE t.action = 'refresh';
END;
COMMENT ON FUNCTION rvbbit.sync_plan() IS 'what rvbbit.sync() would do now, and why, without doing it';

-- True if it is news. A problem that stays the same is not written again: an idle tick writes nothing.
CREATE FUNCTION rvbbit._note_problem(session text, problem text)
    RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF problem IS NULL THEN
        DELETE FROM rvbbit.sync_problem AS p WHERE p.session_id = session;
        RETURN false;
    END IF;
    INSERT INTO rvbbit.sync_problem AS p (session_id, problem)
    SELECT session, _note_problem.problem
    WHERE NOT EXISTS (SELECT FROM rvbbit.sync_problem AS q
                      WHERE q.session_id = session AND q.problem = _note_problem.problem)
    ON CONFLICT ON CONSTRAINT sync_problem_pkey
    DO UPDATE SET problem = excluded.problem, since = excluded.since;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION rvbbit._note_problem(text, text) IS 'internal: remember what kept sync from a session, or that nothing does';

CREATE PROCEDURE rvbbit._note_look(session text, signature text, in_step boolean, missing_tables name[])
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO rvbbit.sync_seen AS e (session_id, signature, in_step, missing_tables)
    VALUES (session, _note_look.signature, _note_look.in_step, _note_look.missing_tables)
    ON CONFLICT ON CONSTRAINT sync_seen_pkey
    DO UPDATE SET signature = excluded.signature, looked_at = excluded.looked_at, in_step = excluded.in_step,
                  missing_since = NULL, missing_tables = excluded.missing_tables;
END
$$;
COMMENT ON PROCEDURE rvbbit._note_look(text, text, boolean, name[]) IS 'internal: remember that sync looked into a session';

-- So what stood in the way is forgotten when the session is wanted again, whether or not its files change.
CREATE PROCEDURE rvbbit._look_again(session text)
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE rvbbit.sync_seen AS e SET signature = NULL WHERE e.session_id = session AND e.signature IS NOT NULL;
$$;
COMMENT ON PROCEDURE rvbbit._look_again(text) IS 'internal: the next tick that wants a session is to look into it';

CREATE PROCEDURE rvbbit._note_gone(session text, schema_name name)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO rvbbit.sync_seen AS e (session_id, missing_since) VALUES (session, pg_catalog.now())
    ON CONFLICT ON CONSTRAINT sync_seen_pkey
    DO UPDATE SET missing_since = excluded.missing_since WHERE e.missing_since IS NULL;
    IF FOUND THEN
        CALL rvbbit._comment_schema(session, schema_name, 'stale: its file is gone since');
    END IF;
END
$$;
COMMENT ON PROCEDURE rvbbit._note_gone(text, name) IS 'internal: remember since when a session''s file is gone';

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
    WHEN dependent_objects_still_exist OR feature_not_supported OR duplicate_column THEN
        RETURN pg_catalog.format('%s: %s', command, SQLERRM);
END
$$;
COMMENT ON FUNCTION rvbbit._apply(text) IS 'internal: run a change; what stands in its way, or null';

-- What stands in the way, or null.
CREATE FUNCTION rvbbit._try_present(session text, schema_name name)
    RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    what text;
BEGIN
    CALL rvbbit._present(session, schema_name, rvbbit._present_as());
    RETURN NULL;
EXCEPTION
    WHEN dependent_objects_still_exist OR wrong_object_type OR feature_not_supported OR object_not_in_prerequisite_state
    THEN
        GET STACKED DIAGNOSTICS what = PG_EXCEPTION_DETAIL;
        RETURN SQLERRM || COALESCE(': ' || what, '');
END
$$;
COMMENT ON FUNCTION rvbbit._try_present(text, name) IS 'internal: present an attached session as the policy says';

-- A session that cannot be read just now has no rows in rvbbit_tables: that says nothing of its tables.
CREATE PROCEDURE rvbbit._require_readable(session text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reason text;
BEGIN
    SELECT COALESCE(s.error, 'it cannot be read') INTO reason
    FROM public.rvbbit_sessions AS s WHERE s.session_id = session AND s.table_count IS NULL;
    IF FOUND THEN
        RAISE EXCEPTION '%', reason USING ERRCODE = 'fdw_error';
    END IF;
END
$$;
COMMENT ON PROCEDURE rvbbit._require_readable(text) IS 'internal: an error if a session''s tables cannot be known';

-- How many changes there were. A table that is gone is dropped when it is still gone at the next tick: it may only be
-- being written anew.
CREATE FUNCTION rvbbit._refresh(session text, schema_name name, signature text)
    RETURNS integer
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    missing CONSTANT name[] := (SELECT e.missing_tables FROM rvbbit.sync_seen AS e WHERE e.session_id = session);
    present_as CONSTANT text := (SELECT a.present_as FROM rvbbit.attachment AS a WHERE a.session_id = session);
    still_missing name[];
    problems text[] := '{}';
    problem text;
    change record;
    lacks_tables boolean := false;
    changes integer := 0;
    tables oid[];
BEGIN
    CALL rvbbit._require_readable(session);
    FOR change IN SELECT * FROM rvbbit._drift(session, schema_name) LOOP
        IF change.action = 'drop table' AND NOT change.table_name = ANY (COALESCE(missing, '{}')) THEN
            still_missing := still_missing || change.table_name;
            CONTINUE;
        END IF;
        problem := NULL;
        IF change.action = 'create table' THEN
            lacks_tables := true;
        ELSE
            problem := rvbbit._apply(change.command);
        END IF;
        IF problem IS NULL THEN
            changes := changes + 1;
        ELSE
            problems := problems || problem;
        END IF;
    END LOOP;
    IF lacks_tables THEN
        PERFORM rvbbit._import_missing(session, schema_name, present_as, (rvbbit._known(session)).tables);
    END IF;
    IF EXISTS (SELECT FROM rvbbit._presented_otherwise AS o WHERE o.session_id = session) THEN
        problem := rvbbit._try_present(session, schema_name);
        IF problem IS NULL THEN
            changes := changes + 1;
        ELSE
            problems := problems || problem;
        END IF;
    END IF;
    tables := ARRAY(SELECT t.table_oid FROM rvbbit._tables_of(session, rvbbit._schema_oid(schema_name)) AS t);
    CALL rvbbit._estimate(rvbbit._tables_shown(session, tables, false));
    IF EXISTS (SELECT FROM rvbbit.sync_seen AS e WHERE e.session_id = session AND e.missing_since IS NOT NULL) THEN
        CALL rvbbit._comment_schema(session, schema_name, 'there again since');
    END IF;
    CALL rvbbit._note_look(session, signature, problems = '{}', still_missing);
    PERFORM rvbbit._note_problem(session, NULLIF(pg_catalog.array_to_string(problems, '; '), ''));
    RETURN changes;
END
$$;
COMMENT ON FUNCTION rvbbit._refresh(text, name, text) IS 'internal: bring an attached schema in step with its session';

-- What was done, in a word; null if nothing that anybody sees.
CREATE FUNCTION rvbbit._sync_action(action text, session text, schema_name name, signature text, reason text)
    RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    CASE action
        WHEN 'attach' THEN
            PERFORM rvbbit._attach(session, NULL, 'auto', NULL);
            CALL rvbbit._note_look(session, signature, true, NULL);
            PERFORM rvbbit._note_problem(session, NULL);
            RETURN 'attached';
        WHEN 'refresh' THEN
            RETURN CASE WHEN rvbbit._refresh(session, schema_name, signature) > 0 THEN 'changed' END;
        WHEN 'wait' THEN
            CALL rvbbit._note_gone(session, schema_name);
        WHEN 'keep' THEN
            IF signature IS NULL THEN
                CALL rvbbit._note_gone(session, schema_name);
            ELSE  -- once it is wanted again it is looked into, and the problem forgotten
                CALL rvbbit._note_look(session, NULL, true, NULL);
            END IF;
            RETURN CASE WHEN rvbbit._note_problem(session, reason) THEN 'kept' END;
        WHEN 'detach' THEN
            CALL rvbbit._drop_schema(session, schema_name);
            CALL rvbbit._forget(session);
            RETURN 'detached';
        WHEN 'forget' THEN
            CALL rvbbit._forget(session);
    END CASE;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rvbbit._sync_action(text, text, name, text, text) IS 'internal: do one thing of the plan';

-- What passes by itself is tried again at the next tick, anything else when the session's files change.
CREATE FUNCTION rvbbit._sync_failed(session text, message text, sqlstate_ text, signature text)
    RETURNS text
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    passes CONSTANT boolean := sqlstate_ IN ('55P03', '55006', '40P01', '40001', '53000', '53100', '53200', '53300', '2BP01');
BEGIN
    IF passes THEN
        CALL rvbbit._look_again(session);
    ELSE
        CALL rvbbit._note_look(session, signature, false, NULL);
    END IF;
    RETURN CASE WHEN rvbbit._note_problem(session, message) THEN 'failed' END;
END
$$;
COMMENT ON FUNCTION rvbbit._sync_failed(text, text, text, text) IS 'internal: remember a failure of sync';

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
       OR NOT EXISTS (SELECT FROM rvbbit.sync_problem AS p WHERE p.session_id = t.session_id AND p.problem = t.reason);
END;
COMMENT ON FUNCTION rvbbit._sync_todo() IS 'internal: the sessions that a sync goes through';

-- One session in one transaction; what was done to it. What is to be done is asked again, because time has passed.
CREATE FUNCTION rvbbit._sync_step(session text)
    RETURNS text
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
        RETURN NULL;
    END IF;
    SELECT * INTO todo FROM rvbbit._sessions_to_do(session) AS t LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    BEGIN
        RETURN rvbbit._sync_action(todo.action, session, todo.schema_name, todo.signature, todo.reason);
    EXCEPTION
        WHEN OTHERS THEN
            RETURN rvbbit._sync_failed(session, SQLERRM, SQLSTATE, todo.signature);
    END;
END
$$;
COMMENT ON FUNCTION rvbbit._sync_step(text) IS 'internal: bring one session in step, or remember why not';

-- "attached "a", "b" and 48 more; changed "c"", from what was done and the sessions that it was done to.
CREATE FUNCTION rvbbit._sync_summary(done text[], sessions text[])
    RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT pg_catalog.string_agg(g.done || ' ' || g.first || CASE WHEN g.number > 10 THEN ' and ' || g.number - 10 || ' more'
                                                                  ELSE '' END, '; ' ORDER BY g.done)
    FROM (SELECT d.done, pg_catalog.count(*) AS number,
                 pg_catalog.string_agg('"' || rvbbit._shown(d.session) || '"', ', ' ORDER BY d.place)
                     FILTER (WHERE d.rank <= 10) AS first
          FROM (SELECT u.done, u.session, u.place,
                       pg_catalog.row_number() OVER (PARTITION BY u.done ORDER BY u.place) AS rank
                FROM ROWS FROM (pg_catalog.unnest(done), pg_catalog.unnest(sessions)) WITH ORDINALITY
                         AS u (done, session, place)
                WHERE u.done IS NOT NULL) AS d
          GROUP BY d.done) AS g;
END;
COMMENT ON FUNCTION rvbbit._sync_summary(text[], text[]) IS 'internal: what a sync did, in one line';

-- The heartbeat: once a minute if nothing happens. One line in the server's log if something did.
CREATE FUNCTION rvbbit._sync_done(began timestamp with time zone, done text[], sessions text[])
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET log_error_verbosity = 'terse'
    SET log_min_error_statement = 'panic'
AS $$
DECLARE
    took CONSTANT interval := pg_catalog.clock_timestamp() - began;
    steps CONSTANT integer := pg_catalog.cardinality(sessions);
    summary CONSTANT text := rvbbit._sync_summary(done, sessions);
BEGIN
    IF steps = 0 AND EXISTS (SELECT FROM rvbbit.sync_run AS r WHERE r.last_run > began - interval '1 minute') THEN
        RETURN;
    END IF;
    INSERT INTO rvbbit.sync_run AS r (last_run, duration, steps, last_change)
    VALUES (began, took, steps, CASE WHEN steps > 0 THEN began END)
    ON CONFLICT ON CONSTRAINT sync_run_pkey
    DO UPDATE SET last_run = excluded.last_run, duration = excluded.duration, steps = excluded.steps,
                  last_change = COALESCE(excluded.last_change, r.last_change);
    IF summary IS NOT NULL THEN
        RAISE LOG 'rvbbit sync: % (% ms)', summary, (1000 * EXTRACT(epoch FROM took))::integer;
    END IF;
END
$$;
COMMENT ON FUNCTION rvbbit._sync_done(timestamp with time zone, text[], text[]) IS 'internal: write down a sync that did something';

-- No SET clause and no rights of its own: either would forbid COMMIT.
CREATE PROCEDURE rvbbit.sync()
    LANGUAGE plpgsql
AS $$
DECLARE
    began CONSTANT timestamp with time zone := pg_catalog.clock_timestamp();
    sessions text[];
    session text;
    done text[];
BEGIN
    IF pg_catalog.pg_is_in_recovery() OR rvbbit._server() IS NULL THEN
        RETURN;
    END IF;
    sessions := rvbbit._sync_todo();
    COMMIT;
    FOREACH session IN ARRAY sessions LOOP
        done := pg_catalog.array_append(done, rvbbit._sync_step(session));
        COMMIT;
    END LOOP;
    PERFORM rvbbit._sync_done(began, done, sessions);
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
    rvbbit._sync_done(timestamp with time zone, text[], text[]) FROM PUBLIC;
REVOKE ALL ON PROCEDURE rvbbit.sync() FROM PUBLIC;
