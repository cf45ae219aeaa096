\echo Use "CREATE EXTENSION rvbbit_fdw" to load this file. \quit

-- The foreign-data wrapper: two C functions and the name under which servers use them.

CREATE FUNCTION rvbbit.rvbbit_fdw_handler()
    RETURNS fdw_handler
    LANGUAGE C STRICT
    AS 'MODULE_PATHNAME', 'rvbbit_fdw_handler';
COMMENT ON FUNCTION rvbbit.rvbbit_fdw_handler() IS 'the callbacks of the foreign-data wrapper rvbbit_fdw';

CREATE FUNCTION rvbbit.rvbbit_fdw_validator(options text[], catalog oid)
    RETURNS void
    LANGUAGE C STRICT
    AS 'MODULE_PATHNAME', 'rvbbit_fdw_validator';
COMMENT ON FUNCTION rvbbit.rvbbit_fdw_validator(text[], oid) IS
    'checks the options of wrapper, servers, user mappings, foreign tables and columns';

CREATE FOREIGN DATA WRAPPER rvbbit_fdw
    HANDLER rvbbit.rvbbit_fdw_handler
    VALIDATOR rvbbit.rvbbit_fdw_validator;
COMMENT ON FOREIGN DATA WRAPPER rvbbit_fdw IS 'RVBBIT sessions (DuckDB files), read-only';
