"""pgJDBC in each of its query modes: metadata, values, portions, a page by maxRows, mishaps."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

import pytest

from tests.clients.served import ORDERS, SESSION, Matrix
from tests.clients.values import COLUMNS, FAILS_AT, NAMES, STREAMED, TYPES
from tests.long.clients.box import Box, address

pytestmark = pytest.mark.server

MODES = ("simple", "extended", "extendedForPrepared", "extendedCacheEverything")
Facts = dict[str, list[list[str]]]

JAR = "/usr/share/java/postgresql.jar"
TABLES = ("_endless", "_fails_late", "_stream", "_types")

# Types of java.sql.Types, the driver's name for each, the class of a value.
JAVA = {
    "boolean": (-7, "bool", "java.lang.Boolean"),
    "smallint": (5, "int2", "java.lang.Integer"),
    "integer": (4, "int4", "java.lang.Integer"),
    "bigint": (-5, "int8", "java.lang.Long"),
    "numeric": (2, "numeric", "java.math.BigDecimal"),
    "numeric(12,2)": (2, "numeric", "java.math.BigDecimal"),
    "real": (7, "float4", "java.lang.Float"),
    "double precision": (8, "float8", "java.lang.Double"),
    "text": (12, "text", "java.lang.String"),
    "bytea": (-2, "bytea", "[B"),
    "uuid": (1111, "uuid", "java.util.UUID"),
    "date": (91, "date", "java.sql.Date"),
    "time without time zone": (92, "time", "java.sql.Time"),
    "time with time zone": (92, "timetz", "java.sql.Time"),
    "interval": (1111, "interval", "org.postgresql.util.PGInterval"),
    "timestamp without time zone": (93, "timestamp", "java.sql.Timestamp"),
    "timestamp with time zone": (93, "timestamptz", "java.sql.Timestamp"),
    "integer[]": (2003, "_int4", "org.postgresql.jdbc.PgArray"),
    "text[]": (2003, "_text", "org.postgresql.jdbc.PgArray"),
    "jsonb": (1111, "jsonb", "org.postgresql.util.PGobject"),
}

# Texts of the first row by getString, where they are not the value's own.
TEXTS = {
    "flag": "t",
    "bytes": "00ff6162",
    "double": "0.1",
    "span": "3 days 04:05:06.7",
    "numbers": "[1, null, 3]",
    "names": "[a, b,c, null, ]",
    "record": '{"a": 1, "b": ["x"]}',
    "document": '{"n": 1.50, "deep": [null, true]}',
    "zoned_clock": "08:30+02:00",
    "moment": "2026-03-29 02:30:00.000001",
    "instant": "2026-03-29 02:30:00.5+00",
}


@pytest.fixture(params=MODES)
def facts(request: pytest.FixtureRequest, matrix: Matrix, box: Box) -> Facts:
    """What the program in Java found, by section."""
    return found(matrix, box, request.param)


@cache
def found(matrix: Matrix, box: Box, mode: str) -> Facts:
    """One run of the program."""
    url = (
        f"jdbc:postgresql://{address(matrix)}:5432/rvbbit?user=rvbbit&password=rvbbit&preferQueryMode={mode}"
    )
    output = box.run(
        "java",
        "-Duser.timezone=UTC",
        "-Dstdout.encoding=UTF-8",
        "-cp",
        JAR,
        "/clients/Jdbc.java",
        url,
        SESSION,
    )
    sections: Facts = defaultdict(list)
    for line in output.splitlines():
        section, *fields = line.split("\t")
        sections[section].append([unescaped(field) for field in fields])
    return sections


def unescaped(field: str) -> str:
    """A field as it was before the program wrote it into a line."""
    return field.replace("\\\\", "\0").replace("\\t", "\t").replace("\\n", "\n").replace("\0", "\\")


def test_schemas_and_tables(facts: Facts, matrix: Matrix) -> None:
    assert [ORDERS] in facts["schema"]
    assert [SESSION] in facts["schema"]
    everything = facts["tables of any type"][1:]
    assert sorted(row[:2] for row in everything) == [[name, matrix.shown.jdbc_type] for name in TABLES]
    assert "one column of each kind" in {row[0]: row[2] for row in everything}["_types"]
    kinds = {"foreign": "FOREIGN TABLE", "partitioned": "PARTITIONED TABLE"}
    for section, kind in kinds.items():
        assert len(facts[section][1:]) == (4 if kind == matrix.shown.jdbc_type else 0)
    assert facts["tables and views"][1:] == []


def test_columns(facts: Facts) -> None:
    assert [row[0] for row in facts["column"]] == NAMES
    assert [(int(row[1]), row[2]) for row in facts["column"]] == [JAVA[kind][:2] for kind in TYPES]
    shown = {row[0]: row for row in facts["column"]}
    assert shown["money"][3:] == ["12", "2", "YES", "in euros"]
    assert facts["keys"] == [["0", "0", "0", "0"]]


@pytest.mark.parametrize("time", [1, 7])
def test_values(facts: Facts, time: int) -> None:
    """At the first run as texts, at the seventh in binary form as far as the mode does that."""
    rows = facts[f"value {time}"]
    assert [row[1] for row in rows] == NAMES * 3
    first, second, third = (rows[n * len(NAMES) : (n + 1) * len(NAMES)] for n in range(3))
    assert [row[2:4] for row in first] == [list(JAVA[kind][1:]) for kind in TYPES]
    assert [row[2:4] for row in second] == [list(JAVA[kind][1:]) for kind in TYPES]
    texts = {row[1]: row[4] for row in first}
    expected = {column.name: TEXTS.get(column.name, str(column.values[0])) for column in COLUMNS}
    assert texts == {"id": "1", **expected}
    assert {row[1]: row[4] for row in second}["huge"] == str(2**127 - 1)
    assert [row[3:] for row in third[1:]] == [["", "null"]] * len(COLUMNS)


def test_parameters_of_a_prepared_statement(facts: Facts) -> None:
    """The same answers before and after the statement becomes a named one with a generic plan."""
    counts = [int(row[1]) for row in facts["parameters"]]
    assert counts == [count_of(90 + time, "north" if time % 2 == 0 else "south") for time in range(1, 13)]


def count_of(price: float, region: str) -> int:
    """How many rows of _stream before 2026-01-05 are of this price at least."""
    number = {"north": 0, "south": 1}[region]
    return sum(1 for n in range(4 * 86400) if n % 3 == number and n % 10 > 0 and (n % 400) / 4 >= price)


def test_two_cursors_in_portions(facts: Facts) -> None:
    read = 20_000
    assert facts["portions"] == [[str(read), str(sum(range(read)) * 2 - read * (STREAMED - 1))]]


def test_a_page_of_200_rows_reads_no_more(facts: Facts, request: pytest.FixtureRequest) -> None:
    """By maxRows without a transaction, and by the fetch size within one.

    The simple protocol has neither: there the driver takes all rows, in the mode "extendedForPrepared" too
    for a statement that is not prepared.
    """
    pages = {row[0]: row for row in facts["page"]}
    simple = request.node.callspec.params["facts"] in ("simple", "extendedForPrepared")
    for in_transaction in ("false", "true"):
        _, rows, more, delivered = pages[in_transaction]
        assert int(rows) == 200
        assert (more == "true") == (simple or in_transaction == "true")
        if simple:
            assert int(delivered) == STREAMED
        else:
            assert 200 <= int(delivered) <= STREAMED / 10


def test_mishaps_leave_the_connection_usable(facts: Facts) -> None:
    assert facts["query timeout"][0][0] == facts["cancel"][0][0] == "57014"
    assert facts["write"][0][0] == "42501"
    state, read, message = facts["late error"][0]
    assert state == "22021"
    assert 0 <= int(read) <= FAILS_AT
    assert 'column "note"' in message
    for section in ("query timeout", "cancel", "late error"):
        assert facts[f"after {section}"] == [["3"]]
