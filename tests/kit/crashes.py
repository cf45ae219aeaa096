"""A server process that dies of SIGKILL at a chosen moment, and what it left behind."""

from __future__ import annotations

import time
from contextlib import suppress

import psycopg

from tests.kit.container import Server

# Each DDL command counts the setting down, at its start and at its end; at zero the process kills itself.
_TRAP = """
CREATE FUNCTION public.die_here() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    left_ CONSTANT int := nullif(current_setting('crash.countdown', true), '')::int - 1;
BEGIN
    PERFORM set_config('crash.countdown', left_::text, false);
    IF left_ = 0 THEN
        COPY (SELECT 1) TO PROGRAM 'kill -9 $PPID; sleep 5';
    END IF;
END
$$;
CREATE EVENT TRIGGER die_at_start ON ddl_command_start EXECUTE FUNCTION public.die_here();
CREATE EVENT TRIGGER die_at_end ON ddl_command_end EXECUTE FUNCTION public.die_here();
"""

# What no crash may leave: a schema without its row, rights or comment, a row without its schema, a partition
# without its table.
_HALVES = """
SELECT COALESCE(n.nspname, a.schema_name)
FROM (SELECT * FROM pg_namespace
      WHERE nspname !~ '^pg_'
        AND nspname NOT IN ('public', 'rvbbit', 'rvbbit_partitions', 'cron', 'information_schema')) AS n
FULL JOIN rvbbit.attachment AS a ON a.schema_name = n.nspname
LEFT JOIN rvbbit._attached AS ours ON ours.schema_oid = n.oid
WHERE ours.schema_oid IS NULL
   OR NOT has_schema_privilege('rvbbit_reader', n.oid, 'USAGE')
   OR EXISTS (SELECT FROM pg_class AS c WHERE c.relnamespace = n.oid
              AND NOT has_table_privilege('rvbbit_reader', c.oid, 'SELECT'))
UNION ALL
SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'rvbbit_partitions' AND c.relkind = 'f' AND NOT c.relispartition
"""


def set_trap(server: Server) -> None:
    """From now on `crash.countdown` of a connection says at which DDL command it dies."""
    with server.connect(user="postgres") as admin:
        admin.execute(_TRAP)


def call_and_die(server: Server, command: str, countdown: int) -> int:
    """Run a command that dies at that moment, and wait for the server; how far it was from it if it lived."""
    before = starts(server)
    with server.connect() as victim:
        victim.execute(f"SET crash.countdown = {countdown}")
        try:
            victim.execute(command)
        except psycopg.OperationalError:
            wait_for_start(server, before + 1)
            return 0
        row = victim.execute("SELECT current_setting('crash.countdown')::int").fetchone()
        assert row is not None
        return int(row[0])


def call_and_kill(server: Server, command: str, seconds: float) -> bool:
    """Run a command whose process is killed after so long; true if it was at work then."""
    before = starts(server)
    with server.connect() as victim:
        # A shell of the server's own user waits, so that no client's delay counts.
        kill = f"(sleep {seconds:.4f}; kill -9 {victim.info.backend_pid}) > /dev/null 2>&1 &"
        with server.connect(user="postgres") as admin:
            admin.execute(f"COPY (SELECT 1) TO PROGRAM '{kill}'")
        at_work = True
        with suppress(psycopg.OperationalError):
            victim.execute(command)
            at_work = False
            victim.execute("SELECT pg_sleep(60)")
    wait_for_start(server, before + 1)
    return at_work


def starts(server: Server) -> int:
    """How often the server has become ready; a crash and its recovery count as one."""
    return server.log().count("database system is ready to accept connections")


def wait_for_start(server: Server, number: int, seconds: float = 30) -> None:
    """Wait until the server is ready for that time."""
    until = time.monotonic() + seconds
    while starts(server) < number:
        assert time.monotonic() < until, server.log()[-4000:]
        time.sleep(0.05)


def halves(connection: psycopg.Connection) -> list[str]:
    """Schemas that are only half there."""
    return [str(row[0]) for row in connection.execute(_HALVES)]
