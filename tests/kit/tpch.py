"""Tables of the shape of TPC-H (https://www.tpc.org/tpch/) with made-up values, and its 22 queries.

The values are not those of the benchmark's own generator; they are such that every query finds something.
"""

from __future__ import annotations

TABLES = ("region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem")

_RANDOM = "CREATE TEMP MACRO r(x, salt, n) AS (hash(x, salt) % n)::BIGINT"
_NATIONS = (
    "ALGERIA ARGENTINA BRAZIL CANADA EGYPT ETHIOPIA FRANCE GERMANY INDIA INDONESIA IRAN IRAQ JAPAN JORDAN"
    " KENYA MOROCCO MOZAMBIQUE PERU CHINA ROMANIA SAUDI_ARABIA VIETNAM RUSSIA UNITED_KINGDOM UNITED_STATES"
)
_REGIONS = "AFRICA AMERICA ASIA EUROPE MIDDLE_EAST"
_PLACES = (0, 1, 1, 1, 4, 0, 3, 3, 2, 2, 4, 4, 2, 4, 0, 0, 0, 1, 2, 3, 4, 2, 3, 3, 1)
_COLOURS = (
    "almond antique aquamarine azure forest ghost green honeydew lemon lime maroon navy orchid red rose"
)


def _words(texts: str, x: str, salt: int) -> str:
    """One of these words."""
    words = texts.split()
    listed = ", ".join(f"'{word.replace('_', ' ')}'" for word in words)
    return f"[{listed}][1 + r({x}, {salt}, {len(words)})]"


def statements(scale: float) -> list[str]:
    """DuckDB statements that make the tables; scale 1 has six million line items."""
    suppliers, customers, parts, orders = (int(n * scale) for n in (10_000, 150_000, 200_000, 1_500_000))
    return [
        _RANDOM,
        _named("region", _REGIONS, "r_regionkey", "r_name", "'made up' AS r_comment"),
        _named(
            "nation",
            _NATIONS,
            "n_nationkey",
            "n_name",
            f"{list(_PLACES)}[i]::INTEGER AS n_regionkey",
            "'' AS n_comment",
        ),
        f"""CREATE TABLE supplier AS SELECT k::INTEGER AS s_suppkey,
            'Supplier#' || lpad(k::VARCHAR, 9, '0') AS s_name,
            'street ' || r(k, 1, 999) AS s_address, r(k, 2, 25)::INTEGER AS s_nationkey,
            (10 + r(k, 2, 25)) || '-555-' || r(k, 3, 1000) AS s_phone,
            (r(k, 4, 1100000) / 100 - 1000)::DECIMAL(15, 2) AS s_acctbal,
            CASE WHEN r(k, 5, 20) = 0 THEN 'a Customer with Complaints' ELSE 'quiet' END AS s_comment
            FROM range(1, {suppliers + 1}) AS t (k)""",
        f"""CREATE TABLE customer AS SELECT k::INTEGER AS c_custkey,
            'Customer#' || lpad(k::VARCHAR, 9, '0') AS c_name,
            'road ' || r(k, 11, 999) AS c_address, r(k, 12, 25)::INTEGER AS c_nationkey,
            (10 + r(k, 12, 25)) || '-555-' || r(k, 13, 1000) AS c_phone,
            (r(k, 14, 1100000) / 100 - 1000)::DECIMAL(15, 2) AS c_acctbal,
            {_words("AUTOMOBILE BUILDING FURNITURE MACHINERY HOUSEHOLD", "k", 15)} AS c_mktsegment,
            'x' AS c_comment
            FROM range(1, {customers + 1}) AS t (k)""",
        f"""CREATE TABLE part AS SELECT k::INTEGER AS p_partkey,
            {_words(_COLOURS, "k", 21)} || ' ' || {_words(_COLOURS, "k", 22)} AS p_name,
            'Manufacturer#' || (1 + r(k, 23, 5)) AS p_mfgr,
            'Brand#' || (1 + r(k, 23, 5)) || (1 + r(k, 24, 5)) AS p_brand,
            {_words("STANDARD SMALL MEDIUM LARGE ECONOMY PROMO", "k", 25)} || ' '
            || {_words("ANODIZED BURNISHED PLATED POLISHED BRUSHED", "k", 26)} || ' '
            || {_words("TIN NICKEL BRASS STEEL COPPER", "k", 27)} AS p_type,
            (1 + r(k, 28, 50))::INTEGER AS p_size,
            {_words("SM LG MED JUMBO WRAP", "k", 29)} || ' ' || {_words("CASE BOX BAG PACK DRUM", "k", 30)}
            AS p_container,
            (900 + k % 1000 + r(k, 31, 100) / 100)::DECIMAL(15, 2) AS p_retailprice, 'y' AS p_comment
            FROM range(1, {parts + 1}) AS t (k)""",
        f"""CREATE TABLE partsupp AS SELECT k::INTEGER AS ps_partkey,
            (1 + (k + i * {suppliers // 4 + 1}) % {suppliers})::INTEGER AS ps_suppkey,
            (1 + r(k * 4 + i, 41, 9999))::INTEGER AS ps_availqty,
            (1 + r(k * 4 + i, 42, 99900) / 100)::DECIMAL(15, 2) AS ps_supplycost, 'z' AS ps_comment
            FROM range(1, {parts + 1}) AS t (k), range(4) AS u (i)""",
        f"""CREATE TABLE orders AS SELECT k::INTEGER AS o_orderkey,
            (1 + r(k, 51, {customers}) // 3 * 3)::INTEGER AS o_custkey,
            {_words("F O P", "k", 52)} AS o_orderstatus,
            (1000 + r(k, 53, 40000000) / 100)::DECIMAL(15, 2) AS o_totalprice,
            DATE '1992-01-01' + r(k, 54, 2406)::INTEGER AS o_orderdate,
            {_words("1-URGENT 2-HIGH 3-MEDIUM 4-LOW 5-NONE", "k", 55)} AS o_orderpriority,
            'Clerk#' || r(k, 56, 1000) AS o_clerk, 0 AS o_shippriority,
            CASE WHEN r(k, 57, 50) = 0 THEN 'some special packages requests' ELSE 'plain' END AS o_comment
            FROM range(1, {orders + 1}) AS t (k)""",
        f"""CREATE TABLE lineitem AS SELECT o_orderkey AS l_orderkey,
            (1 + r(x, 61, {parts}))::INTEGER AS l_partkey,
            (1 + (1 + r(x, 61, {parts}) + r(x, 62, 4) * {suppliers // 4 + 1}) % {suppliers})::INTEGER
            AS l_suppkey,
            i::INTEGER AS l_linenumber, (1 + r(x, 63, 50))::DECIMAL(15, 2) AS l_quantity,
            ((1 + r(x, 63, 50)) * (900 + r(x, 64, 100000) / 100))::DECIMAL(15, 2) AS l_extendedprice,
            (r(x, 65, 11) / 100)::DECIMAL(15, 2) AS l_discount, (r(x, 66, 9) / 100)::DECIMAL(15, 2) AS l_tax,
            {_words("R A N", "x", 67)} AS l_returnflag, {_words("O F", "x", 68)} AS l_linestatus,
            o_orderdate + (1 + r(x, 69, 121))::INTEGER AS l_shipdate,
            o_orderdate + (30 + r(x, 70, 61))::INTEGER AS l_commitdate,
            o_orderdate + (2 + r(x, 69, 121) + r(x, 71, 30))::INTEGER AS l_receiptdate,
            {_words("DELIVER_IN_PERSON COLLECT_COD NONE TAKE_BACK_RETURN", "x", 72)} AS l_shipinstruct,
            {_words("REG_AIR AIR RAIL SHIP TRUCK MAIL FOB", "x", 73)} AS l_shipmode, 'w' AS l_comment
            FROM (SELECT *, o_orderkey * 8 + i AS x FROM orders, range(1, 8) AS u (i)
                WHERE i <= 1 + o_orderkey % 7)""",
    ]


def _named(table: str, texts: str, key: str, name: str, *more: str) -> str:
    words = ", ".join(f"'{word.replace('_', ' ')}'" for word in texts.split())
    rest = ", ".join([f"(i - 1)::INTEGER AS {key}", f"[{words}][i] AS {name}", *more])
    return f"CREATE TABLE {table} AS SELECT {rest} FROM range(1, {len(texts.split()) + 1}) AS t (i)"
