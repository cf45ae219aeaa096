"""What the demo tables hold: one SELECT per kind of table, made of dice that a seed decides.

The types are those that a round trip through a data frame leaves: times of day in nanoseconds, counts as
BIGINT, money as DOUBLE, dictionaries as STRUCT. `{rows}` and `{source}` are filled in by the writer.
"""

# Made in the TEMP schema, so that they never reach the file. The seed is a variable of the connection.
MACROS = (
    "CREATE TEMP MACRO dice(i, salt, sides) AS (hash(i, salt, getvariable('seed')) % sides)::BIGINT",
    "CREATE TEMP MACRO pick(choices, i, salt) AS choices[1 + dice(i, salt, len(choices))]",
    "CREATE TEMP MACRO maybe(value, i, salt) AS CASE WHEN dice(i, salt, 12) > 0 THEN value END",
    "CREATE TEMP MACRO region(i) AS pick(['north', 'south', 'east', 'west', 'overseas'], i, 1)",
    "CREATE TEMP MACRO product(i) AS pick(['kettle', 'desk lamp', 'notebook A5', 'tea 250 g', 'bicycle bell',"
    " 'wool blanket', 'oak shelf', 'garden hose', 'crème brûlée set', 'headphones'], i, 2)",
    "CREATE TEMP MACRO company(i) AS pick(['Alder Supply', 'Birch & Co', 'Cedar Foods', 'Dogwood Freight',"
    " 'Elm Textiles', 'Fir Instruments', 'Gorse Energy', 'Hazel Print'], i, 3)",
    "CREATE TEMP MACRO moment(i) AS TIMESTAMP '2025-11-01' + INTERVAL 1 SECOND * (i * 617 + dice(i, 4, 600))",
    "CREATE TEMP MACRO money(i, top) AS round(0.99 + dice(i, 5, top * 100) / 100, 2)",
)

RECIPES = {
    "orders": """
        SELECT 100000 + i AS order_id, moment(i)::TIMESTAMP_NS AS ordered_at, company(i) AS customer,
               region(i) AS region, product(i) AS product, pick(['web', 'shop', 'phone'], i, 6) AS channel,
               1 + dice(i, 7, 9) AS quantity, money(i, 240) AS unit_price,
               maybe(dice(i, 9, 30) / 100.0, i, 8)::DOUBLE AS discount, dice(i, 10, 20) > 0 AS shipped
        FROM range({rows}) AS r(i)""",
    "revenue": """
        SELECT *, round(quantity * unit_price * (1 - coalesce(discount, 0)), 2) AS revenue,
               date_trunc('month', ordered_at)::TIMESTAMP AS month
        FROM {source} WHERE shipped""",
    "by_region": """
        SELECT region, count(*) AS orders, sum(quantity)::DOUBLE AS units, round(sum(revenue), 2) AS revenue,
               max(ordered_at) AS last_order
        FROM {source} GROUP BY region ORDER BY region""",
    "by_product": """
        SELECT product, channel, count(*) AS orders, round(sum(revenue), 2) AS revenue,
               round(avg(discount), 4) AS mean_discount
        FROM {source} GROUP BY product, channel ORDER BY product, channel""",
    "report": """
        SELECT 'completed' AS status, count(*) AS row_count, round(sum(revenue), 2) AS total_revenue,
               max(revenue) AS largest, 'Revenue by region, shipped orders only' AS title
        FROM {source}""",
    "leads": """
        SELECT i AS lead_id, company(i) AS company, region(i) AS region,
               moment(i)::TIMESTAMP_NS AS created_at, pick(['fair', 'mail', 'search', NULL], i, 11) AS source,
               maybe(dice(i, 13, 500)::DOUBLE, i, 12) AS seats
        FROM range({rows}) AS r(i)""",
    "scores": """
        SELECT *, (dice(lead_id, 14, 1000) / 1000)::DOUBLE AS score,
               pick(['hot', 'warm', 'cold'], lead_id, 15)::ENUM ('cold', 'hot', 'warm') AS label
        FROM {source}""",
    "tickets": """
        SELECT 'T-' || lpad(i::VARCHAR, 5, '0') AS ticket, timezone('UTC', moment(i)) AS opened_at,
               region(i) AS region,
               pick(['arrived broken', 'wrong invoice', 'late parcel', 'thank you'], i, 16) AS subject,
               list_filter(['billing', 'delivery', 'quality'], lambda x: dice(x || i, 30, 2) = 0) AS labels,
               {{'priority': 1 + dice(i, 17, 4), 'channel': pick(['mail', 'chat'], i, 18)}} AS meta
        FROM range({rows}) AS r(i)""",
    "sentiment": """
        SELECT ticket, subject, (dice(hash(ticket), 19, 200) / 100 - 1)::FLOAT AS sentiment,
               '{{"model": "small", "tokens": ' || 40 + dice(hash(ticket), 20, 90) || '}}' AS usage
        FROM {source}""",
    "stock": """
        SELECT 'SKU-' || 1000 + i AS sku, product(i) AS product, dice(i, 21, 9000)::INTEGER AS on_hand,
               dice(i, 22, 200)::UTINYINT AS reorder_at, money(i, 90)::DECIMAL(10, 2) AS cost,
               DATE '2025-11-01' + dice(i, 23, 30)::INTEGER AS counted_on,
               TIME '06:00' + INTERVAL 1 MINUTE * dice(i, 24, 700) AS counted_at,
               INTERVAL 1 HOUR * dice(i, 25, 240) AS lead_time, md5(i::VARCHAR)::UUID AS uid,
               maybe(encode(product(i)), i, 26) AS label
        FROM range({rows}) AS r(i)""",
    "rows_mapped": """
        SELECT i AS _index, 'row ' || i || ' of the batch' AS result,
               pick(['keep', 'drop'], i, 27) AS result_decision,
               (dice(i, 28, 100) / 100)::DOUBLE AS result_confidence
        FROM range({rows}) AS r(i)""",
    "json_answer": """
        SELECT i AS id, product(i) AS input,
               '{{"category": "' || pick(['kitchen', 'office', 'garden'], i, 29) || '"}}' AS result
        FROM range({rows}) AS r(i)""",
    "python_frame": """
        SELECT i AS int_column, (i * 1.5)::DOUBLE AS float_column, i % 2 = 0 AS bool_column,
               product(i) AS str_column, encode('bytes ' || i) AS bytes_column,
               md5(i::VARCHAR)::UUID AS uuid_column,
               money(i, 9)::DECIMAL(18, 3) AS decimal_column, moment(i)::TIMESTAMP_NS AS datetime_column,
               timezone('UTC', moment(i)) AS aware_column, moment(i)::DATE AS date_column,
               moment(i)::TIME AS time_column, to_milliseconds(i * 86400123) AS timedelta_column,
               {{'a': i, 'b': region(i)}} AS dict_column,
               MAP {{'region': region(i), 'product': product(i)}} AS mixed_dict_column,
               [i, i + 1, NULL] AS list_column, [{{'n': i}}] AS records_column,
               region(i)::ENUM ('east', 'north', 'overseas', 'south', 'west') AS category_column,
               (i % 256)::UTINYINT AS u8_column, i::INTEGER AS i32_column, (i / 3)::FLOAT AS f32_column,
               NULL::INTEGER AS none_column
        FROM range({rows}) AS r(i)""",
    "float_limits": """
        SELECT *
        FROM (VALUES ('nan', 'nan'::DOUBLE), ('infinity', 'inf'), ('minus infinity', '-inf'),
                     ('smallest', 5e-324), ('largest', 1.7976931348623157e308), ('none', NULL)
             ) AS t(name, value)""",
    "odd_columns": """
        SELECT i AS a, i + 1 AS a_1, product(i) AS "0", money(i, 9) AS "('a', 'sum')", region(i) AS "Region",
               i % 3 AS region_1, i AS "unit price (net)", company(i) AS "select", i * 2 AS "größe",
               i AS "share of the monthly revenue of all regions before returns and discounts",
               i + 1 AS "share of the monthly revenue of all regions before returns and taxes"
        FROM range({rows}) AS r(i)""",
    "no_rows": "SELECT i AS order_id, NULL::INTEGER AS customer, NULL::INTEGER AS note FROM range(0) AS r(i)",
    "user_types": """
        SELECT i AS id, ('{{"n": ' || i || '}}')::JSON AS document, (i::HUGEINT << 70) AS big,
               18446744073709551615 - i::UBIGINT AS unsigned, i::BIT AS bits, TIMETZ '08:30:00+02' AS opening,
               [i, i, i]::BIGINT[3] AS triple,
               CASE WHEN i % 2 = 0 THEN i::UNION (n BIGINT, s VARCHAR)
                    ELSE region(i)::UNION (n BIGINT, s VARCHAR) END AS either
        FROM range({rows}) AS r(i)""",
}
