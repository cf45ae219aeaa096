-- Cursors, prepared statements, COPY, plans of other kinds around a scan.

DECLARE c CURSOR FOR SELECT id FROM orders ORDER BY id;
FETCH 3 FROM c;
FETCH 2 FROM c;
MOVE 100 FROM c;
FETCH NEXT FROM c;
FETCH ALL FROM c;
FETCH NEXT FROM c;

DECLARE c SCROLL CURSOR FOR SELECT id, product FROM orders ORDER BY id;
FETCH LAST FROM c;
FETCH PRIOR FROM c;
FETCH ABSOLUTE 5 FROM c;
FETCH RELATIVE -2 FROM c;
FETCH BACKWARD 2 FROM c;
FETCH FIRST FROM c;
FETCH BACKWARD ALL FROM c;
FETCH FORWARD 2 FROM c;

DECLARE c SCROLL CURSOR FOR SELECT id FROM customers;
FETCH FORWARD 40 FROM c;
FETCH BACKWARD 39 FROM c;

-- fails: at its end
DECLARE c NO SCROLL CURSOR FOR SELECT id FROM orders;
MOVE 150 IN c;
FETCH BACKWARD 1 FROM c;

DECLARE a CURSOR FOR SELECT id FROM orders ORDER BY id;
DECLARE b CURSOR FOR SELECT o.id, c.id FROM orders AS o JOIN customers AS c ON c.id = o.customer_id ORDER BY 1, 2;
FETCH 2 FROM a;
FETCH 2 FROM b;
FETCH 2 FROM a;
CLOSE a;
FETCH 2 FROM b;

-- fails: in the middle
DECLARE c CURSOR FOR SELECT id FROM orders ORDER BY id;
FETCH 1 FROM c;
SAVEPOINT s;
FETCH 1 FROM c;
SELECT 1 / (id - 5) FROM customers;
ROLLBACK TO s;
FETCH 1 FROM c;

-- fails: at its end
SAVEPOINT s;
DECLARE c CURSOR FOR SELECT id FROM orders ORDER BY id;
FETCH 1 FROM c;
ROLLBACK TO s;
FETCH 1 FROM c;

DECLARE c BINARY CURSOR FOR SELECT id, price, ordered_at FROM orders ORDER BY id;
FETCH 3 FROM c;

DECLARE held SCROLL CURSOR WITH HOLD FOR SELECT id, region FROM orders ORDER BY price, id;
FETCH 2 FROM held;
COMMIT;
FETCH 2 FROM held;
FETCH ABSOLUTE -1 FROM held;
FETCH BACKWARD 2 FROM held;
CLOSE held;

DECLARE held CURSOR WITH HOLD FOR SELECT count(*) OVER (), id FROM customers ORDER BY id;
COMMIT;
FETCH 1 FROM held;
BEGIN;
FETCH 1 FROM held;

-- fails: at its end
DECLARE c CURSOR FOR SELECT id FROM orders WHERE false;
FETCH 1 FROM c;
FETCH BACKWARD 1 FROM c;

DECLARE c SCROLL CURSOR FOR SELECT region, sum(price) FROM orders GROUP BY region ORDER BY region;
FETCH 2 FROM c;
FETCH PRIOR FROM c;

DECLARE c CURSOR FOR SELECT id FROM orders ORDER BY id FOR UPDATE;
FETCH 2 FROM c;

SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE p (integer) AS SELECT id FROM orders WHERE customer_id = $1 ORDER BY id;
EXECUTE p (3);
EXECUTE p (NULL);
EXECUTE p (4000);

SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE p (text, smallint) AS SELECT count(*), min(price) FROM orders WHERE region LIKE $1 AND quantity >= $2;
EXECUTE p ('n%', 3);
EXECUTE p ('%', 0);
EXECUTE p ('west', NULL);

SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE p (integer[]) AS SELECT id FROM customers WHERE id = ANY ($1) ORDER BY id;
EXECUTE p ('{1,5,99}');
EXECUTE p ('{}');
EXECUTE p (ARRAY[7, NULL]);

SET LOCAL plan_cache_mode = force_custom_plan;
PREPARE p (date, date) AS SELECT id FROM orders WHERE shipped BETWEEN $1 AND $2 ORDER BY id;
EXECUTE p ('2025-01-05', '2025-01-06');
EXECUTE p ('2025-02-01', '2025-01-01');

-- fails: at its end
PREPARE p (bigint, bigint) AS SELECT id FROM orders ORDER BY id LIMIT $1 OFFSET $2;
EXECUTE p (3, 10);
EXECUTE p (NULL, 147);
EXECUTE p (0, 0);
EXECUTE p (2, 1);
EXECUTE p (2, 2);
EXECUTE p (2, 3);
EXECUTE p (-1, 0);

SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE p (text) AS SELECT o.id, c.name FROM orders AS o JOIN customers AS c ON c.id = o.customer_id AND c.country = $1 WHERE o.region = $1 || 'th' OR $1 = 'de' ORDER BY o.id;
EXECUTE p ('nor');
EXECUTE p ('de');

SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE p (integer) AS SELECT id, (SELECT count(*) FROM orders WHERE customer_id = c.id AND quantity > $1) FROM customers AS c ORDER BY id;
EXECUTE p (2);
SET LOCAL plan_cache_mode = force_custom_plan;
EXECUTE p (5);

PREPARE p (timestamptz) AS SELECT count(*) FROM events WHERE at < $1;
SET LOCAL TimeZone = 'Asia/Tokyo';
EXECUTE p ('2025-03-30 12:00');
SET LOCAL TimeZone = 'UTC';
EXECUTE p ('2025-03-30 12:00');

PREPARE p AS SELECT * FROM customers WHERE id < 3 ORDER BY id;
EXECUTE p;
CREATE TEMP TABLE made ON COMMIT DROP AS EXECUTE p;
SELECT count(*) FROM made;

COPY (SELECT * FROM orders ORDER BY id) TO STDOUT;

COPY (SELECT id, product, note FROM orders ORDER BY id) TO STDOUT WITH (FORMAT csv, HEADER, FORCE_QUOTE *);

COPY (SELECT id, amount, raw FROM events ORDER BY id) TO STDOUT WITH (FORMAT binary);

COPY (TABLE numbers) TO STDOUT WITH (NULL '<null>', DELIMITER '|');

COPY (SELECT region, count(*) FROM orders GROUP BY 1 ORDER BY 1) TO STDOUT;

CREATE TEMP TABLE made ON COMMIT DROP AS SELECT id, price FROM orders WHERE quantity > 3;
SELECT count(*), sum(price) FROM made;
INSERT INTO made SELECT id, amount FROM events WHERE amount > 50;
SELECT count(*), sum(price) FROM made;

SELECT id, name INTO TEMP made FROM customers WHERE vip;
SELECT * FROM made ORDER BY id;

CREATE TEMP TABLE likewise (LIKE orders) ON COMMIT DROP;
INSERT INTO likewise TABLE orders;
SELECT count(*) FROM (TABLE likewise EXCEPT TABLE orders) AS x;

-- parallel plans around it
SET LOCAL debug_parallel_query = on;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT region, count(*), sum(price) FROM orders GROUP BY region;

CREATE TEMP TABLE made ON COMMIT DROP AS SELECT g FROM generate_series(1, 5000) AS g;
SET LOCAL debug_parallel_query = on;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT count(*), sum(c.id) FROM made AS m JOIN customers AS c ON c.id = m.g % 50;
SELECT count(*) FROM pg_class AS k JOIN orders AS o ON o.product = k.relname;

-- compiled expressions
SET LOCAL jit = on;
SET LOCAL jit_above_cost = 0;
SET LOCAL jit_inline_above_cost = 0;
SET LOCAL jit_optimize_above_cost = 0;
SELECT region, sum(price * (1 - COALESCE(discount, 0))::numeric), count(*) FROM orders WHERE quantity BETWEEN 1 AND 7 GROUP BY region;

SET LOCAL work_mem = '64kB';
SELECT e.id, e.payload, e.code FROM events AS e ORDER BY e.payload NULLS FIRST, e.code DESC;

SET LOCAL default_transaction_isolation = 'serializable';
SET LOCAL geqo_threshold = 2;
SELECT count(*) FROM orders AS a JOIN customers AS b ON b.id = a.customer_id JOIN events AS c ON c.order_id = a.id JOIN numbers AS d ON d.n = b.id;

SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM orders;
SELECT max(id) FROM orders;

SET TRANSACTION ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE;
SELECT name FROM customers ORDER BY id LIMIT 2;

SET TRANSACTION READ ONLY;
SELECT sum(price) FROM open_orders;
