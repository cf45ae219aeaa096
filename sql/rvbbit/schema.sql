-- The schema itself comes from the control file. Names in it that begin with an underscore are internal.

COMMENT ON SCHEMA rvbbit IS 'rvbbit-fdw: set-up and administration of RVBBIT sessions';
GRANT USAGE ON SCHEMA rvbbit TO PUBLIC;
