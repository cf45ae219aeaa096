"""The functions that the host calls, on real session files."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from rvbbit_fdw import native
from rvbbit_fdw.backend import Backend
from rvbbit_fdw.engine import Engine
from rvbbit_fdw.errors import (
    ColumnNotFound,
    ColumnTypeChanged,
    Internal,
    Interrupted,
    NotPushable,
    OptionError,
    OptionMissing,
    RvbbitError,
    SessionNotFound,
    TableNotFound,
)
from tests.kit import arrow
from tests.kit.folder import Folder, column
from tests.kit.writers import RVBBIT_VERSION, writing

ID = column(1, "id", "int4", duckdb_type="INTEGER")
NAME = column(2, "name", "text", duckdb_type="VARCHAR")
SLOW = "CREATE VIEW slow AS SELECT max(hash(a.i, b.i)) AS s FROM range(1000000) a(i), range(100000) b(i)"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setattr(native, "_backend", Backend())
    made = Folder(tmp_path)
    made.write(
        "agile-cardinal-490cb1",
        "CREATE TABLE _output AS SELECT i::INTEGER AS id, 'n' || i AS name FROM range(3) r(i)",
    )
    return made


@pytest.fixture
def backend(folder: Folder) -> Backend:
    return native._backend


def test_a_scan_delivers_rows_and_decoders(folder: Folder) -> None:
    reply, result = folder.run(folder.request("agile-cardinal-490cb1", "_output", [ID, NAME]))
    assert reply["columns"] == [{"decoder": "int4"}, {"decoder": "text"}]
    assert reply["notices"] == []
    assert result.rows == [(0, "n0"), (1, "n1"), (2, "n2")]


def test_a_reply_says_of_snapshots_that_were_made(folder: Folder) -> None:
    requests = [folder.request("agile-cardinal-490cb1", "_output", [ID], pin=pin) for pin in (1, 2)]
    assert [folder.run(request)[0].get("copied") for request in requests] == [1, None]
    folder.write("agile-cardinal-490cb1", "INSERT INTO _output VALUES (9, 'n9')")
    again = folder.request("agile-cardinal-490cb1", "_output", [ID], pin=3)
    assert folder.run(again)[0]["copied"] == 1


def test_only_the_columns_asked_for_in_their_order(folder: Folder) -> None:
    request = folder.request("agile-cardinal-490cb1", "_output", [ID, NAME], wanted=[2])
    assert folder.rows(request) == [("n0",), ("n1",), ("n2",)]
    request = folder.request("agile-cardinal-490cb1", "_output", [ID, NAME], wanted=[2, 1])
    assert folder.rows(request)[0] == ("n0", 0)


def test_no_column_still_counts_rows(folder: Folder) -> None:
    reply, result = folder.run(folder.request("agile-cardinal-490cb1", "_output", [ID], wanted=[]))
    assert reply["columns"] == []
    assert len(result.rows) == 3


def test_the_preloaded_instance_is_used(folder: Folder) -> None:
    native.preload()
    assert len(folder.rows(folder.request("agile-cardinal-490cb1", "_output", [ID]))) == 3


def test_a_statement_keeps_its_snapshot_and_the_next_sees_the_new_state(folder: Folder) -> None:
    request = folder.request("agile-cardinal-490cb1", "_output", [ID], pin=5)
    native.open_scan(folder.next_task(), json.dumps(request))
    folder.write("agile-cardinal-490cb1", "INSERT INTO _output VALUES (3, 'n3')")
    _, stream = native.open_scan(folder.next_task(), json.dumps(request))
    assert len(arrow.read(stream).rows) == 3
    assert len(folder.rows(request | {"pin": 6})) == 4
    assert len(folder.rows(request)) == 3
    assert len(folder.rows(request | {"pin": 7})) == 4


def comparing(kind: str, number: int, name: str) -> dict[str, Any]:
    """The condition `column = $1`."""
    each: dict[str, Any] = {"type": f"pg_catalog.{kind}", "typmod": -1, "collation": None}
    column_ = each | {"node": "column", "number": number, "name": name}
    operator = f"pg_catalog.=(pg_catalog.{kind},pg_catalog.{kind})"
    arguments = [column_, each | {"node": "parameter", "index": 0}]
    call = {"node": "call", "kind": "operator", "name": operator, "arguments": arguments}
    return each | call | {"type": "pg_catalog.bool"}


def test_an_open_scan_runs_again_with_other_parameters(folder: Folder) -> None:
    request = folder.request("agile-cardinal-490cb1", "_output", [ID, NAME], wanted=[2], pin=6)
    request |= {"conditions": [comparing("int4", 1, "id")], "decided": 1, "parameters": ["1"]}
    task = folder.next_task()
    _, stream = native.open_scan(task, json.dumps(request))
    assert arrow.read(stream).rows == [("n1",)]
    folder.write("agile-cardinal-490cb1", "DELETE FROM _output")
    for parameters, rows in (('["2"]', [("n2",)]), ('["7"]', []), ("[null]", []), ('["0"]', [("n0",)])):
        assert arrow.read(native.open_again(task, parameters)).rows == rows
    native.interrupt(task)
    with pytest.raises(Interrupted):
        native.open_again(task, '["1"]')
    native.close_scan(task)


def test_a_scan_that_runs_again_refuses_what_duckdb_does_not_have(folder: Folder) -> None:
    folder.write("decimals", "CREATE TABLE t AS SELECT 1.5::DECIMAL(4, 1) AS v")
    columns = [column(1, "v", "numeric", typmod=(4 << 16 | 1) + 4, duckdb_type="DECIMAL(4,1)")]
    request = folder.request("decimals", "t", columns)
    request |= {"conditions": [comparing("numeric", 1, "v")], "decided": 1, "parameters": ["1.50"]}
    task = folder.next_task()
    native.open_scan(task, json.dumps(request))
    with pytest.raises(NotPushable):
        native.open_again(task, '["NaN"]')
    assert len(arrow.read(native.open_again(task, '["1.5"]')).rows) == 1
    native.close_scan(task)


def test_a_list_does_not_run_again(folder: Folder) -> None:
    task = folder.next_task()
    native.open_scan(task, json.dumps(folder.listing_request("session_id")))
    with pytest.raises(Internal):
        native.open_again(task, "[]")
    native.close_scan(task)


def test_an_open_stream_survives_the_release_of_its_pin(folder: Folder) -> None:
    folder.write("big", "CREATE TABLE t AS SELECT i::INTEGER AS id FROM range(500000) r(i)")
    _, stream = native.open_scan(900, json.dumps(folder.request("big", "t", [ID], pin=8)))
    folder.call("release_pin", {"pin": 8})
    folder.write("big", "DELETE FROM t")
    assert folder.rows(folder.request("big", "t", [ID], pin=9)) == []
    assert len(arrow.read(stream).rows) == 500000
    native.close_scan(900)


def test_the_cleanup_names_this_process_own_directory(folder: Folder) -> None:
    reply, _ = folder.run(folder.request("agile-cardinal-490cb1", "_output", [ID]))
    (workplace,) = reply["cleanup"]
    assert Path(workplace).is_relative_to(folder.store)
    assert list(Path(workplace).iterdir()) == []


def test_replies_have_no_escapes(folder: Folder) -> None:
    folder.write("é", "CREATE TABLE ü (日本 INTEGER)")
    names = {"remote_schema": "é", "local_schema": "debug"}
    reply = native.call(folder.next_task(), "import_schema", json.dumps(folder.server() | names))
    assert "\\u" not in reply
    assert "日本" in reply
    copied = folder.store.rename(folder.root / "lager-ß")
    request = folder.request("é", "ü", [column(1, "日本", "int4")])
    request["server"]["options"]["snapshot_dir"] = str(copied)
    task = folder.next_task()
    reply, _ = native.open_scan(task, json.dumps(request))
    native.close_scan(task)
    assert "lager-ß" in reply


def test_an_error_in_a_view_names_it(folder: Folder) -> None:
    folder.write(
        "v",
        "CREATE TABLE t AS SELECT if(i = 500000, 'abc', '1') AS k, i FROM range(600000) r(i)",
        "CREATE VIEW bound AS SELECT i FROM t",
        "CREATE VIEW run AS SELECT k::INTEGER AS i FROM t",
        "ALTER TABLE t RENAME COLUMN i TO j",
    )
    with pytest.raises(RvbbitError) as caught:
        folder.rows(folder.request("v", "bound", [column(1, "i", "int4")]))
    assert caught.value.message.startswith('could not read view "bound" of session "v": ')
    assert caught.value.detail is None
    task = folder.next_task()
    _, stream = native.open_scan(task, json.dumps(folder.request("v", "run", [column(1, "i", "int4")])))
    with pytest.raises(Exception, match="abc") as failed:
        arrow.read(stream)
    state, message, detail, _, _ = native.describe_text(task, str(failed.value))
    assert state == "22P02"
    assert message.startswith('could not read view "run" of session "v": could not convert string')
    assert detail is None
    native.close_scan(task)


def test_a_vanished_session(folder: Folder) -> None:
    (folder.sessions / "agile-cardinal-490cb1.duckdb").unlink()
    with pytest.raises(SessionNotFound) as caught:
        folder.rows(folder.request("agile-cardinal-490cb1", "_output", [ID]))
    assert "agile-cardinal-490cb1" in caught.value.message
    assert caught.value.detail is not None
    assert '"debug"."_output"' in caught.value.detail
    assert caught.value.hint == "Drop the foreign tables of this session, or bring its file back."
    folder.write("agile-cardinal-490cb2")
    with pytest.raises(SessionNotFound) as caught:
        folder.rows(folder.request("agile-cardinal-490cb1", "_output", [ID]))
    assert caught.value.hint == (
        'Did you mean "agile-cardinal-490cb2"? '
        "Drop the foreign tables of this session, or bring its file back."
    )


def test_a_dropped_table(folder: Folder) -> None:
    request = folder.request("agile-cardinal-490cb1", "gone", [ID])
    with pytest.raises(TableNotFound, match='has no table "gone"') as caught:
        folder.rows(request)
    assert caught.value.hint
    assert "IMPORT FOREIGN SCHEMA" in caught.value.hint


def test_a_dropped_and_a_retyped_column(folder: Folder) -> None:
    folder.write("agile-cardinal-490cb1", "ALTER TABLE _output ALTER id TYPE BIGINT")
    with pytest.raises(ColumnTypeChanged) as caught:
        folder.rows(folder.request("agile-cardinal-490cb1", "_output", [ID]))
    assert caught.value.detail == "It was INTEGER at import and is BIGINT now."
    folder.write("agile-cardinal-490cb1", "ALTER TABLE _output DROP name")
    with pytest.raises(ColumnNotFound, match='no column "name"'):
        folder.rows(folder.request("agile-cardinal-490cb1", "_output", [NAME]))


def test_an_enum_may_get_other_members(folder: Folder) -> None:
    folder.write("e", "CREATE TYPE m AS ENUM ('a', 'b')", "CREATE TABLE t AS SELECT 'b'::m AS c")
    request = folder.request("e", "t", [column(1, "c", "text", duckdb_type="ENUM")])
    assert folder.rows(request) == [("b",)]


def test_columns_by_hand_are_widened_or_go_through_text(folder: Folder) -> None:
    by_hand = [column(1, "ID", "int8"), column(2, "other", "varchar", typmod=14, column_name="NAME")]
    reply, result = folder.run(folder.request("agile-cardinal-490cb1", "_OUTPUT", by_hand))
    assert reply["columns"] == [{"decoder": "int8"}, {"decoder": "input"}]
    assert result.rows[0] == (0, "n0")


def test_one_bad_session_leaves_the_others_usable(folder: Folder) -> None:
    (folder.sessions / "bad.duckdb").write_bytes(b"x" * 20000)
    with pytest.raises(Exception, match="bad") as caught:
        folder.rows(folder.request("bad", "t", [ID]))
    assert str(folder.root) not in " ".join(str(part) for part in native.describe(caught.value))
    assert len(folder.rows(folder.request("agile-cardinal-490cb1", "_output", [ID]))) == 3


def test_a_table_without_session_option(folder: Folder) -> None:
    request = folder.request("x", "t", [ID])
    del request["table"]["options"]["session"]
    with pytest.raises(OptionMissing):
        folder.rows(request)


def test_explain_opens_no_session(folder: Folder) -> None:
    request = folder.request("nowhere", "t", [ID, column(2, "e", "text", duckdb_type="ENUM")])
    del request["pin"]
    assert folder.call("explain_scan", request)["lines"] == [
        ["Session", "nowhere"],
        ["DuckDB SQL", 'SELECT "id", CAST("e" AS VARCHAR) FROM "nowhere"."main"."t"'],
        ["Snapshot", "none yet"],
    ]
    assert not folder.store.exists()


def test_explain_of_the_listing(folder: Folder) -> None:
    argument = {"node": "constant", "type": "pg_catalog.text", "value": "x"}
    name = "pg_catalog.=(pg_catalog.text,pg_catalog.text)"
    col = {"node": "column", "number": 1, "name": "session_id", "type": "pg_catalog.text"}
    condition = {
        "node": "call",
        "kind": "operator",
        "name": name,
        "type": "pg_catalog.bool",
        "arguments": [col, argument],
    }
    request = folder.listing_request("session_id", "state", conditions=[condition])
    assert folder.call("explain_scan", request)["lines"] == [
        ["Catalog", "sessions"],
        ["Pruned by", "session_id"],
        ["Reads", "headers"],
    ]


def test_options_and_their_validation(folder: Folder) -> None:
    known = folder.call("options", {})
    assert known["server"]["session_dir"] == {"privileged": True, "checked": True, "text": False}
    assert known["column"]["column_name"] == {"privileged": False, "checked": False, "text": True}
    assert known["user_mapping"] == known["wrapper"] == {}
    folder.call("validate_options", {"context": "server", "options": {"session_dir": "/x"}})
    with pytest.raises(OptionError, match="sesion_dir"):
        folder.call("validate_options", {"context": "server", "options": {"sesion_dir": "/x"}})


def test_unknown_operation_and_version(folder: Folder) -> None:
    with pytest.raises(Internal, match="unknown operation"):
        folder.call("dance", {})
    with pytest.raises(Internal, match="protocol version 2"):
        folder.call("options", {"version": 2})


def test_unknown_tasks_and_pins_are_nothing(folder: Folder) -> None:
    native.close_scan(10**6)
    native.interrupt(10**6)
    folder.call("release_pin", {"pin": 10**6})


def test_interrupt_stops_a_stream(folder: Folder) -> None:
    folder.write("s", SLOW)
    request = folder.request("s", "slow", [column(1, "s", "numeric")], pin=11)
    stopped, took = interrupted(folder, request)
    assert native.describe(stopped)[0] == "57014" or native.describe_text(1, str(stopped))[0] == "57014"
    assert took < 1.0
    assert len(folder.rows(folder.request("agile-cardinal-490cb1", "_output", [ID], pin=12))) == 3


def interrupted(folder: Folder, request: dict[str, object]) -> tuple[BaseException, float]:
    """Run a request and interrupt it again and again after 0.2 s; the error and the seconds from then on."""
    task, done, asked = folder.next_task(), threading.Event(), [0.0]

    def ask() -> None:
        time.sleep(0.2)
        asked[0] = time.monotonic()
        while not done.wait(0.005):
            native.interrupt(task)

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        with pytest.raises(Exception, match=r"(?i)interrupt|cancel") as caught:
            arrow.read(native.open_scan(task, json.dumps(request))[1])
        return caught.value, time.monotonic() - asked[0]
    finally:
        done.set()
        asker.join()
        native.close_scan(task)


def test_an_interrupted_task_leaves_no_pin(
    folder: Folder, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    attach = Engine._attach_file

    def attach_and_stop(*arguments: object) -> None:
        attach(*arguments)  # type: ignore[arg-type]
        native.interrupt(77)

    monkeypatch.setattr(Engine, "_attach_file", attach_and_stop)
    request = folder.request("agile-cardinal-490cb1", "_output", [ID], pin=13)
    with pytest.raises(Interrupted):
        native.open_scan(77, json.dumps(request))
    (engine,) = backend._engines.values()
    assert engine._pins == {}
    monkeypatch.setattr(Engine, "_attach_file", attach)
    folder.write("agile-cardinal-490cb1", "INSERT INTO _output VALUES (3, 'n3')")
    assert len(folder.rows(request)) == 4
    assert len(engine.attached_aliases()) == 1


def test_describe_never_shows_a_traceback() -> None:
    class BrokenError(Exception):
        def __str__(self) -> str:
            raise ValueError("inner")

    assert native.describe(BrokenError()) == ("XX000", "internal error of rvbbit_fdw", None, None, None)
    sqlstate, message, *_ = native.describe(ZeroDivisionError("oops"))
    assert sqlstate == "XX000"
    assert "Traceback" not in message
    assert native.describe_text(1, "INTERRUPT Error: Interrupted!")[0] == "57014"


def test_a_session_that_a_writer_holds_open(folder: Folder) -> None:
    with writing(folder.sessions / "live-one.duckdb") as writer:
        writer.run("CREATE TABLE _extract_data AS SELECT 1::INTEGER AS id, NULL::JSON AS j, 2::UBIGINT AS u")
        writer.run("CREATE VIEW v AS SELECT id FROM _extract_data")
        commands = folder.import_schema("live-one")["commands"]
        assert [command.split('"')[3] for command in commands] == ["_extract_data", "v"]
        assert '"j" jsonb' in commands[0]
        request = folder.request("live-one", "v", [ID])
        assert folder.rows(request) == [(1,)]
        writer.run("INSERT INTO _extract_data VALUES (2, '{}', 3)")
        assert folder.rows(request) == [(1,), (2,)]
        listed = folder.rows(folder.listing_request("session_id", "state", "duckdb_version", "table_count"))
        assert ("live-one", "live", f"v{RVBBIT_VERSION}", 2) in listed
