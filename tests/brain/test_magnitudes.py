"""How large numbers are, by DuckDB's statistics, is never less than what the table holds."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pytest

from rvbbit_fdw import catalog
from rvbbit_fdw.magnitudes import largest

VALUES: dict[str, tuple[str, Sequence[str], int | None]] = {
    "zero": ("DECIMAL(9,2)", ["0"], 0),
    "one unit": ("DECIMAL(9,2)", ["0.01"], 1),
    "one digit before the point": ("DECIMAL(9,2)", ["1"], 127),
    "one below a power of 2": ("DECIMAL(9,2)", ["1.27"], 127),
    "a power of 2": ("DECIMAL(9,2)", ["1.28"], 255),
    "the least counts too": ("DECIMAL(9,2)", ["-1234567.89", "1"], 2**27 - 1),
    "nulls beside it": ("DECIMAL(9,2)", ["NULL", "0.12", "NULL"], 15),
    "the largest of 64 bits": ("DECIMAL(18,0)", ["999999999999999999"], 2**60 - 1),
    "no digit before the point": ("DECIMAL(4,4)", ["0.9999"], 2**14 - 1),
    "written with an exponent": ("DECIMAL(38,30)", ["0.000000000000000000000000000003"], 3),
    "128 bits": ("DECIMAL(38,1)", ["-1234567890123456789012345678901234567.8"], 2**124 - 1),
    "an integer": ("INTEGER", ["-5"], 7),
    "the least integer": ("INTEGER", ["-2147483648"], 2**32 - 1),
    "the largest integer": ("INTEGER", ["2147483647"], 2**31 - 1),
    "of 8 bits": ("TINYINT", ["-128"], 255),
    "without sign": ("UBIGINT", ["18446744073709551615"], 2**64 - 1),
    "the least of 128 bits": ("HUGEINT", [str(-(2**127))], 2**128 - 1),
    "nothing but nulls": ("DECIMAL(9,2)", ["NULL"], None),
    "no row": ("DECIMAL(9,2)", [], None),
    "no exact number": ("DOUBLE", ["12"], None),
    "a truth value": ("BOOLEAN", ["true"], None),
    "decimals in a list": ("DECIMAL(9,2)[]", ["[12]"], None),
}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("changed", [False, True], ids=["inserted", "changed later"])
def test_the_largest_is_known(name: str, *, changed: bool) -> None:
    kind, values, most = VALUES[name]
    with duckdb.connect() as db:
        db.execute(f'CREATE TABLE "a ""table" ("a ""column" {kind}, other INTEGER)')
        for value in values:
            db.execute(f'INSERT INTO "a ""table" VALUES ({"NULL" if changed else value}, 1)')
            if changed:
                db.execute(f'UPDATE "a ""table" SET "a ""column" = {value}')
        relation = catalog.read(db, "memory").in_schema("main")[0]
        known = largest(db, "memory", relation, ["other", 'a "column']).get('a "column')
    if changed and most is not None:
        assert known is not None
        assert known >= most
    else:
        assert known == most


def test_many_columns_are_asked_for_in_part() -> None:
    with duckdb.connect() as db:
        db.execute(f"CREATE TABLE t ({', '.join(f'c{n} DECIMAL(9,2)' for n in range(200))})")
        db.execute(f"INSERT INTO t VALUES ({', '.join('12' for _ in range(200))})")
        relation = catalog.read(db, "memory").in_schema("main")[0]
        found = largest(db, "memory", relation, [f"c{n}" for n in range(200)])
    assert set(found.values()) == {2047}
    assert "c0" in found
    assert "c199" not in found


@pytest.mark.parametrize(
    "made",
    [
        "CREATE VIEW v AS SELECT CAST(1 AS DECIMAL(9,2)) AS a",
        "CREATE TABLE v (b DECIMAL(9,2), a DECIMAL(9,2) GENERATED ALWAYS AS (b * 2))",
    ],
    ids=["a view", "a generated column"],
)
def test_what_is_computed_is_not_known(made: str) -> None:
    with duckdb.connect() as db:
        db.execute(made)
        relation = catalog.read(db, "memory").in_schema("main")[0]
        assert largest(db, "memory", relation, ["a"]) == {}


def test_a_table_that_is_gone_is_no_error() -> None:
    with duckdb.connect() as db:
        db.execute("CREATE TABLE t (a DECIMAL(9,2))")
        relation = catalog.read(db, "memory").in_schema("main")[0]
        db.execute("DROP TABLE t")
        assert largest(db, "memory", relation, ["a"]) == {}
