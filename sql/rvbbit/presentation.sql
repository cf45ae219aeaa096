-- From foreign tables to ordinary ones and back, in place: the foreign table stays the same, and so do views over it.

CREATE PROCEDURE rvbbit._check_presentation(present_as text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF present_as NOT IN ('foreign', 'table') THEN
        RAISE EXCEPTION 'tables cannot be presented as "%"', rvbbit._shown(present_as)
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'present_as is ''foreign'' (foreign tables) or ''table'' (ordinary ones).';
    END IF;
END
$$;
COMMENT ON PROCEDURE rvbbit._check_presentation(text) IS 'internal: refuse what is no way to present tables';

-- Made when it is needed first. Whoever owns it could put anything behind the tables.
CREATE PROCEDURE rvbbit._ensure_partition_schema()
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner oid;
BEGIN
    PERFORM pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('rvbbit partitions', 0))
    WHERE rvbbit._schema_oid(rvbbit._partition_schema()) IS NULL;
    SELECT n.nspowner INTO owner FROM pg_catalog.pg_namespace AS n WHERE n.nspname = rvbbit._partition_schema();
    IF NOT FOUND THEN
        EXECUTE pg_catalog.format('CREATE SCHEMA %I', rvbbit._partition_schema());
        EXECUTE pg_catalog.format('COMMENT ON SCHEMA %I IS %L', rvbbit._partition_schema(),
            'the foreign tables behind the tables that show RVBBIT sessions; kept by rvbbit');
    ELSIF owner <> (SELECT c.relowner FROM pg_catalog.pg_class AS c
                    WHERE c.oid = 'rvbbit.attachment'::pg_catalog.regclass) THEN
        RAISE EXCEPTION 'schema "%" exists and belongs to "%"', rvbbit._partition_schema(), owner::pg_catalog.regrole
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Rename it, or have sessions presented as foreign tables.';
    END IF;
END
$$;
COMMENT ON PROCEDURE rvbbit._ensure_partition_schema() IS 'internal: make the schema of the partitions';

-- It says what it shows, in plans and errors: the partitions of all sessions are side by side. Of two that are made at
-- the same time neither is seen by the other, so the plain name is only for what no other session can have: "a.b" with a
-- table "c" and "a" with a table "b.c" would both be "a.b.c"; and "_a.b" is also the array type of "a.b".
CREATE FUNCTION rvbbit._partition_name(session text, table_name name, schema_oid oid, taken name[] DEFAULT '{}')
    RETURNS name
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    plain CONSTANT text := session || '.' || table_name;
    candidate text := plain;
BEGIN
    FOR attempt IN 1..9 LOOP
        IF pg_catalog.octet_length(candidate) <= 63 AND candidate <> ALL (taken) AND (attempt > 1 OR plain !~ '^_|[.].*[.]')
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c
                           JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                           WHERE c.relname = candidate::name
                             AND (n.oid = schema_oid OR n.nspname = rvbbit._partition_schema())) THEN
            RETURN candidate;
        END IF;
        candidate := rvbbit._cut(plain, 54) || '_' || pg_catalog.left(pg_catalog.encode(pg_catalog.sha256(
            pg_catalog.convert_to(session || pg_catalog.repeat('/', attempt) || table_name, 'UTF8')), 'hex'), 8);
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rvbbit._partition_name(text, name, oid, name[]) IS 'internal: a free name for the partition that shows a session''s table';

CREATE FUNCTION rvbbit._grants(relation oid)
    RETURNS TABLE (what text, role text, privilege text, grantable boolean)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT g.columns, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::pg_catalog.regrole::text END,
           a.privilege_type, a.is_grantable
    FROM (SELECT c.relowner, '' AS columns, c.relacl AS acl FROM pg_catalog.pg_class AS c WHERE c.oid = relation
          UNION ALL
          SELECT c.relowner, pg_catalog.format('(%I)', t.attname), t.attacl
          FROM pg_catalog.pg_attribute AS t JOIN pg_catalog.pg_class AS c ON c.oid = t.attrelid
          WHERE t.attrelid = relation AND t.attnum > 0 AND NOT t.attisdropped AND t.attacl IS NOT NULL) AS g
    CROSS JOIN LATERAL pg_catalog.aclexplode(g.acl) AS a
    WHERE a.grantee <> g.relowner;
END;
COMMENT ON FUNCTION rvbbit._grants(oid) IS 'internal: what others than its owner may do with a relation or its columns';

CREATE PROCEDURE rvbbit._copy_grants(source oid, target oid)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    item record;
BEGIN
    FOR item IN SELECT * FROM rvbbit._grants(target) EXCEPT SELECT * FROM rvbbit._grants(source) LOOP
        -- Of privileges alone: who had them could pass them on.
        EXECUTE pg_catalog.format('REVOKE %s %s ON TABLE %s FROM %s CASCADE', item.privilege, item.what,
                                  target::pg_catalog.regclass, item.role);
    END LOOP;
    FOR item IN SELECT * FROM rvbbit._grants(source) EXCEPT SELECT * FROM rvbbit._grants(target) LOOP
        EXECUTE pg_catalog.format('GRANT %s %s ON TABLE %s TO %s %s', item.privilege, item.what,
                                  target::pg_catalog.regclass, item.role,
                                  CASE WHEN item.grantable THEN 'WITH GRANT OPTION' ELSE '' END);
    END LOOP;
END
$$;
COMMENT ON PROCEDURE rvbbit._copy_grants(oid, oid) IS 'internal: let others do with one relation what they may do with another';

-- Views read a foreign table with their owners' rights, so these stay where there are any.
CREATE PROCEDURE rvbbit._hide_partition(relation oid)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    item record;
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_depend AS d
               WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = relation
                 AND d.deptype = 'n') THEN
        RETURN;
    END IF;
    FOR item IN SELECT DISTINCT g.what, g.role FROM rvbbit._grants(relation) AS g LOOP
        EXECUTE pg_catalog.format('REVOKE ALL %s ON TABLE %s FROM %s CASCADE', item.what,
                                  relation::pg_catalog.regclass, item.role);
    END LOOP;
END
$$;
COMMENT ON PROCEDURE rvbbit._hide_partition(oid) IS 'internal: take a partition out of what others see';

CREATE PROCEDURE rvbbit._hide_partitions(relations oid[])
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    roles text;
BEGIN
    SELECT pg_catalog.string_agg(DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC'
                                          ELSE a.grantee::pg_catalog.regrole::text END, ', ') INTO roles
    FROM pg_catalog.pg_class AS c CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS a
    WHERE c.oid = ANY (relations) AND a.grantee <> c.relowner;
    IF roles IS NOT NULL THEN
        EXECUTE pg_catalog.format('REVOKE ALL ON TABLE %s FROM %s',
            (SELECT pg_catalog.string_agg(r::pg_catalog.regclass::text, ', ') FROM pg_catalog.unnest(relations) AS r),
            roles);
    END IF;
END
$$;
COMMENT ON PROCEDURE rvbbit._hide_partitions(oid[]) IS 'internal: take new partitions out of what others see';

-- Multicorn2 ends the server if it is sent a row. A trigger of the statement comes before that, also for superusers.
CREATE FUNCTION rvbbit._on_insert()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'cannot insert into table "%"', TG_TABLE_NAME
        USING ERRCODE = 'feature_not_supported', DETAIL = 'RVBBIT sessions can only be read.',
              HINT = 'Copy the rows into a table of your own.';
END
$$;
COMMENT ON FUNCTION rvbbit._on_insert() IS 'internal: refuse rows that a host does not survive';
REVOKE ALL ON FUNCTION rvbbit._on_insert() FROM PUBLIC;

-- The key must not be a constant, which PostgreSQL refuses, and no column, which could then not be altered: this one is
-- null for all rows, and no condition is about it. A partition that was just imported has no comments to look for.
CREATE FUNCTION rvbbit._make_table_before(partition oid, schema_name name, name name, guarded boolean, commented boolean)
    RETURNS oid
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    shown CONSTANT text := pg_catalog.format('%I.%I', schema_name, name);
BEGIN
    EXECUTE pg_catalog.format('CREATE TABLE %1$s (LIKE %2$s %3$s) '
                              'PARTITION BY LIST ((NULL::xml IS DOCUMENT)); '
                              'ALTER TABLE %1$s ATTACH PARTITION %2$s DEFAULT',
                              shown, partition::pg_catalog.regclass,
                              CASE WHEN commented THEN 'INCLUDING COMMENTS' ELSE '' END);
    IF guarded THEN
        EXECUTE pg_catalog.format('CREATE TRIGGER read_only BEFORE INSERT ON %s EXECUTE FUNCTION rvbbit._on_insert()', shown);
    END IF;
    RETURN shown::pg_catalog.regclass;
END
$$;
COMMENT ON FUNCTION rvbbit._make_table_before(oid, name, name, boolean, boolean) IS 'internal: make an ordinary table before a foreign one';

CREATE FUNCTION rvbbit._put_table_before(relation oid, name name, schema_oid oid, session text)
    RETURNS oid
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    schema_name CONSTANT name := (SELECT n.nspname FROM pg_catalog.pg_namespace AS n WHERE n.oid = schema_oid);
BEGIN
    EXECUTE pg_catalog.format('ALTER FOREIGN TABLE %s RENAME TO %I', relation::pg_catalog.regclass,
                              rvbbit._partition_name(session, name, schema_oid));
    EXECUTE pg_catalog.format('ALTER FOREIGN TABLE %s SET SCHEMA %I', relation::pg_catalog.regclass,
                              rvbbit._partition_schema());
    RETURN rvbbit._make_table_before(relation, schema_name, name, rvbbit._needs_guard(), true);
END
$$;
COMMENT ON FUNCTION rvbbit._put_table_before(oid, name, oid, text) IS
    'internal: put an ordinary table before a foreign one, under its name';

-- Foreign tables of a schema that ordinary ones can be put before: those that are ours, and no part of somebody's table.
CREATE FUNCTION rvbbit._foreign_tables_of(session text, schema_name name)
    RETURNS TABLE (relation oid, relation_name name, schema_oid oid, comment text)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT t.table_oid, t.table_name, n.oid, pg_catalog.obj_description(c.oid, 'pg_class')
    FROM pg_catalog.pg_namespace AS n
    CROSS JOIN LATERAL rvbbit._tables_of(session, n.oid) AS t
    JOIN pg_catalog.pg_class AS c ON c.oid = t.table_oid AND c.relowner = n.nspowner
    WHERE n.nspname = schema_name AND t.table_oid = t.part_oid
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = c.oid)
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = c.oid);
END;
COMMENT ON FUNCTION rvbbit._foreign_tables_of(text, name) IS 'internal: foreign tables of an attached schema that have no table before them';

CREATE PROCEDURE rvbbit._show_as_tables(session text, schema_name name)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    item record;
    shown oid;
BEGIN
    CALL rvbbit._ensure_partition_schema();
    FOR item IN SELECT * FROM rvbbit._foreign_tables_of(session, schema_name) LOOP
        shown := rvbbit._put_table_before(item.relation, item.relation_name, item.schema_oid, session);
        IF item.comment IS NOT NULL THEN
            EXECUTE pg_catalog.format('COMMENT ON TABLE %s IS %L', shown::pg_catalog.regclass, item.comment);
        END IF;
        UPDATE pg_catalog.pg_class AS c SET reltuples = p.reltuples, relpages = p.relpages
        FROM pg_catalog.pg_class AS p WHERE p.oid = item.relation AND c.oid = shown;
        CALL rvbbit._copy_grants(item.relation, shown);
        CALL rvbbit._hide_partition(item.relation);
    END LOOP;
END
$$;
COMMENT ON PROCEDURE rvbbit._show_as_tables(text, name) IS 'internal: present what a schema shows of a session as ordinary tables';

-- What would go with the table and is somebody's work.
CREATE FUNCTION rvbbit._belongings(relation oid)
    RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    RETURN (SELECT pg_catalog.string_agg(pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid), ', ')
            FROM pg_catalog.pg_depend AS d
            WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = relation
              AND d.deptype = 'a'
              AND d.classid IN ('pg_catalog.pg_policy'::pg_catalog.regclass, 'pg_catalog.pg_trigger'::pg_catalog.regclass,
                                'pg_catalog.pg_statistic_ext'::pg_catalog.regclass,
                                'pg_catalog.pg_constraint'::pg_catalog.regclass,
                                'pg_catalog.pg_rewrite'::pg_catalog.regclass,
                                'pg_catalog.pg_publication_rel'::pg_catalog.regclass)
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger AS g
                              WHERE d.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass AND g.oid = d.objid
                                AND g.tgfoid = 'rvbbit._on_insert()'::pg_catalog.regprocedure));
COMMENT ON FUNCTION rvbbit._belongings(oid) IS 'internal: policies, triggers, statistics and the like that people gave a table';

CREATE PROCEDURE rvbbit._copy_comments(source oid, target oid)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    col record;
BEGIN
    EXECUTE pg_catalog.format('COMMENT ON FOREIGN TABLE %s IS %L', target::pg_catalog.regclass,
                              pg_catalog.obj_description(source, 'pg_class'));
    FOR col IN
        SELECT a.attname, pg_catalog.col_description(source, a.attnum) AS comment
        FROM pg_catalog.pg_attribute AS a
        JOIN pg_catalog.pg_attribute AS b ON b.attrelid = target AND b.attname = a.attname
        WHERE a.attrelid = source AND a.attnum > 0 AND NOT a.attisdropped
          AND pg_catalog.col_description(source, a.attnum) IS DISTINCT FROM pg_catalog.col_description(target, b.attnum)
    LOOP
        EXECUTE pg_catalog.format('COMMENT ON COLUMN %s.%I IS %L', target::pg_catalog.regclass, col.attname, col.comment);
    END LOOP;
END
$$;
COMMENT ON PROCEDURE rvbbit._copy_comments(oid, oid) IS 'internal: give a foreign table the comments of another relation';

CREATE PROCEDURE rvbbit._show_as_foreign(relation oid, partition oid)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    belongings CONSTANT text := rvbbit._belongings(relation);
    -- free in both schemas, whatever other tables are called
    between CONSTANT text := pg_catalog.format('rvbbit moves %s', partition);
    present record;
BEGIN
    SELECT c.relname, c.relnamespace::pg_catalog.regnamespace AS schema INTO present
    FROM pg_catalog.pg_class AS c WHERE c.oid = relation;
    IF belongings IS NOT NULL THEN
        RAISE EXCEPTION 'table "%" has what a foreign table would not', present.relname
            USING ERRCODE = 'dependent_objects_still_exist', DETAIL = belongings;
    END IF;
    CALL rvbbit._copy_grants(relation, partition);
    CALL rvbbit._copy_comments(relation, partition);
    EXECUTE pg_catalog.format('ALTER TABLE %s DETACH PARTITION %s', relation::pg_catalog.regclass,
                              partition::pg_catalog.regclass);
    EXECUTE pg_catalog.format('DROP TABLE %s', relation::pg_catalog.regclass);
    EXECUTE pg_catalog.format('ALTER FOREIGN TABLE %s RENAME TO %I', partition::pg_catalog.regclass, between);
    EXECUTE pg_catalog.format('ALTER FOREIGN TABLE %s SET SCHEMA %s', partition::pg_catalog.regclass, present.schema);
    EXECUTE pg_catalog.format('ALTER FOREIGN TABLE %s RENAME TO %I', partition::pg_catalog.regclass, present.relname);
END
$$;
COMMENT ON PROCEDURE rvbbit._show_as_foreign(oid, oid) IS 'internal: put a foreign table in the place of the ordinary one before it';

CREATE PROCEDURE rvbbit._show_as_foreigns(session text, schema_name name)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    item record;
    what text;
BEGIN
    FOR item IN
        SELECT * FROM rvbbit._tables_of(session, rvbbit._schema_oid(schema_name)) AS t WHERE t.table_oid <> t.part_oid
    LOOP
        CALL rvbbit._show_as_foreign(item.table_oid, item.part_oid);
    END LOOP;
EXCEPTION
    WHEN dependent_objects_still_exist THEN
        GET STACKED DIAGNOSTICS what = PG_EXCEPTION_DETAIL;
        RAISE EXCEPTION 'schema "%" is kept as it is, because other objects depend on its tables', schema_name
            USING ERRCODE = 'dependent_objects_still_exist', DETAIL = what,
                  HINT = 'Drop these objects, then present the session as foreign tables again.';
END
$$;
COMMENT ON PROCEDURE rvbbit._show_as_foreigns(text, name) IS 'internal: present what a schema shows of a session as foreign tables';

CREATE PROCEDURE rvbbit._present(session text, schema_name name, present_as text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF present_as = 'table' THEN
        CALL rvbbit._show_as_tables(session, schema_name);
    ELSE
        CALL rvbbit._show_as_foreigns(session, schema_name);
    END IF;
    UPDATE rvbbit.attachment AS a SET present_as = _present.present_as WHERE a.session_id = session;
END
$$;
COMMENT ON PROCEDURE rvbbit._present(text, name, text) IS 'internal: present an attached session in another way';
