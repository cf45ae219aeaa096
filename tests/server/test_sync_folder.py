"""A folder as months of work leave it: ids of every kind, of every age, in every state."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.container import serving
from tests.kit.synced import Folder, opened, ticking, wait_for

pytestmark = pytest.mark.server

# An id that a person chose, and the schema that shows it (None: the id itself).
NAMED: dict[str, str | None] = {
    "cascade_test": None,
    "test_comp_003": None,
    "my_test": None,
    "q4 revenue report": None,
    "Churn_Model_V2": None,
    "churn_model_v2": None,
    "übersicht_café_märz": None,
    "production_etl_2024_12_20": None,
    "production_etl_20241221": None,
    "notebook_analysis": None,
    "batch-nightly": None,
    "monthly-sales-report": None,
    "release.1.2": None,
    "2025-12-25": None,
    "select": None,
    "%": None,
    'it\'s "quoted"; --': None,
    "-starts-with-a-dash": None,
    "pg_dump_check": "_pg_dump_check",
    "public": "public_efa1f375",
    "a_name_of_a_session_that_is_longer_than_what_postgresql_lets_a_schema_have": (
        "a_name_of_a_session_that_is_longer_than_what_postgresq_8ddb5765"
    ),
}

# Ids that programs make, newest first: of these the ten newest attach.
MACHINE = [
    "quick-fox-a1b2c3",
    "agile-cardinal-490cb1",
    "nb_4f1d2c3b5a69",
    "cascade_udf_2f199f63",
    "notebook_ab12cd34",
    "cell_0a1b2c3d",
    "workshop_0123456789ab",
    "tool_summarize_orders_9c31be",
    "sql_discovery_1766660000",
    "research_1766660000123",
    "spawned_1766660000_a1b2c3",
    "4f1d2c3b-5a69-4c0e-9c31-be2f199f63aa",
    "sql-udf-agile-finch-4acdcc",
    "batch-misty-otter-0f3a7c",
    "sql_fn_score_agile-finch-4acdcc",
    "test-1b2c3d4e",
    *(
        f"{mood}-badger-{number:06x}"
        for mood in ("calm", "wise", "shy")
        for number in range(0xA00000, 0xA00028)
    ),
]
NEWEST = MACHINE[:10]

# Newer than all of these, and still not attached: parts of runs, and what servers leave behind.
PASSED_OVER = [
    *(f"agile-cardinal-490cb1_sounding_{number}" for number in range(18)),
    *(f"cascade_test_sounding_{number}" for number in range(12)),
    "agile-cardinal-490cb1_reforge0_1",
    "agile-cardinal-490cb1_sub",
    "cascade_test_row_7",
    "cascade_test_inline_validator_totals_match_t1_0",
    "quick-fox-a1b2c3_llm_classify",
    "quick-fox-a1b2c3__extract_data",
    "pg_client_default",
    "pg_client_memory",
    "pg_client_agile-cardinal-490cb1",
    "pg_client_" + "x" * 80,
    "health_check_1b2c3d4e",
    "health_check_2b2c3d4e",
    "http_api_7e21c9d4",
    "http_api_8e21c9d4",
]

# Newest of all and chosen by their ids, but nothing that could be attached.
UNFIT = {
    "empty_run": b"",
    "broken_run": b"\x00" * 65536,
    "no_session_at_all": b"SQLite format 3\x00" * 1024,
    "lively-hare-0000e1": b"",
    "lively-hare-0000e2": b"\x00" * 4096,
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    """The folder, and a server that looks at it every second."""
    path = tmp_path_factory.mktemp("months")
    path.chmod(0o755)
    with serving(path) as server, opened(server) as folder, ticking(server):
        folder.db.execute("SELECT rvbbit.set_policy('none')")
        fill(folder)
        yield folder


def fill(folder: Folder) -> None:
    """Write the 206 sessions; the folder's policy must not attach any yet."""
    folder.unfinished("template", "CREATE TABLE _output AS SELECT 1 AS a, 'x' AS b")
    folder.copy("template", *NAMED, *MACHINE, *PASSED_OVER)
    for path in folder.server.session_dir.glob("template.*"):
        path.unlink()
    for session, content in UNFIT.items():
        (folder.server.session_dir / f"{session}.duckdb").write_bytes(content)
    for rank, session in enumerate(NAMED):
        folder.age(session, 100 * rank)
    for rank, session in enumerate(MACHINE):
        folder.age(session, 0.5 + rank * 2)


def test_there_are_206_of_them(filled: Folder) -> None:
    assert filled.one("SELECT count(*) FROM rvbbit_sessions") == 206


def test_named_ones_and_ten_recent_ones_attach_by_themselves(filled: Folder) -> None:
    expected = {session: schema or session for session, schema in NAMED.items()}
    expected |= {session: session for session in NEWEST}
    filled.db.execute("SELECT rvbbit.set_policy('smart')")
    wait_for(lambda: len(filled.attached()) >= len(expected))
    assert filled.attached() == expected
    wait_for(lambda: filled.plan() == set())
    for schema in expected.values():
        quoted = filled.db.execute("SELECT quote_ident(%s)", [schema]).fetchall()[0][0]
        assert filled.rows(f"SELECT a, b FROM {quoted}._output") == [(1, "x")]


def test_a_newer_one_takes_the_place_of_the_oldest(filled: Folder) -> None:
    filled.copy("quick-fox-a1b2c3", "zany-newt-00ff00")
    wait_for(lambda: "zany-newt-00ff00" in filled.attached())
    wait_for(lambda: NEWEST[-1] not in filled.attached())
    assert {"zany-newt-00ff00", *NEWEST[:-1], *NAMED} == set(filled.attached())


def test_twenty_four_hours_end_it(filled: Folder) -> None:
    for rank, session in enumerate(("zany-newt-00ff00", *MACHINE)):
        filled.age(session, 23.9 if rank < 3 else 24.1 + rank)
    wait_for(lambda: len(filled.attached()) == len(NAMED) + 3)
    assert set(filled.attached()) == {*NAMED, "zany-newt-00ff00", *MACHINE[:2]}


def test_with_all_also_parts_but_not_what_is_excluded(filled: Folder) -> None:
    excluded = ("pg_client_", "calm-", "wise-", "shy-")
    filled.db.execute(f"SELECT rvbbit.set_policy('all', exclude => '{'%,'.join(excluded)}%')")
    shown = {*NAMED, *MACHINE, *PASSED_OVER, "zany-newt-00ff00"}
    wanted = {session for session in shown if not session.startswith(excluded)}
    wait_for(lambda: len(filled.attached()) >= len(wanted), seconds=180)
    wait_for(lambda: filled.plan() == set())
    assert set(filled.attached()) == wanted
    assert len(set(filled.attached().values())) == len(wanted)


def test_a_folder_that_is_emptied_leaves_no_schema(filled: Folder) -> None:
    for path in filled.server.session_dir.iterdir():
        path.unlink()
    wait_for(lambda: filled.one("SELECT count(*) FROM rvbbit.attachment") == 0, seconds=180)
    left = "SELECT count(*) FROM pg_foreign_table WHERE ftrelid::regclass::text !~ '^rvbbit(_|[.]_)'"
    assert filled.one(left) == 0
    assert filled.errors() == []
