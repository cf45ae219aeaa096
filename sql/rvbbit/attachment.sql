-- Which schemas show which sessions. Keyed by the schema's name, so that a dump restores it.

CREATE TABLE rvbbit.attachment (
    schema_name name PRIMARY KEY,
    session_id text NOT NULL UNIQUE,
    attached_by text NOT NULL CHECK (attached_by IN ('auto', 'manual')),
    attached_at timestamp with time zone NOT NULL DEFAULT pg_catalog.now(),
    present_as text NOT NULL DEFAULT 'foreign' CHECK (present_as IN ('foreign', 'table'))
);
SELECT pg_catalog.pg_extension_config_dump('rvbbit.attachment', '');
COMMENT ON TABLE rvbbit.attachment IS 'schemas that show a session; written by attach and detach alone';
COMMENT ON COLUMN rvbbit.attachment.schema_name IS 'name of the schema';
COMMENT ON COLUMN rvbbit.attachment.session_id IS 'the session that it shows';
COMMENT ON COLUMN rvbbit.attachment.attached_by IS 'manual: by a person, who alone takes it away; auto: by the policy';
COMMENT ON COLUMN rvbbit.attachment.attached_at IS 'when the schema was made';
COMMENT ON COLUMN rvbbit.attachment.present_as IS 'how its tables are shown: foreign, or table for ordinary ones';

-- What a person took away stays away, whatever the policy says.
CREATE TABLE rvbbit.detachment (
    session_id text PRIMARY KEY,
    detached_at timestamp with time zone NOT NULL DEFAULT pg_catalog.now()
);
SELECT pg_catalog.pg_extension_config_dump('rvbbit.detachment', '');
COMMENT ON TABLE rvbbit.detachment IS 'sessions that a person detached: they are not attached by themselves again';
COMMENT ON COLUMN rvbbit.detachment.session_id IS 'the session';
COMMENT ON COLUMN rvbbit.detachment.detached_at IS 'when it was detached';

-- A schema is ours if it has a row here, our owner and our comment. One that only took over the name is not.
CREATE VIEW rvbbit._attached AS
    SELECT a.schema_name, a.session_id, a.attached_by, a.attached_at, n.oid AS schema_oid, a.present_as
    FROM rvbbit.attachment AS a
    JOIN pg_catalog.pg_namespace AS n ON n.nspname = a.schema_name
    JOIN pg_catalog.pg_description AS d ON d.objoid = n.oid AND d.objsubid = 0
         AND d.classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
    WHERE n.nspowner = (SELECT c.relowner FROM pg_catalog.pg_class AS c
                        WHERE c.oid = 'rvbbit.attachment'::pg_catalog.regclass)
      AND pg_catalog.starts_with(d.description, pg_catalog.format('RVBBIT session "%s"', a.session_id));
COMMENT ON VIEW rvbbit._attached IS 'internal: attachments whose schema is there and is ours';

-- An attach asks for it several times: a function in SQL would be planned at each call.
CREATE FUNCTION rvbbit._server()
    RETURNS name
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT s.srvname
            FROM pg_catalog.pg_foreign_table AS t
            JOIN pg_catalog.pg_foreign_server AS s ON s.oid = t.ftserver
            WHERE t.ftrelid = pg_catalog.to_regclass('public.rvbbit_sessions'));
END
$$;
COMMENT ON FUNCTION rvbbit._server() IS 'internal: the server that rvbbit_sessions belongs to';

-- Without a SET clause, so that it becomes a part of the query that calls it.
CREATE FUNCTION rvbbit._schema_oid(schema_name name)
    RETURNS oid
    LANGUAGE sql STABLE
    RETURN pg_catalog.to_regnamespace(pg_catalog.quote_ident(schema_name))::oid;
COMMENT ON FUNCTION rvbbit._schema_oid(name) IS 'internal: a schema''s oid, null if there is none';

-- By their dependencies, for which there is an index: pg_class has as many rows as all sessions have tables, and more.
CREATE FUNCTION rvbbit._relations_of(schema_oid oid)
    RETURNS TABLE (relation oid)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT d.objid FROM pg_catalog.pg_depend AS d
    WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid = schema_oid
      AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass;
END;
COMMENT ON FUNCTION rvbbit._relations_of(oid) IS 'internal: tables, views and the like of a schema';

-- The tables of a schema that show a session's main schema, under whatever name: nothing else in it is ours. part_oid is
-- the foreign table, which is the table itself or stands behind it.
CREATE FUNCTION rvbbit._tables_of(session text, schema_oid oid)
    RETURNS TABLE (table_oid oid, table_name name, remote_name text, part_oid oid)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT c.oid, c.relname, o.options ->> 'table_name', t.ftrelid
    FROM (SELECT r.oid, r.relname,
                 CASE r.relkind WHEN 'f' THEN r.oid
                                WHEN 'p' THEN (SELECT p.part_oid FROM rvbbit._partitions AS p WHERE p.table_oid = r.oid)
                 END AS part_oid
          FROM rvbbit._relations_of(schema_oid) AS d JOIN pg_catalog.pg_class AS r ON r.oid = d.relation) AS c
    JOIN pg_catalog.pg_foreign_table AS t ON t.ftrelid = c.part_oid
    JOIN pg_catalog.pg_foreign_server AS s ON s.oid = t.ftserver
    CROSS JOIN LATERAL (SELECT pg_catalog.jsonb_object_agg(p.option_name, p.option_value)
                        FROM pg_catalog.pg_options_to_table(t.ftoptions) AS p) AS o (options)
    WHERE s.srvname = rvbbit._server()
      AND o.options ->> 'session' = session
      AND COALESCE(o.options ->> 'schema_name', 'main') = 'main';
END;
COMMENT ON FUNCTION rvbbit._tables_of(text, oid) IS 'internal: the tables of an attached schema';
