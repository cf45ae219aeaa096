"""The SQL that database tools and dashboards send, in each tool's style, and what DuckDB does of it.

`WHOLE`: the query is one DuckDB query. `SCANS`: DuckDB filters, PostgreSQL does the rest. `COLUMNS`: DuckDB
gives columns alone.
"""

from __future__ import annotations

from dataclasses import dataclass

WHOLE, SCANS, COLUMNS, NOTHING = "whole", "scans", "columns", "nothing"


@dataclass(frozen=True)
class Shape:
    """A statement, what of it runs in DuckDB, and EXPLAIN's reason if that is not the whole of it."""

    sql: str
    pushed: str = WHOLE
    reason: str = ""
    any_rows: bool = False
    near: bool = False


SHAPES = {
    # scans, grids, probes
    "A1": Shape("SELECT x.* FROM sales x", COLUMNS),
    "A2": Shape("SELECT id, region, price FROM sales AS source LIMIT 1048575"),
    "A3": Shape("SELECT * FROM sales LIMIT 100", any_rows=True),
    "A4": Shape("SELECT * FROM sales ORDER BY id DESC LIMIT 200 OFFSET 400"),
    "A5": Shape("SELECT x.* FROM sales x WHERE x.region = 'EU' ORDER BY x.sold_at DESC"),
    "A6": Shape("SELECT * FROM sales ORDER BY price ASC NULLS FIRST, id DESC NULLS LAST LIMIT 50"),
    "A7": Shape("SELECT * FROM sales LIMIT 0", COLUMNS),
    "A8": Shape("SELECT * FROM sales WHERE 1 = 0", NOTHING),
    "A8b": Shape("SELECT * FROM sales WHERE false", NOTHING),
    "A9": Shape("SELECT true AS probe FROM sales WHERE 1 <> 1 LIMIT 0", NOTHING),
    # counts and value lists
    "B1": Shape("SELECT COUNT(*) FROM sales WHERE region = 'EU'"),
    "B1b": Shape("SELECT COUNT(*) FROM sales"),
    "B2": Shape("SELECT COUNT(1), COUNT(note), COUNT(DISTINCT region) FROM sales"),
    "B3": Shape("SELECT MIN(sold_at), MAX(sold_at), MIN(price), MAX(price) FROM sales"),
    "B4": Shape("SELECT COUNT(*) FROM (SELECT id, region FROM sales WHERE ok) q"),
    "B5": Shape("SELECT DISTINCT region FROM sales ORDER BY 1"),
    "B6": Shape(
        "SELECT region, count(*) FROM sales WHERE region ILIKE '%e%' GROUP BY region ORDER BY 2 DESC"
    ),
    "B7": Shape("SELECT region FROM sales GROUP BY region ORDER BY region ASC LIMIT 1000"),
    "B8": Shape("SELECT COUNT(id) AS id, region FROM sales GROUP BY region LIMIT 50"),
    # aggregates and grouping
    "C1": Shape(
        "SELECT region, SUM(price), AVG(price), MIN(qty), MAX(qty), SUM(1) FROM sales GROUP BY region"
    ),
    "C2": Shape(
        "SELECT STDDEV_POP(price), VAR_POP(price), PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY price)"
        " FROM sales",
        COLUMNS,
        "function stddev_pop(double precision) is not known to be the same in DuckDB",
        near=True,
    ),
    "C3": Shape(
        "SELECT SUM(CASE WHEN price > 5 THEN 1 ELSE 0.0 END)"
        " / NULLIF(CAST(COUNT(*) AS double precision), 0.0) FROM sales"
    ),
    "C4": Shape(
        "SELECT SUM(CASE WHEN ok = TRUE THEN 1 ELSE 0.0 END) FROM sales",
        COLUMNS,
        "the digits after the point of a numeric may not be the same in DuckDB",
    ),
    "C5": Shape("SELECT SUM(1), MIN(price), MAX(price) FROM sales HAVING COUNT(1) > 0"),
    "C6": Shape(
        "SELECT region, SUM(price) AS s, COUNT(*) FROM sales GROUP BY region ORDER BY s DESC LIMIT 10"
    ),
    "C7": Shape("SELECT region, qty, COUNT(*) FROM sales GROUP BY 1, 2 ORDER BY 1"),
    "C8": Shape(
        "SELECT lower(region), COUNT(*) FROM sales GROUP BY lower(region) ORDER BY lower(region) ASC"
    ),
    "C9": Shape(
        "SELECT CAST(region AS text), SUM(price) FROM sales GROUP BY 1 HAVING COUNT(1) > 0"
        " ORDER BY 1 ASC NULLS FIRST"
    ),
    "C10": Shape(
        "SELECT region, COUNT(*) AS n FROM sales GROUP BY region ORDER BY n DESC, region ASC LIMIT 10"
    ),
    "C11": Shape(
        "SELECT COUNT(DISTINCT region) + MAX(CASE WHEN region IS NULL THEN 1 ELSE 0 END) FROM sales"
    ),
    "C12": Shape("SELECT region, rank() OVER (ORDER BY SUM(price) DESC) FROM sales GROUP BY region LIMIT 10"),
    # time
    **{
        f"D1 {unit}": Shape(
            f"SELECT date_trunc('{unit}', sold_at), SUM(price) FROM sales"
            f" GROUP BY date_trunc('{unit}', sold_at) ORDER BY 1"
        )
        for unit in ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
    },
    "D2": Shape("SELECT date_trunc('month', CAST(sold_at AS timestamp)), COUNT(*) FROM sales GROUP BY 1"),
    "D3": Shape("SELECT CAST(sold_at AS date), COUNT(*) FROM sales GROUP BY CAST(sold_at AS date)"),
    **{
        f"D4 {unit}": Shape(f"SELECT EXTRACT({unit} FROM sold_at), COUNT(*) FROM sales GROUP BY 1")
        for unit in ("hour", "dow", "doy", "week", "month", "quarter", "year", "epoch")
    },
    "D5": Shape(
        "SELECT CAST(EXTRACT(hour FROM sold_at) AS integer), AVG(price) FROM sales GROUP BY 1 ORDER BY 1 ASC"
    ),
    "D6": Shape(
        "SELECT CAST(TRUNC(EXTRACT(year FROM sold_at)) AS integer), SUM(price) FROM sales GROUP BY 1"
    ),
    "D7": Shape(
        "SELECT date_trunc('week', sold_at + INTERVAL '1 day') + INTERVAL '-1 day', COUNT(*)"
        " FROM sales GROUP BY 1"
    ),
    "D8": Shape(
        "SELECT floor(EXTRACT(epoch FROM sold_at) / 300) * 300 AS time, region AS metric, AVG(price)"
        " FROM sales GROUP BY 1, 2 ORDER BY 1",
        COLUMNS,
        "operator numeric / numeric is not known to be the same in DuckDB",
    ),
    "D9": Shape(
        "SELECT sold_at, price FROM sales"
        " WHERE sold_at BETWEEN '2026-01-01T00:00:00Z' AND '2026-12-31T23:59:59Z' ORDER BY sold_at"
    ),
    "D10": Shape(
        "SELECT id FROM sales WHERE EXTRACT(epoch FROM sold_at) >= 1767225600"
        " AND EXTRACT(epoch FROM sold_at) <= 1798761600 LIMIT 5000"
    ),
    "D11": Shape(
        "SELECT COUNT(*) FROM sales WHERE sold_at >= date_trunc('day', now() + INTERVAL '-30 day')"
        " AND sold_at < date_trunc('day', now())"
    ),
    "D12": Shape(
        "SELECT COUNT(*) FROM sales"
        " WHERE sold_at >= to_timestamp('2026-01-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US')"
    ),
    "D13": Shape("SELECT to_timestamp(qty), COUNT(*) FROM sales GROUP BY to_timestamp(qty)"),
    "D14": Shape(
        "SELECT date_trunc('day', sold_at AT TIME ZONE 'Europe/Paris'), timezone('UTC', sold_at) FROM sales",
        COLUMNS,
    ),
    "D15": Shape(
        "SELECT age(shipped_at, sold_at) FROM sales",
        COLUMNS,
    ),
    "D16": Shape(
        "SELECT CAST(shipped_at AS date) -"
        " CAST(sold_at AS date),"
        " EXTRACT(epoch FROM shipped_at - sold_at) / 3600 FROM sales",
        COLUMNS,
    ),
    "D17": Shape(
        "SELECT EXTRACT(year FROM age(shipped_at, sold_at)) * 12"
        " + EXTRACT(month FROM age(shipped_at, sold_at)) FROM sales",
        COLUMNS,
    ),
    # text and predicates
    "E1": Shape(
        "SELECT id FROM sales WHERE lower(note) LIKE '%late%' AND (region <> 'x' OR region IS NULL)"
        " LIMIT 2000"
    ),
    "E2": Shape(
        "SELECT id FROM sales WHERE note ILIKE '%late%' AND note NOT LIKE '%test%' AND region = 'EU'",
        SCANS,
    ),
    "E3": Shape("SELECT id FROM sales WHERE region IN ('EU', 'US') AND note IS NOT NULL", SCANS),
    "E4": Shape(
        "SELECT substring(note FROM '[0-9]+'), split_part(note, '@', 2), length(note) FROM sales",
        COLUMNS,
    ),
    "E5": Shape("SELECT id FROM sales WHERE region IS DISTINCT FROM 'EU'", SCANS),
    "E5b": Shape("SELECT id FROM sales WHERE region IS NOT DISTINCT FROM 'EU'", SCANS),
    # bins, CASE, casts
    "F1": Shape(
        "SELECT floor(price / 10.0) * 10.0, COUNT(*) FROM sales"
        " GROUP BY floor(price / 10.0) * 10.0 ORDER BY 1"
    ),
    "F2": Shape(
        "SELECT CASE WHEN price > 10 THEN 'big' ELSE 'small' END AS size, COUNT(*) FROM sales GROUP BY 1"
    ),
    "F3": Shape(
        "SELECT CAST(id AS text), CAST(price AS integer), CAST(qty AS double precision),"
        " CAST(sold_at AS date),"
        " CAST(sold_at AS timestamp) FROM sales",
        COLUMNS,
    ),
    # wrapped queries
    "G1": Shape(
        "SELECT region, COUNT(DISTINCT id) AS n FROM (SELECT id, region, price FROM sales) AS virtual_table"
        " WHERE region ILIKE '%e%' GROUP BY region ORDER BY n DESC LIMIT 1000"
    ),
    "G2": Shape(
        "SELECT s.region, COUNT(*) FROM (SELECT region, CASE WHEN price > 10 THEN 'big' ELSE 'small' END"
        " AS size"
        " FROM sales) s WHERE s.size = 'big' GROUP BY s.region ORDER BY 2 DESC, 1 ASC LIMIT 10"
    ),
    "G3": Shape(
        "SELECT o.region AS c1, o.a0 FROM (SELECT r.region, SUM(r.price) AS a0 FROM (SELECT region, price"
        " FROM sales WHERE region = 'EU' AND region IS NOT NULL) r GROUP BY r.region) o"
        " WHERE NOT o.a0 IS NULL LIMIT 1000001"
    ),
    # joins and unions
    "H1": Shape(
        "SELECT a.region, COUNT(*) FROM sales a JOIN items b ON a.id = b.sale_id GROUP BY a.region"
        " ORDER BY 2 DESC LIMIT 10"
    ),
    "H2": Shape(
        "SELECT date_trunc('day', t.sold_at), t.region, COUNT(*) AS n FROM sales t JOIN (SELECT region AS k,"
        " COUNT(*) AS m FROM sales GROUP BY region ORDER BY m DESC LIMIT 10) top ON t.region = top.k"
        " GROUP BY 1, t.region ORDER BY n DESC LIMIT 50000"
    ),
    "H3": Shape(
        "SELECT t.region FROM sales t JOIN (SELECT region, SUM(price) AS a FROM sales GROUP BY 1"
        " ORDER BY 2 DESC NULLS LAST, 1 ASC NULLS FIRST LIMIT 10) u"
        " ON t.region IS NOT DISTINCT FROM u.region GROUP BY 1"
    ),
    "H4": Shape(
        "SELECT 's1' AS session, COUNT(*) FROM s1.sales UNION ALL SELECT 's2', COUNT(*) FROM s2.sales"
    ),
}
