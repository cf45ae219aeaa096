"""How large decimals are, by DuckDB's statistics, is never less than what the table holds."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pytest

from rvbbit_fdw import catalog
from rvbbit_fdw.magnitudes import whole_digits

VALUES: dict[str, tuple[str, Sequence[str], int | None]] = {
    "zero": ("DECIMAL(9,2)", ["0"], 0),
    "below one": ("DECIMAL(9,2)", ["0.99", "-0.01"], 0),
    "one": ("DECIMAL(9,2)", ["1"], 1),
    "nearly ten": ("DECIMAL(9,2)", ["9.99"], 1),
    "ten": ("DECIMAL(9,2)", ["10"], 2),
    "the least counts too": ("DECIMAL(9,2)", ["-1234567.89", "1"], 7),
    "nulls beside it": ("DECIMAL(9,2)", ["NULL", "12", "NULL"], 2),
    "as many as there may be": ("DECIMAL(18,0)", ["999999999999999999"], 18),
    "no digit before the point": ("DECIMAL(4,4)", ["0.9999"], 0),
    "128 bits": ("DECIMAL(38,1)", ["-1234567890123456789012345678901234567"], 37),
    "nothing but nulls": ("DECIMAL(9,2)", ["NULL"], None),
    "no row": ("DECIMAL(9,2)", [], None),
    "no decimal": ("DOUBLE", ["12"], None),
    "decimals in a list": ("DECIMAL(9,2)[]", ["[12]"], None),
}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("changed", [False, True], ids=["inserted", "changed later"])
def test_digits_before_the_point(name: str, *, changed: bool) -> None:
    kind, values, digits = VALUES[name]
    with duckdb.connect() as db:
        db.execute(f'CREATE TABLE "a ""table" ("a ""column" {kind}, other INTEGER)')
        for value in values:
            db.execute(f'INSERT INTO "a ""table" VALUES ({"NULL" if changed else value}, 1)')
            if changed:
                db.execute(f'UPDATE "a ""table" SET "a ""column" = {value}')
        relation = catalog.read(db, "memory").in_schema("main")[0]
        known = whole_digits(db, "memory", relation).get('a "column')
    if changed and digits is not None:
        assert known is not None
        assert known >= digits
    else:
        assert known == digits


def test_many_columns_are_asked_for_in_part() -> None:
    with duckdb.connect() as db:
        db.execute(f"CREATE TABLE t ({', '.join(f'c{n} DECIMAL(9,2)' for n in range(200))})")
        db.execute(f"INSERT INTO t VALUES ({', '.join('12' for _ in range(200))})")
        found = whole_digits(db, "memory", catalog.read(db, "memory").in_schema("main")[0])
    assert set(found.values()) == {2}
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
        assert whole_digits(db, "memory", relation) == {}


def test_a_table_that_is_gone_is_no_error() -> None:
    with duckdb.connect() as db:
        db.execute("CREATE TABLE t (a DECIMAL(9,2))")
        relation = catalog.read(db, "memory").in_schema("main")[0]
        db.execute("DROP TABLE t")
        assert whole_digits(db, "memory", relation) == {}
