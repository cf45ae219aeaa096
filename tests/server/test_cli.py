"""The command rvbbit-fdw against a server: it says what SQL says, and leaves nothing behind."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from rich.cells import cell_len

from rvbbit_cli.contents import COLUMN_KEYS, COLUMNS
from rvbbit_cli.listing import COLUMNS as SESSION_KEYS
from tests.kit.cli import COMMAND, Cli, dsn
from tests.kit.container import Server
from tests.kit.synced import opened, wait_for
from tests.kit.writers import writing

pytestmark = pytest.mark.server

SESSION = "agile-finch-4acdcc"
LONG = "production_etl_2024_12_20_sounding_2_inline_validator_totals_match_t1_0"
HOSTILE = "\x1b[31mred\nline [bold]x[/bold]"


@pytest.fixture
def cli(server: Server) -> Cli:
    """The command, as the login rvbbit."""
    return Cli(dsn(server))


@pytest.fixture
def detached(db: psycopg.Connection) -> Iterator[None]:
    """What a test attached is detached afterwards, and not remembered."""
    yield
    db.execute("SELECT rvbbit_detach_session(session_id) FROM _rvbbit_sessions WHERE is_attached")


@pytest.fixture(autouse=True)
def _nothing_remembered(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "detached" in request.fixturenames:
        server: Server = request.getfixturevalue("server")
        with server.connect(user="postgres") as admin:
            admin.execute("DELETE FROM rvbbit.detachment")


def objects(db: psycopg.Connection) -> list[tuple[object, ...]]:
    """All schemas, relations and attachments."""
    query = """SELECT 'schema', nspname FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp'
               UNION ALL SELECT 'relation', relname FROM pg_class
               UNION ALL SELECT 'attachment', session_id FROM rvbbit.attachment ORDER BY 1, 2"""
    return db.execute(query).fetchall()


# --- sessions

FILTERS = [
    ([], "true"),
    (["agile"], "session_id LIKE '%agile%'"),
    (["agile-?inch*"], "session_id LIKE 'agile-_inch%'"),
    (["test_"], r"session_id LIKE '%test\_%'"),
    (["--named"], "is_named"),
    (["--unnamed", "--state", "empty"], "NOT is_named AND state = 'empty'"),
    (["--state", "corrupt", "--state", "newer"], "state IN ('corrupt', 'newer')"),
    (["--since", "24h"], "modified_at > now() - interval '24 hours'"),
    (["--since", "2000-01-01"], "true"),
    (["--since", "2100-01-01"], "false"),
    (["--attached"], "is_attached"),
    (["--not-attached", "--named"], "NOT is_attached AND is_named"),
    (["nothing of that name"], "false"),
]


@pytest.mark.parametrize(("arguments", "condition"), FILTERS)
def test_filters(cli: Cli, db: psycopg.Connection, arguments: list[str], condition: str) -> None:
    query = f"SELECT session_id FROM _rvbbit_sessions WHERE {condition} ORDER BY modified_at DESC, session_id"
    expected = [row[0] for row in db.execute(query.encode())]
    assert [row["session_id"] for row in cli.json("sessions", *arguments)] == expected


def test_json_has_every_column_and_every_session(cli: Cli, db: psycopg.Connection) -> None:
    columns = "SELECT attname FROM pg_attribute WHERE attrelid = '_rvbbit_sessions'::regclass AND attnum > 0"
    assert set(SESSION_KEYS) == {name for (name,) in db.execute(columns)}
    rows = cli.json("sessions")
    assert [tuple(row) for row in rows] == [SESSION_KEYS] * len(rows)
    query = """SELECT to_jsonb(s) - 'age_hours' - 'created_at' - 'modified_at' - 'table_count'
               FROM _rvbbit_sessions AS s ORDER BY session_id"""
    volatile = {"age_hours", "created_at", "modified_at", "table_count"}
    found = [{k: v for k, v in row.items() if k not in volatile} for row in rows]
    assert sorted(found, key=lambda row: row["session_id"]) == sorted(
        (row[0] for row in db.execute(query)), key=lambda row: row["session_id"]
    )


def test_tables_are_counted_on_demand(cli: Cli) -> None:
    counted = {row["session_id"]: row["table_count"] for row in cli.json("sessions", SESSION, "--tables")}
    assert counted == {SESSION: 2, f"{SESSION}_sub": 1}
    assert {row["table_count"] for row in cli.json("sessions")} == {None}
    assert "TABLES" in cli.out("sessions", SESSION, "--tables")


def test_csv_is_what_json_is(cli: Cli) -> None:
    read = list(csv.DictReader(io.StringIO(cli.out("sessions", "--csv"))))
    shown = cli.json("sessions")
    assert [row["session_id"] for row in read] == [row["session_id"] for row in shown]
    assert list(read[0]) == list(SESSION_KEYS)
    assert [row["size_bytes"] for row in read] == [str(row["size_bytes"]) for row in shown]


def test_the_newest_come_first_and_the_limit_is_told(cli: Cli) -> None:
    result = cli("sessions", "--limit", "3")
    ids = [row["session_id"] for row in cli.json("sessions", "--limit", "3")]
    assert [line.split("  ")[0] for line in result.stdout.splitlines()[1:]] == ids
    total = len(cli.json("sessions"))
    assert f"the newest 3 of {total}; --limit 0 shows all" in result.stderr
    assert cli("sessions", "--limit", "0").stderr == ""


def test_no_session(cli: Cli) -> None:
    result = cli("sessions", "nothing of that name")
    assert (result.returncode, result.stdout) == (0, "")
    assert "no such session" in result.stderr
    assert cli.out("sessions", "nothing of that name", "--json") == "[]\n"


def test_why(cli: Cli) -> None:
    assert "its storage version 4096 is too new" in cli.out("sessions", "early-swift", "--why")


def test_a_pipe_gets_no_colours_and_whole_names(cli: Cli) -> None:
    text = cli.out("sessions")
    assert "\x1b" not in text
    assert f"\n{LONG}  ready " in text
    assert not [line for line in text.splitlines() if line != line.rstrip()]


@pytest.mark.parametrize("width", [60, 120])
@pytest.mark.parametrize(
    "arguments",
    [
        ["sessions"],
        ["sessions", "--why"],
        ["tables", "pg_client_default"],
        ["tables", "nb_4f1d2c3b5a69", "--columns"],
        ["sample", "nb_4f1d2c3b5a69", "_frame", "-n", "2"],
        ["doctor"],
    ],
)
def test_screens_fit(cli: Cli, width: int, arguments: list[str]) -> None:
    shown = cli.on_terminal(*arguments, width=width)
    assert shown.code == (1 if arguments == ["doctor"] else 0)
    assert max(map(cell_len, shown.lines)) <= width, shown.text
    assert "\x1b[" in shown.raw


def test_a_terminal_shows_the_whole_of_long_names(cli: Cli) -> None:
    lines = cli.on_terminal("sessions", "totals_match", width=60).lines
    assert "".join(line.partition("  ")[0] for line in lines[1:]) == LONG


@pytest.mark.parametrize("settings", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colours_where_none_are_wanted(cli: Cli, settings: dict[str, str]) -> None:
    raw = Cli(cli.dsn, settings=settings).on_terminal("sessions").raw
    assert "\x1b[3" not in raw
    assert ";3" not in raw


def test_a_hostile_name(cli: Cli, server: Server) -> None:
    path = server.session_dir / f"{HOSTILE.replace('/', '_')}.duckdb"
    path.write_bytes((server.session_dir / f"{SESSION}.duckdb").read_bytes())
    path.chmod(0o644)
    try:
        text = cli.out("sessions", "red")
        assert "\x1b" not in text
        assert "\\u001b[31mred\\nline [bold]x[_bold]" in text
        (row,) = cli.json("sessions", "red\nline")
        assert row["session_id"] == path.stem
        assert "_score_leads" in cli.out("tables", path.stem)
        said = cli.fails(4, "tables", path.stem + "?")
        assert "\x1b" not in said
    finally:
        path.unlink()


# --- tables, sample


def test_tables(cli: Cli, db: psycopg.Connection) -> None:
    rows = cli.json("tables", "pg_client_default")
    assert [tuple(row) for row in rows] == [COLUMNS] * len(rows)
    assert {frozenset(column) for row in rows for column in row["columns"]} == {frozenset(COLUMN_KEYS)}
    query = """SELECT schema_name, table_name, kind, estimated_rows, error, column_count FROM rvbbit_tables
               WHERE session_id = 'pg_client_default' ORDER BY 1, 2"""
    keys = ("schema_name", "table_name", "kind", "estimated_rows", "error", "column_count")
    assert sorted(tuple(row[key] for key in keys) for row in rows) == db.execute(query).fetchall()
    assert all(len(row["columns"]) == (row["column_count"] or 0) for row in rows)


def test_tables_for_people(cli: Cli) -> None:
    assert cli.out("tables", SESSION).splitlines() == [
        "TABLE          KIND   ROWS  COLUMNS",
        "_extract_data  table   300        6",
        "_score_leads   table   300        8",
    ]
    assert "               label       text              ENUM" in cli.out("tables", SESSION, "--columns")
    left_out = cli.out("tables", "pg_client_default")
    assert "LEFT OUT" in left_out
    assert "analytics.daily" in left_out


@pytest.mark.parametrize("command", [["tables"], ["sample"]])
def test_an_unknown_session_gets_the_servers_hint(cli: Cli, command: list[str]) -> None:
    said = cli.fails(4, *command, "agile-finch-4acdc", *["x"] * (command == ["sample"]))
    assert said.splitlines() == [
        'error: session "agile-finch-4acdc" does not exist',
        'hint: Did you mean "agile-finch-4acdcc" or "agile-finch-4acdcc_sub"?',
    ]


def test_a_session_that_cannot_be_read(cli: Cli) -> None:
    said = cli.fails(5, "tables", "locked-newt-a7c350")
    assert said.startswith('error: session "locked-newt-a7c350" cannot be read: the file is encrypted')


def test_an_unknown_table(cli: Cli) -> None:
    assert 'hint: Did you mean "_score_leads"?' in cli.fails(4, "sample", SESSION, "_score_lead")
    assert "rvbbit-fdw tables" in cli.fails(4, "sample", SESSION, "zzz")
    assert "cannot be read" in cli.fails(5, "sample", "pg_client_default", "warehouse__shipments")


def test_sample_is_what_an_import_shows(cli: Cli, db: psycopg.Connection, schema: str) -> None:
    command = sql.SQL("IMPORT FOREIGN SCHEMA main FROM SERVER rvbbit INTO {} OPTIONS (session {})")
    db.execute(command.format(sql.Identifier(schema), sql.Literal("nb_4f1d2c3b5a69")))
    for table in ("_frame", "_limits"):
        query = sql.SQL("SELECT row_to_json(t)::text FROM {} AS t").format(sql.Identifier(schema, table))
        expected = [json.loads(row[0]) for row in db.execute(query)]
        assert cli.json("sample", "nb_4f1d2c3b5a69", table, "-n", "1000") == expected
        read = list(
            csv.reader(io.StringIO(cli.out("sample", "nb_4f1d2c3b5a69", table, "-n", "1000", "--csv")))
        )
        assert (len(read) - 1, read[0]) == (len(expected), list(expected[0]))


def test_sample_leaves_nothing_behind(cli: Cli, db: psycopg.Connection) -> None:
    before = objects(db)
    cli.out("sample", SESSION, "_score_leads")
    cli.out("sample", "pg_client_default", "daily", "--schema", "analytics")
    cli.fails(4, "sample", SESSION, "none")
    assert objects(db) == before


@pytest.mark.usefixtures("detached")
def test_a_reader_sees_samples_of_what_is_attached(server: Server, cli: Cli) -> None:
    cli.out("attach", SESSION)
    with server.connect(user="postgres") as admin:
        admin.execute("CREATE ROLE onlooker LOGIN PASSWORD 'look' IN ROLE rvbbit_reader")
    try:
        reader = Cli(dsn(server, "onlooker", "look"))
        assert len(reader.json("sample", SESSION, "_score_leads", "-n", "5")) == 5
        said = reader.fails(5, "sample", "cascade_test", "_output")
        assert "permission denied" in said
        assert "hint: A superuser allows it by: GRANT rvbbit_operator TO onlooker;" in said
        assert "does not exist" in reader.fails(4, "tables", "nothing")
    finally:
        with server.connect(user="postgres") as admin:
            admin.execute("DROP ROLE onlooker")


def test_sample_on_screens(cli: Cli) -> None:
    narrow = cli.on_terminal("sample", "nb_4f1d2c3b5a69", "_frame", "-n", "2", width=100).lines
    assert narrow[0] == "row 1"
    assert any(line.startswith("none_column ") and line.endswith("null") for line in narrow)
    wide = cli.on_terminal("sample", SESSION, "_score_leads", "-n", "2", width=120).lines
    assert wide[0].split() == [
        "lead_id",
        "company",
        "region",
        "created_at",
        "source",
        "seats",
        "score",
        "label",
    ]


# --- attach, detach, sync


@pytest.mark.usefixtures("detached")
def test_attach_rename_and_detach(cli: Cli) -> None:
    assert cli.out("attach", SESSION).startswith(f"Attached '{SESSION}' as schema \"{SESSION}\" (2 tables)")
    assert f"{SESSION}  ready" in cli.out("sessions", "--attached")
    assert 'to "finch"' in cli.out("attach", SESSION, "--as", "finch")
    assert cli.out("sessions", "--attached").rstrip().endswith("manual as finch")
    assert cli.out("detach", SESSION).startswith(f"Detached '{SESSION}' (schema \"finch\")")
    assert cli.json("sessions", "--attached") == []


@pytest.mark.usefixtures("detached")
def test_one_of_several_fails(cli: Cli) -> None:
    result = cli("attach", SESSION, "agile-finch", "hollow-vole-6d1f08", "cascade_test")
    assert result.returncode == 4
    assert [line.split("'")[1] for line in result.stdout.splitlines()] == [SESSION, "cascade_test"]
    assert [line for line in result.stderr.splitlines() if line.startswith("error:")] == [
        'error: session "agile-finch" does not exist',
        'error: could not read session "hollow-vole-6d1f08": the file is not a DuckDB database',
    ]


@pytest.mark.usefixtures("detached")
def test_what_a_view_needs_stays(cli: Cli, db: psycopg.Connection) -> None:
    cli.out("attach", SESSION)
    db.execute(f'CREATE VIEW public.hot AS SELECT * FROM "{SESSION}"._score_leads')
    said = cli.fails(5, "detach", SESSION)
    db.execute("DROP VIEW public.hot")
    assert [line.partition(":")[0] for line in said.splitlines()] == ["error", "detail", "hint"]


@pytest.mark.usefixtures("detached")
def test_a_bar_for_several(cli: Cli) -> None:
    shown = cli.on_terminal("attach", SESSION, "cascade_test", "Churn_Model_V2", width=150)
    assert "attaching" in shown.text
    assert "of 3" in shown.text
    assert sum(line.startswith("Attached") for line in shown.text.splitlines()) == 3


def test_sync_says_what_it_would_do_and_did(following: Server) -> None:
    cli = Cli(dsn(following))
    with opened(following) as folder:
        folder.write("first", "CREATE TABLE t AS SELECT 1 AS a")
        folder.write("second", "CREATE TABLE t AS SELECT 1 AS a")
        plan = cli.json("sync", "--plan")
        assert [(row["action"], row["session_id"]) for row in plan] == [
            ("attach", "first"),
            ("attach", "second"),
        ]
        assert "attach  first" in cli.out("sync", "--plan")
        done = cli.json("sync")
        assert (done["attached"], done["detached"], done["looked_into"]) == (["first", "second"], [], 2)
        assert cli("sync", "--plan").stderr == "nothing is to be done\n"
        folder.write("first", "ALTER TABLE t ADD COLUMN b INTEGER")
        folder.db.execute("SELECT rvbbit.set_policy(exclude => 'second')")
        columns = [(row["table_name"], row["column_name"]) for row in cli.json("sync", "--plan")]
        assert columns == [("t", "b"), (None, None)]
        assert cli.out("sync").startswith("2 sessions looked into, 1 detached in ")
        folder.db.execute("SELECT rvbbit.set_policy(exclude => '')")
        shown = cli.on_terminal("sync")
        assert "1 attached in" in shown.text


# --- watch, pipes, Ctrl-C


def test_watch_shows_a_session_come_and_grow(cli: Cli, server: Server) -> None:
    path = server.session_dir / "watched-hare-0a1b2c.duckdb"

    def closed(text: str) -> bool:
        if "every 0.2 s" in text and not path.exists():
            with writing(path) as writer:
                path.chmod(0o644)
                writer.run("CREATE TABLE t AS SELECT range AS n FROM range(1000)")
                time.sleep(1)
        return "live -> ready" in text

    try:
        shown = cli.on_terminal("sessions", "--watch", "--every", "0.2", until=closed, width=100)
    finally:
        for left in server.session_dir.glob(f"{path.name}*"):
            left.unlink()
    assert "watched-hare-0a1b2c  new, " in shown.text
    assert shown.code == 130
    assert shown.raw.rstrip().endswith("interrupted")
    assert shown.raw.rindex("\x1b[?25h") > shown.raw.rindex("\x1b[?25l")
    assert "Traceback" not in shown.text


# The first look at the sessions is done: its last statement asks for the time, and stays until the next look.
HAS_LOOKED = """
    SELECT count(*) > 0 FROM pg_stat_activity
    WHERE application_name LIKE 'rvbbit-fdw%' AND state = 'idle' AND query = 'SELECT now()'"""


def test_watch_into_a_pipe_writes_a_line_for_each_change(cli: Cli, server: Server) -> None:
    path = server.session_dir / "watched-wren-0a1b2c.duckdb"
    command = [*COMMAND, "sessions", "watched-*", "--watch", "--every", "0.2", "--json"]
    with subprocess.Popen(command, env=cli.environment(), stdout=subprocess.PIPE, text=True) as process:
        try:
            with server.connect(user="postgres") as db:
                wait_for(lambda: db.execute(HAS_LOOKED).fetchone() == (True,))
            path.write_bytes((server.session_dir / f"{SESSION}.duckdb").read_bytes())
            path.chmod(0o644)
            assert process.stdout is not None
            first = json.loads(process.stdout.readline())
            path.unlink()
            last = first
            while last["change"] != "gone":
                last = json.loads(process.stdout.readline())
            process.send_signal(2)
            assert process.wait(timeout=120) == 130
        finally:
            process.kill()
    assert (first["change"], first["session_id"]) == ("new", path.stem)
    assert set(first) == {"at", "change", "session_id", "text"}


@pytest.mark.parametrize(
    "arguments", ["sessions --limit 0", "sessions --json", "tables agile-finch-4acdcc --columns"]
)
def test_who_reads_no_further(cli: Cli, arguments: str) -> None:
    line = f"{' '.join(COMMAND)} {arguments} | head -n 1; echo $?"
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        env=cli.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stderr == ""
    assert result.stdout.splitlines()[-1] in {"0", "141"}


def test_a_server_that_goes_away(cli: Cli, server: Server) -> None:
    command = [*COMMAND, "sessions", "--watch", "--every", "0.2"]
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rvbbit-fdw'"
    with (
        server.connect(user="postgres") as admin,
        subprocess.Popen(command, env=cli.environment(), stderr=subprocess.PIPE, text=True) as process,
    ):
        wait_for(lambda: admin.execute(end).fetchall())
        _, said = process.communicate(timeout=120)
    assert process.returncode == 3
    assert said.startswith("error: the server closed the connection\n")
    assert "Traceback" not in said


def test_completion_offers_ids(server: Server) -> None:
    settings = {
        "_RVBBIT_FDW_COMPLETE": "bash_complete",
        "COMP_WORDS": "rvbbit-fdw attach agile-f",
        "COMP_CWORD": "2",
    }
    offered = Cli(dsn(server), settings=settings)().stdout.split()
    assert offered == ["plain,agile-finch-4acdcc", "plain,agile-finch-4acdcc_sub"]


# --- getting in


@pytest.mark.parametrize(
    ("user", "password", "dbname", "said"),
    [
        ("rvbbit", "s3cret", "rvbbit", 'wrong password for "rvbbit"'),
        ("nobody", "s3cret", "rvbbit", 'wrong password for "nobody"'),
        ("postgres", "rvbbit", "postgres", "has no sessions: the extension rvbbit is not set up in it"),
        ("rvbbit", "rvbbit", "none", 'the database "none" does not exist'),
    ],
)
def test_not_let_in(server: Server, user: str, password: str, dbname: str, said: str) -> None:
    for arguments in (["sessions"], ["doctor", "--json"]):
        result = Cli(dsn(server, user, password, dbname))(*arguments)
        shown = result.stdout + result.stderr
        assert said in shown.replace('\\"', '"')
        assert "s3cret" not in shown
        assert "Traceback" not in shown
        assert result.returncode == (3 if arguments == ["sessions"] else 1)


def test_libpqs_own_environment(server: Server) -> None:
    made = server.container
    settings = {
        "PGHOST": made.get_container_host_ip(),
        "PGPORT": str(made.get_exposed_port(5432)),
        "PGPASSWORD": "rvbbit",
    }
    assert len(Cli(settings=settings).json("sessions")) > 20


def test_a_password_file(server: Server, tmp_path: Path) -> None:
    made = server.container
    host, port = made.get_container_host_ip(), made.get_exposed_port(5432)
    (tmp_path / "pass").write_text(f"{host}:{port}:rvbbit:rvbbit:rvbbit\n")
    (tmp_path / "pass").chmod(0o600)
    cli = Cli(f"host={host} port={port}", settings={"PGPASSFILE": str(tmp_path / "pass")})
    assert len(cli.json("sessions")) > 20


@pytest.mark.parametrize("user", ["root", "postgres"])
def test_in_the_container_without_any_setting(server: Server, cli: Cli, user: str) -> None:
    def stable(text: str) -> list[dict[str, object]]:
        return [
            {k: v for k, v in row.items() if k not in {"age_hours", "file_path"}} for row in json.loads(text)
        ]

    text = server.run("rvbbit-fdw", "sessions", "--json", user=user)
    assert stable(text) == stable(cli.out("sessions", "--json"))
    assert server.run("rvbbit-fdw", "sample", SESSION, "_score_leads", "-n", "1", "--csv", user=user)


def test_in_the_container_by_dsn(server: Server) -> None:
    code, output = server.container.get_wrapped_container().exec_run(
        ["rvbbit-fdw", "sessions", "--dsn", "postgresql://rvbbit:wrong@127.0.0.1:5432/rvbbit"]
    )
    assert code == 3
    assert b"wrong password" in output


def test_the_servers_python_does_not_see_its_libraries(server: Server) -> None:
    names = "'click', 'rich', 'psycopg', 'pygments'"
    probe = f"import importlib.util as u; print([name for name in ({names}) if u.find_spec(name)])"
    assert server.run("python3.13", "-c", probe).strip() == "[]"
