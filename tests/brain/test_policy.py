"""Whose name a session has, and which sessions attach by themselves."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from rvbbit_fdw import native, options, policy, session_rows
from rvbbit_fdw.backend import Backend
from rvbbit_fdw.inspection import Inspection, inspect
from rvbbit_fdw.policy import Policy, is_named, kind_of
from rvbbit_fdw.sessions import SessionFile, SessionFolder
from tests.kit.folder import Folder, scan_of

HOUR_NS = 3_600 * 10**9
NOW_NS = 1_767_000_000 * 10**9

IDS = {
    "named": """
        cascade_test  test_comp_003  my_test  production_etl_2024_12_20  test  TEST  debug-run  a  q4
        sales_report  sales-report-202412  daily-sales-241220  sales-report-2024  agile-cardinal
        agile-cardinal-490cb  agile-cardinal-490cb12  Agile-Cardinal-490cb1  agile_cardinal_490cb1
        cascade_udf_test  cascade_udf_20241220  nb_test  nb_2f199f63  notebook_analysis  notebook_20241220
        cell_counts  workshop_2024  tool_box  tool_test_202412  sql_discovery_test  research_2024
        research_notes  spawned_by_hand  batch-nightly  batch-2024-12  watch-prices  udf-test
        test-20241220  test_1  dim_customers  sub  _sub  row_1  subway_map  ward_rounds  test_subset
        test_sounding  test_sounding_3d  test_row_x  my_validator_rules  cascade_test_transform  llm_test
        é.test  it's  a.b
    """,
    "machine": """
        agile-cardinal-490cb1  agile-finch-4acdcc  brave-otter-000000  quick-fox-decade  nb_2f199f63aa01
        cascade_udf_2f199f63  notebook_ab12cd34  cell_00ff00ff  workshop_0123456789ab  tool_x_abc123
        tool_extract_brand_0a1b2c  sql_discovery_1735142400  sql_discovery_1735142400.5
        research_1735142400123  spawned_1735142400_abc123  sql-udf-agile-finch-4acdcc  sql-udf-x
        sql-agg-sum-1  udf-agile-finch-4acdcc  batch-agile-finch-4acdcc  batch-nb_2f199f63aa01
        watch-prices-agile-finch-4acdcc  sql_fn_brand_agile-finch-4acdcc  test-0a1b2c3d
        _tests_api_session  pg_client_default  pg_client_my_db  http_api_2f199f63  http_api_x
        health_check_2f199f63  6ba7b810-9dad-11d1-80b4-00c04fd430c8  6BA7B810-9DAD-11D1-80B4-00C04FD430C8
        6ba7b8109dad11d180b400c04fd430c8
    """,
    "child": """
        agile-finch-4acdcc_sounding_0  agile-finch-4acdcc_sub  agile-finch-4acdcc_sub_3
        agile-finch-4acdcc_row_12  agile-finch-4acdcc_reforge1_2  agile-finch-4acdcc_ward
        agile-finch-4acdcc_ward_1  agile-finch-4acdcc_validator_quality_t1
        agile-finch-4acdcc_validator_quality_t1_0  agile-finch-4acdcc_inline_validator_x
        agile-finch-4acdcc_sounding_validator_0  agile-finch-4acdcc_llm_summary
        agile-finch-4acdcc_transform  agile-finch-4acdcc_sub_row_3_sub  cascade_udf_2f199f63_load
        nb_2f199f63aa01_extract  tool_x_abc123_sub  spawned_1735142400_abc123_sounding_4
        batch-agile-finch-4acdcc_row_0  test_sub  test_sounding_0  test_sounding_0_transform
        test_sounding_0_sub  cascade_test_reforge_1  cascade_test_reforge0_1  cascade_test_row_1
        cascade_test_ward  cascade_test_inline_validator_x  cascade_test_llm_summary
        cascade_test_validator_quality_t2  pg_client_default_sub
    """,
}
TABLE = [(kind, session_id) for kind, ids in IDS.items() for session_id in ids.split()]


@pytest.mark.parametrize(("kind", "session_id"), TABLE)
def test_kinds(kind: str, session_id: str) -> None:
    assert kind_of(session_id) == kind
    assert is_named(session_id) == (kind == "named")


def test_every_family_is_in_the_table() -> None:
    assert len(TABLE) == len({session_id for _, session_id in TABLE}) >= 80
    for pattern in policy.MACHINE_IDS.values():
        found = re.compile(pattern)
        assert any(found.fullmatch(session_id) for session_id in IDS["machine"].split()), pattern
    for pattern in policy.CHILD_SUFFIXES.values():
        found = re.compile(rf"(?:{pattern})\Z")
        assert any(found.search(session_id) for session_id in IDS["child"].split()), pattern


def test_ids_with_spaces_and_newlines() -> None:
    assert is_named("my test run")
    assert is_named("")
    assert kind_of("a\nb_sub") == "child"
    assert is_named("agile-finch-4acdcc\n")
    assert is_named("agile-finch-4acdcc run")


def session(session_id: str, age_hours: float = 0, *, size: int = 500_000, wal: int = 0) -> SessionFile:
    return SessionFile(session_id, "/x", "/x", size, wal, NOW_NS - int(age_hours * HOUR_NS))


def chosen(files: Sequence[SessionFile], **given: str) -> set[str]:
    """What attaches under these options of the server."""
    options.validate("server", {"session_dir": "/x", **given})
    return set(policy.parse(given).choose(files, NOW_NS))


MIXED = [
    session("etl", 10_000),
    session("etl_sub"),
    session("etl_2", 30),
    session("agile-finch-000001", 1),
    session("agile-finch-000002", 25),
    session("agile-finch-000001_sub", 1),
    session("pg_client_default"),
    session("http_api_2f199f63"),
    session("health_check_2f199f63"),
    session("pgaclient"),
]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "etl etl_2 pgaclient agile-finch-000001"),
        ({"policy": "smart"}, "etl etl_2 pgaclient agile-finch-000001"),
        ({"named_limit": "2"}, "etl_2 pgaclient agile-finch-000001"),
        ({"named_limit": "0"}, "agile-finch-000001"),
        ({"unnamed_limit": "0"}, "etl etl_2 pgaclient"),
        ({"unnamed_max_age_hours": "25"}, "etl etl_2 pgaclient agile-finch-000001 agile-finch-000002"),
        ({"unnamed_max_age_hours": "0"}, "etl etl_2 pgaclient"),
        ({"policy": "recent"}, "etl_2 pgaclient agile-finch-000001 agile-finch-000002"),
        ({"policy": "recent", "recent_limit": "2"}, "pgaclient agile-finch-000001"),
        ({"policy": "recent", "recent_max_age_days": "1"}, "pgaclient agile-finch-000001"),
        (
            {"policy": "all"},
            "etl etl_sub etl_2 agile-finch-000001 agile-finch-000002 agile-finch-000001_sub pgaclient",
        ),
        ({"policy": "none"}, ""),
        ({"policy": "none", "include": "etl%"}, "etl etl_sub etl_2"),
        ({"policy": "none", "include": "etl%, %000002", "exclude": "%sub"}, "etl etl_2 agile-finch-000002"),
        ({"include": "etl_sub", "named_limit": "1"}, "etl_sub pgaclient agile-finch-000001"),
        ({"include": "pg_client_default"}, "etl etl_2 pgaclient agile-finch-000001"),
        ({"exclude": ""}, "etl etl_2 pgaclient agile-finch-000001 pg_client_default http_api_2f199f63 "
                          "health_check_2f199f63"),
        ({"exclude": "%"}, ""),
        ({"exclude": "etl__, pg%"}, "etl agile-finch-000001 http_api_2f199f63 health_check_2f199f63"),
    ],
)  # fmt: skip
def test_policies(given: dict[str, str], expected: str) -> None:
    assert chosen(MIXED, **given) == set(expected.split())


def test_the_newest_win_and_names_break_ties() -> None:
    files = [session(f"run_{number:03}", number % 5) for number in range(100)]
    newest = sorted(files, key=lambda file: (-file.modified_ns, file.session_id))[:50]
    assert chosen(files) == {file.session_id for file in newest} == chosen(files[::-1])


def test_named_and_ten_recent_without_clients() -> None:
    files = [session(f"named_{number}", number * 100) for number in range(12)]
    files += [session(f"agile-finch-{number:06x}", number / 10) for number in range(0xA00, 0xA00 + 150)]
    files += [session(f"brave-otter-{number:06x}", number / 10) for number in range(30)]
    files += [session(f"pg_client_{number}") for number in range(14)]
    assert len(files) == 206
    expected = {f"named_{number}" for number in range(12)} | {f"brave-otter-{n:06x}" for n in range(10)}
    assert chosen(files) == expected


NAMED_OVER = "over the limit: only the newest {} named sessions attach by themselves (named_limit)"
UNNAMED_OVER = "over the limit: only the newest {} unnamed sessions attach by themselves (unnamed_limit)"
RECENT_OVER = "over the limit: only the newest {} sessions attach by themselves (recent_limit)"


@pytest.mark.parametrize(
    ("options", "over"),
    [
        ({}, {}),
        ({"named_limit": 1}, {"named_old": NAMED_OVER.format(1)}),
        ({"named_limit": 0}, {"named_old": NAMED_OVER.format(0), "named_new": NAMED_OVER.format(0)}),
        ({"named_limit": 1, "include": "named_old"}, {}),
        ({"named_limit": 1, "exclude": "named_old"}, {}),
        ({"unnamed_limit": 1}, {"brave-otter-00000b": UNNAMED_OVER.format(1)}),
        ({"unnamed_limit": 0, "unnamed_max_age_hours": 1}, {}),
        (
            {"policy": "recent", "recent_limit": 2},
            {"named_old": RECENT_OVER.format(2), "brave-otter-00000b": RECENT_OVER.format(2)},
        ),
        ({"policy": "recent", "recent_limit": 2, "recent_max_age_days": 0}, {}),
        ({"policy": "all", "named_limit": 0}, {}),
        ({"policy": "none", "named_limit": 0}, {}),
    ],
)
def test_what_a_limit_leaves_out(options: dict[str, Any], over: dict[str, str]) -> None:
    files = [
        session("named_new", 1),
        session("named_old", 90),
        session("brave-otter-00000a", 2),
        session("brave-otter-00000b", 3),
        session("brave-otter-00000c_sounding_1", 3),
        session("named_empty", 1, size=12_288),
    ]
    rules = Policy(**options)
    assert rules.over_limit(files, NOW_NS) == over
    assert rules.choose(files, NOW_NS).isdisjoint(over)


def test_files_without_a_table_take_no_place() -> None:
    files = [session("empty", size=12_288), session("nothing", size=0), session("live", size=12_288, wal=1)]
    assert chosen(files, policy="all") == {"live"}
    assert chosen([session("bro\ufffdken")], policy="all") == set()


def test_times_to_come_are_new() -> None:
    assert chosen([session("agile-finch-000001", -5)]) == {"agile-finch-000001"}


@pytest.mark.parametrize(
    ("patterns", "session_id", "matches"),
    [
        ("a%", "abc", True),
        ("a%", "ABC", False),
        ("a_", "ab", True),
        ("a_", "abc", False),
        (r"a\_b", "a_b", True),
        (r"a\_b", "axb", False),
        (r"a\,b", "a,b", True),
        ("x, a b ,y", "a b", True),
        ("a.c", "abc", False),
        ("(", "(", True),
        ("%", "a\nb", True),
        (r"a\\", "a\\", True),
        ("", "", False),
        (" ", " ", False),
    ],
)
def test_patterns(patterns: str, session_id: str, matches: bool) -> None:
    assert policy.matcher(patterns)(session_id) == matches


def test_defaults_are_those_that_the_options_document() -> None:
    assert policy.parse({}) == policy.parse({"session_dir": "/x"}) == Policy()
    documented = options.of_context("server")
    for field in fields(Policy):
        assert str(field.default) in documented[field.name].doc
    given = {field.name: str(field.default) for field in fields(Policy)}
    options.validate("server", {"session_dir": "/x", **given})
    assert policy.parse(given) == Policy()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setattr(native, "_backend", Backend())
    made = Folder(tmp_path)
    for session_id in ["etl", "etl_sub", "agile-finch-000001", "pg_client_x"]:
        made.write(session_id, "CREATE TABLE t (i INTEGER)")
    (made.sessions / "bad.duckdb").write_bytes(b"\0" * 20_000)
    return made


def test_the_listing_shows_names_and_choice(folder: Folder) -> None:
    rows = folder.rows(folder.listing_request("session_id", "is_named", "auto_attach"))
    assert sorted(rows) == [
        ("agile-finch-000001", False, True),
        ("bad", True, True),  # names and times alone decide; its state tells that it cannot be read
        ("etl", True, True),
        ("etl_sub", False, False),
        ("pg_client_x", False, False),
    ]
    folder.options = {"policy": "none"}
    assert {row[0] for row in folder.rows(folder.listing_request("auto_attach"))} == {False}


def test_a_choice_ranks_the_folder_whatever_the_query_looks_at(folder: Folder) -> None:
    folder.options = {"named_limit": "1", "unnamed_limit": "0", "exclude": "bad"}
    request = folder.listing_request("session_id", "auto_attach")
    assert sorted(folder.rows(request))[2] == ("etl", True)
    folder.write("newer", "CREATE TABLE t (i INTEGER)")
    assert ("etl", False) in folder.rows(request)


def test_only_what_attaches_is_looked_into(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def watch(file: SessionFile, place: int) -> Inspection:
        seen.append(file.session_id)
        return inspect(file, place)

    monkeypatch.setattr(session_rows, "inspect", watch)
    number = list(session_rows.COLUMNS).index("auto_attach") + 1
    condition = {"node": "column", "number": number, "name": "auto_attach", "type": "pg_catalog.bool"}
    request = folder.listing_request("session_id", "state", conditions=[condition])
    assert sorted(folder.rows(request)) == [
        ("agile-finch-000001", "ready"),
        ("bad", "corrupt"),
        ("etl", "ready"),
    ]
    assert sorted(seen) == ["agile-finch-000001", "bad", "etl"]


def test_the_folder_is_ranked_only_if_the_query_names_it(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_arguments: object) -> frozenset[str]:
        raise AssertionError

    monkeypatch.setattr(Policy, "_groups", forbidden)
    every = [name for name in session_rows.COLUMNS if name not in {"auto_attach", "over_limit"}]
    assert len(folder.rows(folder.listing_request(*every))) == 5
    for name in ("auto_attach", "over_limit"):
        with pytest.raises(AssertionError):
            folder.rows(folder.listing_request(name))


def test_twenty_thousand_files_are_ranked_fast(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for number in range(20_000):
        (folder.sessions / f"agile-cardinal-{number:06x}.duckdb").touch()
    files = list(SessionFolder(str(folder.sessions)).list())
    started = time.perf_counter()
    scan = scan_of(folder.listing_request("session_id", "is_named", "auto_attach"))
    asked = policy.parse(scan.server.options)
    files = [SessionFile(file.session_id, "", "", 99_999, 0, file.modified_ns) for file in files]
    assert len(asked.choose(files, time.time_ns())) == 10
    assert time.perf_counter() - started < 2.0
