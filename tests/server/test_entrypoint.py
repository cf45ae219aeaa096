"""The image keeps the conventions of the official PostgreSQL image, no larger or more open than needed."""

from __future__ import annotations

import gzip
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.kit.container import (
    DATA,
    HARDENED,
    IMAGE,
    Server,
    container,
    docker_volume,
    make_certificate,
    serving,
    wait_until_healthy,
)
from tests.kit.synced import wait_for
from tests.kit.writers import make_session

pytestmark = pytest.mark.server

MEGABYTE = 1_000_000


def docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command-line client."""
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=300)


def run_image(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a container of the image to its end: options, then "--", then the command."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return docker("run", "--rm", *options, IMAGE, *arguments[len(options) + 1 :])


@pytest.fixture
def tmp_path(tmp_path: Path) -> Path:
    """Readable by the server's user, which pytest's own is not."""
    tmp_path.chmod(0o755)
    return tmp_path


@pytest.fixture
def volume() -> Iterator[str]:
    """A volume that outlives containers."""
    with docker_volume() as name:
        yield name


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """A folder for /docker-entrypoint-initdb.d."""
    folder = tmp_path / "initdb.d"
    folder.mkdir()
    return folder


def one(connection: psycopg.Connection, query: str) -> object:
    """The only value of a query."""
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


# --- What is in the image


def test_image_size() -> None:
    assert int(docker("image", "inspect", "--format", "{{.Size}}", IMAGE).stdout) <= 350 * MEGABYTE


def test_nothing_that_builds_is_left(server: Server) -> None:
    found = "; ".join(f"command -v {tool}" for tool in ("gcc", "cc", "ld", "make", "pip", "pip3", "clang"))
    assert server.run("sh", "-c", f"{found}; true") == ""
    assert server.run("sh", "-c", "ls -A /var/lib/apt/lists /tmp /opt/rvbbit/*.crt 2>/dev/null; true") in {
        "/tmp:\n\n/var/lib/apt/lists:\n",
        "/tmp:\n\n/var/lib/apt/lists:\nauxfiles\n",
    }
    assert (
        server.run(
            "sh", "-c", "ls /etc/ssl/private; find / -xdev -name 'ssl-cert-snakeoil*' 2>/dev/null; true"
        )
        == ""
    )


def test_history_names_no_build_argument() -> None:
    history = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", IMAGE).stdout
    assert not [word for word in ("MIRROR", "PIP_", "INDEX_URL", "packages.sh") if word in history]


def test_signal_port_and_volumes() -> None:
    form = "{{.Config.StopSignal}} {{.Config.ExposedPorts}} {{.Config.Volumes}} {{.Config.Cmd}}"
    shown = docker("image", "inspect", "--format", form, IMAGE).stdout
    assert shown.split(" ")[0] == "SIGINT"
    assert "5432/tcp" in shown
    assert DATA in shown
    assert "[postgres]" in shown


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("jit", "off"),
        ("server_encoding", "UTF8"),
        ("listen_addresses", "*"),
        ("shared_preload_libraries", "rvbbit_fdw,pg_cron"),
        ("cron.database_name", "rvbbit"),
        ("max_locks_per_transaction", "256"),
        ("password_encryption", "scram-sha-256"),
    ],
)
def test_settings(server: Server, setting: str, value: str) -> None:
    with server.connect(user="postgres") as admin:
        assert one(admin, f"SHOW {setting}") == value


def test_builtin_locale(db: psycopg.Connection) -> None:
    query = "SELECT datlocprovider::text || ' ' || datlocale FROM pg_database WHERE datname = 'rvbbit'"
    assert one(db, query) == "b C.UTF-8"


def test_extensions(db: psycopg.Connection) -> None:
    names = {row[0] for row in db.execute("SELECT extname FROM pg_extension")}
    assert {"rvbbit_fdw", "rvbbit", "pg_cron"} <= names


# --- How it runs


def test_user_and_path(server: Server) -> None:
    assert server.run("stat", "-c", "%u:%g", DATA) == "999:999\n"
    assert server.run("sh", "-c", "command -v initdb") == "/usr/lib/postgresql/17/bin/initdb\n"
    status = server.run("cat", "/proc/1/status")
    assert "Uid:\t999\t999\t999\t999" in status
    assert "CapEff:\t0000000000000000" in status


def test_snapshots_are_private(server: Server) -> None:
    assert server.run("stat", "-c", "%a %U", "/var/lib/rvbbit") == "700 postgres\n"


def test_no_secret_in_the_environment_of_the_server(server: Server) -> None:
    with server.connect(user="postgres") as admin:
        admin.execute("CREATE TEMP TABLE environment (line text)")
        admin.execute("COPY environment FROM PROGRAM 'env' (DELIMITER E'\\x01')")
        names = [row[0].partition("=")[0] for row in admin.execute("SELECT line FROM environment")]
    assert "PGDATA" in names
    assert not [name for name in names if "PASSWORD" in name]


def test_no_password_in_the_log(server: Server) -> None:
    assert "SCRAM-SHA" not in server.log()
    assert "PASSWORD '" not in server.log()


def test_a_wrong_password_is_refused(server: Server) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        server.connect(password="wrong")


def test_the_health_login_may_little(server: Server) -> None:
    with server.connect(user="postgres") as admin:
        admin.execute("SET ROLE rvbbit_health")
        assert one(admin, "SELECT count(*) FROM rvbbit_sessions") != 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            admin.execute("CREATE SCHEMA own")


# --- First start


def test_a_password_is_required() -> None:
    result = run_image()
    assert result.returncode == 1
    assert "set RVBBIT_PASSWORD" in result.stderr


def test_a_value_and_its_file_exclude_each_other() -> None:
    result = run_image("-e", "POSTGRES_PASSWORD=a", "-e", "POSTGRES_PASSWORD_FILE=/etc/hostname")
    assert result.returncode == 1
    assert "both POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE are set" in result.stderr


@pytest.mark.parametrize(
    ("command", "output"),
    [
        (("postgres", "--version"), "postgres (PostgreSQL) 17."),
        (("--version",), "postgres (PostgreSQL) 17."),
        (("bash", "-c", "echo as it is"), "as it is"),
    ],
)
def test_commands_that_need_no_cluster(command: tuple[str, ...], output: str) -> None:
    result = run_image("--", *command)
    assert result.returncode == 0
    assert result.stdout.startswith(output)


def test_files_arguments_and_scripts(tmp_path: Path, scripts: Path) -> None:
    """One start with everything: secrets in files, own user and database, arguments, scripts."""
    for name, text in (("superuser", "s3cret\n"), ("login", "l0gin '\"$ü")):
        (tmp_path / name).write_text(text)
    (scripts / "1.sql").write_text(
        "CREATE TABLE steps (n serial, name text); INSERT INTO steps (name) VALUES ('sql')"
    )
    (scripts / "2.sh").write_text(
        'psql -v ON_ERROR_STOP=1 -U $POSTGRES_USER -d "$POSTGRES_DB" -qc "$INSERT (\'sourced\')"'
    )
    (scripts / "3.sh").write_text(
        '#!/bin/sh\npsql -U $POSTGRES_USER -d "$POSTGRES_DB" -qc "$INSERT (\'run\')"\n'
    )
    (scripts / "3.sh").chmod(0o755)
    (scripts / "4.sql.gz").write_bytes(gzip.compress(b"INSERT INTO steps (name) VALUES ('gz')"))
    (scripts / "5.txt").write_text("nothing")
    (scripts / "6.sh").write_text("echo 'work_mem = 7MB' >> \"$PGDATA/postgresql.conf\"")
    environment = {
        "RVBBIT_PASSWORD": "",
        "RVBBIT_PASSWORD_FILE": "/run/secrets/login",
        "POSTGRES_PASSWORD_FILE": "/run/secrets/superuser",
        "POSTGRES_USER": "chief",
        "POSTGRES_DB": 'Carl\'s "data"',
        "POSTGRES_INITDB_ARGS": "--data-checksums",
        "INSERT": "INSERT INTO steps (name) VALUES",
    }
    volumes = [(str(scripts), "/docker-entrypoint-initdb.d", "ro"), (str(tmp_path), "/run/secrets", "ro")]
    with serving(tmp_path, "-c", "max_connections=20", environment=environment, volumes=volumes) as server:
        with server.connect("chief", environment["POSTGRES_DB"], "s3cret") as admin:
            steps = [row[0] for row in admin.execute("SELECT name FROM steps ORDER BY n")]
            assert steps == ["sql", "sourced", "run", "gz"]
            shown = [one(admin, f"SHOW {name}") for name in ("max_connections", "work_mem", "data_checksums")]
            assert shown == ["20", "7MB", "on"]
            assert one(admin, "SHOW data_directory") == DATA
        with server.connect("rvbbit", environment["POSTGRES_DB"], "l0gin '\"$ü") as login:
            assert one(login, "SELECT count(*) FROM rvbbit_sessions") == 0
        assert "ignoring /docker-entrypoint-initdb.d/5.txt" in server.log()
        assert "PostgreSQL init process complete; ready for start up." in server.log()


def test_trust_needs_no_password_and_warns(tmp_path: Path) -> None:
    environment = {"RVBBIT_PASSWORD": "", "POSTGRES_HOST_AUTH_METHOD": "trust"}
    with serving(tmp_path, environment=environment) as server:
        with server.connect(password="") as db:
            assert one(db, "SELECT current_user") == "rvbbit"
        assert "lets anyone who reaches the port in without a password" in server.log()


@pytest.mark.parametrize("way", ["a script fails", "the container is killed"])
def test_an_interrupted_first_start_is_begun_again(
    tmp_path: Path, scripts: Path, volume: str, way: str
) -> None:
    (scripts / "fail.sh").write_text("exit 3" if way == "a script fails" else "sleep 60")
    options = ("-e", "RVBBIT_PASSWORD=rvbbit", "-v", f"{volume}:{DATA}")
    name = f"{volume}-first"
    with subprocess.Popen(
        [
            "docker",
            "run",
            "--rm",
            "--name",
            name,
            *options,
            "-v",
            f"{scripts}:/docker-entrypoint-initdb.d:ro",
            IMAGE,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as first:
        assert first.stdout is not None
        assert any("sourcing" in line for line in first.stdout)
        docker("kill", name)
        first.stdout.read()
    assert first.returncode != 0
    with serving(tmp_path, volumes=[(volume, DATA, "rw")]) as server:
        assert "an earlier first start was interrupted; starting over" in server.log()
        with server.connect() as db:
            assert one(db, "SELECT count(*) FROM rvbbit_sessions") == 0


def test_a_volume_with_other_files_is_left_alone(volume: str) -> None:
    mount = ("-v", f"{volume}:{DATA}")
    run_image(*mount, "--", "touch", f"{DATA}/mine")
    result = run_image(*mount, "-e", "RVBBIT_PASSWORD=rvbbit")
    assert result.returncode == 1
    assert "holds files but no PostgreSQL cluster" in result.stderr
    assert run_image(*mount, "--", "ls", f"{DATA}/mine").returncode == 0


# --- Later starts


def test_data_stays_and_passwords_follow(tmp_path: Path, volume: str) -> None:
    volumes = [(volume, DATA, "rw")]
    with serving(tmp_path, volumes=volumes) as server, server.connect("postgres") as db:
        db.execute("CREATE TABLE kept AS SELECT 1 AS n")
    with serving(tmp_path, volumes=volumes, environment={"RVBBIT_PASSWORD": "new"}) as server:
        for user in ("rvbbit", "postgres"):
            server.connect(user, password="new").close()
        with server.connect("postgres", password="new") as db:
            assert one(db, "SELECT n FROM kept") == 1
            db.execute("DROP EXTENSION rvbbit CASCADE")
        server.restart()
        with server.connect("rvbbit", password="new") as db:
            assert one(db, "SELECT count(*) FROM rvbbit_sessions") == 0


def test_who_connects_first_finds_sessions_attached(tmp_path: Path, volume: str) -> None:
    """At each start, whatever else is in the folder; but not where jobs are not to run."""
    (tmp_path / "broken.duckdb").write_bytes(b"nonsense" * 2000)
    attached = (
        "SELECT string_agg(session_id, ' ' ORDER BY session_id) FROM _rvbbit_sessions WHERE is_attached"
    )
    is_early = "SELECT last_change < pg_postmaster_start_time() FROM rvbbit.sync_status"
    keep = [(volume, DATA, "rw")]
    for session, found in [("report", "report"), ("summary", "report summary")]:
        make_session(tmp_path / f"{session}.duckdb", "CREATE TABLE t AS SELECT 42 AS i")
        with serving(tmp_path, volumes=keep) as server, server.connect() as db:
            assert one(db, attached) == found
            assert one(db, f"SELECT i FROM {session}.t") == 42
            assert one(db, is_early) is True
            assert "is left to the background job" not in server.log()
    make_session(tmp_path / "third.duckdb", "CREATE TABLE t AS SELECT 42 AS i")
    no_jobs = ("postgres", "-c", "cron.launch_active_jobs=off")
    with serving(tmp_path, *no_jobs, volumes=keep) as server, server.connect() as db:
        assert one(db, attached) == "report summary"


def test_a_job_that_someone_stopped_stays_so(tmp_path: Path) -> None:
    """What is attached stays as it is over a restart, too."""
    attached = "SELECT string_agg(session_id, ' ' ORDER BY session_id) FROM rvbbit.attachment"
    path = make_session(tmp_path / "report.duckdb", "CREATE TABLE t AS SELECT 42 AS i")
    with serving(tmp_path) as server:
        with server.connect("postgres") as admin:
            assert one(admin, attached) == "report"
            admin.execute("SELECT cron.alter_job(jobid, active => false) FROM cron.job")
        path.rename(tmp_path / "summary.duckdb")
        for _ in range(2):
            server.restart()
            with server.connect("postgres") as admin:
                assert one(admin, attached) == "report"


def test_a_set_up_that_fails_later_keeps_nothing_else_closed(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        with server.connect("postgres") as db:
            db.execute("DROP FOREIGN TABLE rvbbit_sessions CASCADE")
            db.execute("CREATE TABLE rvbbit_sessions AS SELECT 'mine' AS session_id")
            db.execute("GRANT SELECT ON rvbbit_sessions TO rvbbit_health")
        server.restart()
        assert "the server starts without" in server.log()
        with server.connect("postgres") as db:
            assert one(db, "SELECT session_id FROM rvbbit_sessions") == "mine"


@pytest.mark.parametrize(
    ("options", "arguments", "limit", "process", "told"),
    [
        ({}, (), "256MB", "1536MB", None),
        ({"mem_limit": "4g"}, ("-c", "max_connections=20"), "153MB", "1536MB", "16"),
        ({"mem_limit": "4g"}, ("-c", "max_connections=10"), "307MB", "1536MB", None),
        ({"mem_limit": "1g"}, (), "64MB", "512MB", "6"),
        ({"mem_limit": "1g"}, ("-c", "rvbbit.memory_limit=1GB"), "1GB", "512MB", "0"),
    ],
)
def test_memory_of_a_backend_follows_the_container(
    tmp_path: Path,
    options: dict[str, Any],
    arguments: tuple[str, ...],
    limit: str,
    process: str,
    told: str | None,
) -> None:
    with serving(tmp_path, *arguments, **options) as server, server.connect() as db:
        assert one(db, "SHOW rvbbit.memory_limit") == limit
        assert one(db, "SHOW rvbbit.process_limit") == process
        assert re.findall(r"holds (\d+) heavy statements at once", server.log())[-1:] == (
            [told] if told else []
        )


@pytest.mark.parametrize("init", [False, True])
def test_files_of_a_group_can_be_read(tmp_path: Path, init: bool) -> None:
    """A folder and files that only their owner and group may read; needs root to give them away."""
    folder, probe = tmp_path / "sessions", tmp_path / "sessions" / "probe.duckdb"
    folder.mkdir()
    probe.write_bytes(b"")
    shell = "chown 4321:4321 /f /f/probe.duckdb && chmod 750 /f && chmod 640 /f/probe.duckdb"
    undo = "chown -R --reference=/f/.. /f; chmod 777 /f"
    assert (
        docker("run", "--rm", "-v", f"{folder}:/f", "--entrypoint", "sh", IMAGE, "-c", shell).returncode == 0
    )
    try:
        with serving(folder, init=init) as server, server.connect() as db:
            assert one(db, "SELECT state FROM rvbbit_sessions") != "unreadable"
            assert "cannot read" not in server.log()
            made = server.container.get_wrapped_container()
            assert b"denied" not in made.exec_run(["rvbbit-fdw", "doctor"]).output
    finally:
        docker("run", "--rm", "-v", f"{folder}:/f", "--entrypoint", "sh", IMAGE, "-c", undo)


def test_as_the_user_postgres_from_the_start(tmp_path: Path) -> None:
    """No capability at all: nothing to step down from."""
    with serving(tmp_path, user="999:999", cap_add=[]) as server, server.connect() as db:
        assert one(db, "SELECT count(*) FROM rvbbit_sessions") == 0


def test_an_unreadable_folder_is_said_in_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "sessions"
    folder.mkdir(mode=0o700)
    environment = {"RVBBIT_PASSWORD": "rvbbit"}
    with container(environment=environment, volumes=[(str(folder), "/sessions", "ro")]) as made:
        with pytest.raises(TimeoutError):
            wait_until_healthy(made, seconds=4)
        log = Server(made, folder).log()
    assert "session folder: cannot read /sessions: it is mode 700" in log
    assert "the server runs as uid 999" in log


@pytest.mark.parametrize("init", [False, True])
def test_stopping_is_quick_and_clean(tmp_path: Path, init: bool) -> None:
    """Also below the engine's own first process, which may signal others with KILL alone."""
    with serving(tmp_path, init=init, cap_add=[*HARDENED["cap_add"], *(["KILL"] if init else [])]) as server:
        made = server.container.get_wrapped_container()
        made.stop(timeout=60)
        made.reload()
        assert made.attrs["State"]["ExitCode"] == 0
        assert "database system is shut down" in server.log()


# --- Health


def health(server: Server, **environment: str) -> tuple[int, str]:
    """Exit code and output of the health check, run with more in its environment."""
    made = server.container.get_wrapped_container()
    result = made.exec_run(["/opt/rvbbit/healthcheck.sh"], environment=environment)
    return result.exit_code, result.output.decode()


def test_health_tells_the_age_of_the_last_sync(following: Server) -> None:
    with following.connect() as db:
        db.execute("CALL rvbbit.sync()")
    code, text = health(following)
    assert (code, re.sub(r"\d+", "N", text)) == (0, "last sync N s ago\n")


def test_a_sync_that_is_too_old_is_unhealthy(following: Server) -> None:
    with following.connect(user="postgres") as admin:
        admin.execute("CALL rvbbit.sync()")
        admin.execute("UPDATE rvbbit.sync_run SET last_run = now() - interval '1 hour'")
        assert health(following)[0] == 0
        code, text = health(following, RVBBIT_MAX_SYNC_AGE="300")
        admin.execute("TRUNCATE rvbbit.sync_run")
        assert health(following, RVBBIT_MAX_SYNC_AGE="300") == (0, "no sync so far\n")
    assert code == 3
    assert "older than RVBBIT_MAX_SYNC_AGE, 300 s\n" in text


@pytest.fixture
def locked(following: Server) -> Iterator[None]:
    """Every health check has to wait."""
    with following.connect(user="postgres") as admin, admin.transaction(force_rollback=True):
        admin.execute("ALTER FOREIGN TABLE rvbbit_sessions OWNER TO CURRENT_USER")
        yield


PARENTS = "exec grep -hs '^PPid:' /proc/[0-9]*/status"


@pytest.mark.usefixtures("locked")
def test_a_check_is_one_process(following: Server) -> None:
    """The engine kills the process that it started, and no other."""
    waiting = """SELECT count(*) > 0 FROM pg_stat_activity
                 WHERE usename = 'rvbbit_health' AND wait_event_type = 'Lock'"""
    following.container.get_wrapped_container().exec_run(["/opt/rvbbit/healthcheck.sh"], detach=True)
    with following.connect(user="postgres") as admin:
        wait_for(lambda: admin.execute(waiting).fetchone() == (True,))
    parents = Counter(following.run("sh", "-c", PARENTS).split()[1::2])
    assert parents.pop("0") >= 3, "the first process, the check and this question"
    assert len(parents) == 2, "the first process and the server have children"


def test_what_is_left_behind_disturbs_nobody(following: Server) -> None:
    """A process without its parent goes to the container's first one, whatever its end."""
    with following.connect(user="postgres") as admin:
        following.run("bash", "-c", "bash -c 'sleep 0.3; kill -9 $$' left_behind & exit 0")
        wait_for(lambda: following.run("bash", "-c", "pgrep -f '[l]eft_behind' || true") == "")
        assert admin.execute("SELECT 1").fetchone() == (1,)
        assert "terminating any other active server processes" not in following.log()


@pytest.mark.usefixtures("locked")
def test_a_check_that_hangs_ends_by_itself(following: Server) -> None:
    """It says what happened before Docker would kill it."""
    made = following.container.get_wrapped_container()
    code, output = made.exec_run(["timeout", "60", "/opt/rvbbit/healthcheck.sh"])
    assert code == 3
    assert b"statement timeout" in output


# --- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate and its key."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


TLS = {"RVBBIT_TLS_CERT_FILE": "/tls/server.crt", "RVBBIT_TLS_KEY_FILE": "/tls/server.key"}


def test_tls_is_the_only_way_in(tmp_path: Path, certificate: Path) -> None:
    """With a certificate nothing else comes in over TCP; the key is copied to where only the server reads."""
    volumes = [(str(certificate), "/tls", "ro")]
    with serving(tmp_path, environment=TLS, volumes=volumes) as server:
        for is_restarted in (False, True):
            if is_restarted:
                server.restart()
            with server.connect(sslmode="verify-ca", sslrootcert=str(certificate / "server.crt")) as db:
                assert one(db, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") is True
            with pytest.raises(psycopg.OperationalError, match="no encryption"):
                server.connect(sslmode="disable")
            files = "find /run/postgresql/tls.* -type f -printf '%m %u %f\\n' | sort"
            assert (
                server.run("sh", "-c", files, user="postgres")
                == "600 postgres server.crt\n600 postgres server.key\n"
            )


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"RVBBIT_TLS_CERT_FILE": "/tls/server.crt"}, "belong together"),
        (
            TLS | {"RVBBIT_TLS_KEY_FILE": "/tls/none"},
            "cannot read /tls/none, which RVBBIT_TLS_KEY_FILE names: it is not there",
        ),
    ],
)
def test_tls_that_cannot_be_had(certificate: Path, environment: dict[str, str], message: str) -> None:
    given = [word for name, value in environment.items() for word in ("-e", f"{name}={value}")]
    result = run_image(*given, "-e", "RVBBIT_PASSWORD=rvbbit", "-v", f"{certificate}:/tls:ro")
    assert result.returncode == 1
    assert message in result.stderr


def test_a_key_that_the_server_may_not_read(certificate: Path) -> None:
    given = [word for name, value in TLS.items() for word in ("-e", f"{name}={value}")]
    user = ("--user", "999:999", "-e", "RVBBIT_PASSWORD=rvbbit")
    result = run_image(*given, *user, "-v", f"{certificate}:/tls:ro")
    assert result.returncode == 1
    assert (
        "cannot read /tls/server.key, which RVBBIT_TLS_KEY_FILE names: it is mode 600 of uid 0"
        in result.stderr
    )
    assert "the server runs as uid 999" in result.stderr
