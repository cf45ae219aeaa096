-- Whole rows, row comparison, system columns, row locks.

SELECT o FROM orders AS o WHERE id < 5;

SELECT orders FROM orders WHERE id = 1;

SELECT (o).* FROM orders AS o WHERE id = 9;

SELECT (c).name, (c).id FROM customers AS c;

SELECT ROW(id, name) FROM customers;

SELECT o.*::text FROM orders AS o WHERE o.id BETWEEN 3 AND 4;

SELECT count(o) FROM orders AS o;

SELECT count(*) FROM orders AS o WHERE o IS NULL;

SELECT count(*) FROM orders AS o WHERE o IS NOT NULL;

SELECT count(*) FROM orders AS o WHERE NOT o IS NOT NULL;

SELECT count(*) FROM orders AS o LEFT JOIN customers AS c ON c.id = o.customer_id WHERE c IS NULL;

SELECT o.id, c FROM orders AS o LEFT JOIN customers AS c ON c.id = o.customer_id AND c.vip WHERE o.id < 12;

SELECT a.id FROM customers AS a JOIN customers AS b ON a = b;

SELECT a.id FROM customers AS a WHERE a IN (SELECT b FROM customers AS b WHERE b.vip);

SELECT DISTINCT c FROM customers AS c WHERE c.id < 6;

SELECT id FROM customers AS c ORDER BY c DESC LIMIT 3;

SELECT to_jsonb(c) FROM customers AS c;

SELECT row_to_json(o) FROM orders AS o WHERE id = 30;

SELECT row_to_json(s) FROM (SELECT id, name FROM customers WHERE vip) AS s;

SELECT id FROM orders WHERE (quantity, price) > (5, 500);

SELECT id FROM orders WHERE (quantity, region) = (3, 'west');

SELECT id FROM orders WHERE (quantity, region) <> (3, 'west');

SELECT id FROM orders WHERE ROW(quantity, customer_id) IS NOT DISTINCT FROM ROW(2::smallint, NULL::integer);

SELECT id FROM orders WHERE (region, paid) IS NULL;

SELECT id FROM orders WHERE (quantity, customer_id) IN ((1, 2), (3, 4), (8, 11));

SELECT id, (quantity, price) < (customer_id, id) FROM orders WHERE id < 40;

SELECT tableoid::regclass::text, count(*) FROM orders GROUP BY 1;

SELECT tableoid = 'orders'::regclass, id FROM orders WHERE id < 3;

SELECT o.tableoid::regclass::text, c.tableoid::regclass::text FROM orders AS o JOIN customers AS c USING (id) WHERE id = 2;

SELECT count(*) FROM orders WHERE tableoid = 'customers'::regclass;

SELECT tableoid::regclass::text, ROW(c.id) FROM customers AS c LIMIT 1;

SELECT id FROM orders WHERE quantity = 3 FOR UPDATE;

SELECT id FROM orders WHERE quantity = 3 FOR NO KEY UPDATE;

SELECT id FROM orders WHERE quantity = 3 FOR SHARE;

SELECT id FROM orders WHERE quantity = 3 FOR KEY SHARE SKIP LOCKED;

SELECT o.id FROM orders AS o JOIN customers AS c ON c.id = o.customer_id FOR UPDATE OF o NOWAIT;

SELECT o.id, c FROM orders AS o LEFT JOIN customers AS c ON c.id = o.customer_id WHERE o.id < 9 FOR SHARE OF o;

SELECT id FROM orders ORDER BY price DESC, id LIMIT 3 FOR UPDATE;

SELECT x.id FROM (SELECT id FROM orders WHERE id < 6 FOR UPDATE) AS x;

WITH locked AS (SELECT id FROM orders WHERE id > 147 FOR UPDATE) SELECT * FROM locked;

CREATE TEMP TABLE marks (id integer, mark text) ON COMMIT DROP;
INSERT INTO marks SELECT id, name FROM customers WHERE id < 5;
SELECT m.mark, o.product FROM marks AS m JOIN orders AS o USING (id) FOR UPDATE;
SELECT m, o FROM marks AS m LEFT JOIN orders AS o ON o.id = m.id + 149;

CREATE FUNCTION pg_temp.label(one customers) RETURNS text LANGUAGE sql AS $$ SELECT one.id || ':' || one.name $$;
SELECT pg_temp.label(c) FROM customers AS c;

CREATE FUNCTION pg_temp.heavy(one orders) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN one.quantity * one.price > 4000; END $$;
SELECT id FROM orders AS o WHERE pg_temp.heavy(o);

CREATE FUNCTION pg_temp.some() RETURNS SETOF orders LANGUAGE sql AS $$ SELECT * FROM orders WHERE quantity = 7 $$;
SELECT id, price FROM pg_temp.some();
SELECT s.* FROM customers AS c, pg_temp.some() AS s WHERE s.customer_id = c.id;
