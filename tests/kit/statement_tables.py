"""The session that the statements of tests/server/statements/ read: DuckDB's own SQL, no two runs differ."""

SESSION = "zz_statements"

CUSTOMERS = """
CREATE TABLE customers AS SELECT
    n::INTEGER AS id,
    ['Ann', 'ann', 'Änne', 'zoë', 'Zed', '', 'o''Hara', 'a_b%c', '李', 'Ann '][1 + n % 10]
        || (n // 10) AS name,
    CASE WHEN n % 9 = 0 THEN NULL ELSE ['de', 'fr', 'DE', 'us'][1 + n * 3 % 4] END AS country,
    CASE WHEN n < 4 THEN NULL ELSE (n // 3)::INTEGER END AS parent_id,
    DATE '1950-02-28' + (n * 613)::INTEGER AS born,
    n % 3 = 0 AS vip,
    CASE n WHEN 5 THEN 'nan'::DOUBLE WHEN 6 THEN 'inf'::DOUBLE WHEN 7 THEN '-inf'::DOUBLE WHEN 8 THEN -0.0
        WHEN 9 THEN NULL ELSE (n * 37 % 50) / 8 END AS score,
    CASE WHEN n % 8 = 0 THEN NULL ELSE
        '{"tags": ["t' || n % 4 || '", "x"], "level": ' || n % 5 || ', "ratio": ' || n || '.50}'
    END::JSON AS profile
FROM range(1, 41) AS r (n)
"""

ORDERS = """
CREATE TABLE orders AS SELECT
    n::INTEGER AS id,
    CASE WHEN n % 17 = 0 THEN NULL ELSE (n * 37 % 45)::INTEGER END AS customer_id,
    ['desk', 'lamp', 'chair', 'Sofa', 'crème brûlée', 'Ω-meter', '', 'a%b_c\\d'][1 + n * 7 % 8] AS product,
    CASE WHEN n % 11 = 0 THEN NULL ELSE ['north', 'south', 'east', 'west', 'North'][1 + n * 3 % 5]
        END AS region,
    (n * 13 % 9)::SMALLINT AS quantity,
    ((n * 7919 % 100000) / 100)::DECIMAL(10, 2) AS price,
    CASE WHEN n % 5 = 0 THEN NULL ELSE (n * 31 % 40) / 40 END::DOUBLE AS discount,
    TIMESTAMP '2025-01-01 00:00:00' + to_minutes(n * 97 % 20000) + to_milliseconds(n % 3 * 500) AS ordered_at,
    CASE WHEN n % 4 = 0 THEN NULL ELSE DATE '2025-01-02' + (n * 3 % 60)::INTEGER END AS shipped,
    CASE n % 7 WHEN 0 THEN NULL WHEN 1 THEN false ELSE true END AS paid,
    CASE WHEN n % 6 = 0 THEN NULL ELSE repeat('*', (n % 4)::INTEGER) || ' note ' || n % 10 END AS note
FROM range(1, 151) AS r (n)
"""

EVENTS = """
CREATE TABLE events AS SELECT
    n::BIGINT AS id,
    (n * 7 % 170)::INTEGER AS order_id,
    ['view', 'click', 'buy'][1 + n * 5 % 3]::ENUM ('view', 'click', 'buy') AS kind,
    TIMESTAMPTZ '2025-03-29 22:00:00+00' + to_minutes(n * 11 % 3000) AS at,
    CASE WHEN n % 13 = 0 THEN NULL ELSE (n * 7717 % 1000003) / 10000 - 20 END::DECIMAL(18, 4) AS amount,
    printf('%08x-0000-4000-8000-%012x', n * 2654435 % 4294967, n)::UUID AS code,
    CASE n % 5 WHEN 0 THEN NULL WHEN 1 THEN '[1, 2, null, "x"]' WHEN 2 THEN '{"a": {"b": ' || n || '}}'
        WHEN 3 THEN '"text"' ELSE '{"a": null, "c": [' || n % 7 || ']}' END::JSON AS payload,
    from_hex(printf('%06x', n * 4099 % 16777216)) AS raw,
    to_minutes(n * 17 % 5000) + to_days((n % 40)::INTEGER) AS took,
    TIME '00:00:00' + to_seconds(n * 997 % 86400) AS clock
FROM range(1, 451) AS r (n)
"""

NUMBERS = """
CREATE TABLE numbers AS SELECT * FROM (VALUES
    (1, 0::SMALLINT, 0::BIGINT, 0.0::FLOAT, 0.0::DOUBLE, 0::HUGEINT),
    (2, -1, -1, -1.5, -1.5, -1),
    (3, 32767, 9223372036854775807, 3.4028235e38, 1.7976931348623157e308,
        170141183460469231731687303715884105727),
    (4, -32768, -9223372036854775808, 1e-45, 5e-324, -170141183460469231731687303715884105727),
    (5, 7, 2147483648, 'nan', 'nan', 99999999999999999999),
    (6, 7, -2147483649, 'inf', 'inf', 3),
    (7, -7, 10, '-inf', '-inf', -3),
    (8, NULL, NULL, NULL, NULL, NULL),
    (9, 3, 3, 0.1, 0.1, 10000000000),
    (10, 100, 1000000007, -0.0, -0.0, 2),
    (11, 5, 4, 2.5, 2.5, 12345678901234567890123),
    (12, -5, -4, -2.5, 3.5, -12345678901234567890123)
) AS t (n, small, big, f, d, huge)
"""

EDGES = """
CREATE TABLE edges AS SELECT (n % 12)::INTEGER AS a, (n * 5 % 13)::INTEGER AS b,
    ((n * 29 % 70) / 4)::DECIMAL(6, 2) AS weight FROM range(0, 30) AS r (n)
"""

ODD = """
CREATE TABLE "Odd Names" AS SELECT n::INTEGER AS "select", 'v' || n % 3 AS "Mixed Case",
    'q' || n AS "with ""quotes"" in", (n * n)::INTEGER AS "Ünï.ï" FROM range(0, 12) AS r (n)
"""

TABLES = ("customers", "orders", "events", "numbers", "edges", "Odd Names", "nothing", "open_orders")

STATEMENTS = (
    CUSTOMERS,
    ORDERS,
    EVENTS,
    NUMBERS,
    EDGES,
    ODD,
    "CREATE TABLE nothing (id INTEGER, label VARCHAR)",
    "CREATE VIEW open_orders AS SELECT id, customer_id, price FROM orders WHERE shipped IS NULL",
)
