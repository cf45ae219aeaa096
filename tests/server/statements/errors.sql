-- Errors of a statement are the same errors, and end nothing but the statement.

SELECT no_such_column FROM orders;

SELECT id FROM no_such_table;

SELECT 1 / (id - 150) FROM orders;

SELECT id / 0 FROM orders WHERE id > 1000;

SELECT id FROM orders WHERE price / (quantity - 3) > 1;

SELECT sqrt(-price) FROM orders;

SELECT ln(quantity) FROM orders;

SELECT (id * 100000000)::integer FROM orders;

SELECT id::smallint * 30000::smallint FROM orders;

SELECT big * 4 FROM numbers;

SELECT d * 10 FROM numbers WHERE n = 3;

SELECT huge::bigint FROM numbers;

SELECT product::integer FROM orders;

SELECT note::date FROM orders;

SELECT CAST(name AS boolean) FROM customers;

SELECT id FROM orders WHERE region = 5;

SELECT region, id FROM orders GROUP BY region;

SELECT sum(product) FROM orders;

SELECT id FROM orders WHERE count(*) > 1;

SELECT (SELECT id FROM orders) FROM customers;

SELECT id, (SELECT o.id FROM orders AS o WHERE o.customer_id = c.id) FROM customers AS c;

SELECT id FROM orders UNION SELECT name FROM customers;

SELECT id FROM customers JOIN orders ON true;

SELECT substring(product FROM 1 FOR -1) FROM orders;

SELECT chr(id - 10) FROM orders;

SELECT product ~ '(' FROM orders;

SELECT to_date(note, 'YYYY') FROM orders WHERE note IS NOT NULL;

SELECT ordered_at + interval '300000 years' FROM orders;

SELECT (payload ->> 'c')::integer FROM events;

SELECT payload::integer FROM events WHERE jsonb_typeof(payload) = 'object';

SELECT id FROM orders ORDER BY id LIMIT -1;

SELECT id FROM orders LIMIT 'many';

SELECT repeat(product, 200000000) FROM orders;

SELECT lead(price, -1) OVER (ORDER BY no_such) FROM orders;

SELECT ntile(0) OVER (ORDER BY id) FROM orders;

SELECT nth_value(id, -1) OVER (ORDER BY id) FROM orders;

SELECT sum(quantity) OVER (ORDER BY id ROWS -1 PRECEDING) FROM orders;

SELECT pg_sleep('soon') FROM orders;

SET LOCAL statement_timeout = 1;
SELECT count(*), pg_sleep(1) FROM orders;

SAVEPOINT s;
SELECT 1 / (id - 3) FROM orders ORDER BY id;
ROLLBACK TO s;
SELECT count(*) FROM orders;
SAVEPOINT t;
SELECT name::integer FROM customers;
ROLLBACK TO t;
SELECT count(*) FROM customers;

DO $$ BEGIN PERFORM id FROM orders WHERE 1 / (quantity - 4) > 5; END $$;

DO $$ BEGIN RAISE EXCEPTION 'no order %', (SELECT max(id) FROM orders) USING ERRCODE = 'P0042'; END $$;

LOCK TABLE no_such_table;

CREATE DOMAIN small_one AS integer CHECK (VALUE < 20);
SELECT id::small_one FROM customers ORDER BY id;
