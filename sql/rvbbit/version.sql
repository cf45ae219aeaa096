-- Read from the catalog, so that it cannot differ from what ALTER EXTENSION did.

CREATE FUNCTION rvbbit.version()
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    RETURN (SELECT e.extversion FROM pg_catalog.pg_extension AS e WHERE e.extname = 'rvbbit');
COMMENT ON FUNCTION rvbbit.version() IS 'the installed version of the extension rvbbit';
