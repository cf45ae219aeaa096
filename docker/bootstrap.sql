-- What every start of the container brings in step; each statement may run any number of times.
-- Passwords come by the environment: a command line would show them.
\getenv health_password HEALTH_PASSWORD
\getenv login_password RVBBIT_PASSWORD
\getenv superuser_password POSTGRES_PASSWORD
\set host rvbbit_fdw
\getenv host RVBBIT_HOST

SET client_min_messages = warning;
-- People may create in public: what they make there must not come before PostgreSQL's own.
SET search_path = pg_catalog, pg_temp;
-- No password in the server's log.
SET log_statement = 'none';
SET log_min_duration_statement = -1;
SET log_min_error_statement = panic;

-- The login for people, and the one that the health check uses.
SELECT format('CREATE ROLE %I LOGIN', role)
  FROM unnest(ARRAY['rvbbit', 'rvbbit_health']) AS role
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role)
\gexec
COMMENT ON ROLE rvbbit IS 'the login for people; its password is RVBBIT_PASSWORD';
COMMENT ON ROLE rvbbit_health IS 'the container''s health check; its password changes at every start';
ALTER ROLE rvbbit_health CONNECTION LIMIT 3 PASSWORD :'health_password';
SELECT :'login_password' <> '' AS has_passwords
\gset
\if :has_passwords
ALTER ROLE rvbbit PASSWORD :'login_password';
ALTER ROLE CURRENT_USER PASSWORD :'superuser_password';
\endif

-- What people make without naming a schema goes into public: not into "rvbbit", which would come first because it has
-- the login's name. Done once: who gave the login another path keeps that.
SELECT NOT EXISTS (SELECT FROM pg_db_role_setting AS s, unnest(s.setconfig) AS setting
                    WHERE s.setrole = 'rvbbit'::regrole AND setting LIKE 'search\_path=%') AS has_no_path
\gset
\if :has_no_path
ALTER ROLE rvbbit SET search_path = public;
GRANT CREATE ON SCHEMA public TO rvbbit;
\endif

-- What serves the sessions. Last, so that logins work even where someone's own objects stand in its way.
SELECT CASE :'host' WHEN 'multicorn2' THEN 'multicorn' ELSE 'rvbbit_fdw' END AS wrapper
\gset
CREATE EXTENSION IF NOT EXISTS :"wrapper";
CREATE EXTENSION IF NOT EXISTS rvbbit;
ALTER EXTENSION :"wrapper" UPDATE;
ALTER EXTENSION rvbbit UPDATE;
SELECT 'pg_cron' = ANY (string_to_array(replace(current_setting('shared_preload_libraries'), ' ', ''), ',')) AS has_cron
\gset
\if :has_cron
CREATE EXTENSION IF NOT EXISTS pg_cron;
ALTER EXTENSION pg_cron UPDATE;
\endif
CALL rvbbit.setup('rvbbit', session_dir => :'session_dir', snapshot_dir => :'snapshot_dir', wrapper => :'wrapper');
\if :has_cron
-- Made once: who stopped the job or gave it another period keeps that.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM cron.job WHERE jobname = 'rvbbit sync') THEN
        PERFORM cron.schedule('rvbbit sync', '10 seconds', 'CALL rvbbit.sync()');
    END IF;
END
$$;
\endif
SELECT format('GRANT %I TO %I', granted, member)
  FROM (VALUES ('rvbbit_operator', 'rvbbit'), ('rvbbit_reader', 'rvbbit_health')) AS wanted (granted, member)
 WHERE NOT pg_has_role(member, granted, 'MEMBER')
\gexec
