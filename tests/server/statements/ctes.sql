-- WITH: plain, materialized, used twice, recursive.

WITH big AS (SELECT * FROM orders WHERE price > 500) SELECT count(*) FROM big;

WITH big AS (SELECT * FROM orders WHERE price > 500) SELECT a.id, b.id FROM big AS a JOIN big AS b ON a.id = b.id + 1;

WITH big AS MATERIALIZED (SELECT id, price FROM orders) SELECT id FROM big WHERE price < 50;

WITH big AS NOT MATERIALIZED (SELECT id, price FROM orders) SELECT x.id FROM big AS x JOIN big AS y USING (price) WHERE x.id < 20;

WITH a AS (SELECT id FROM customers WHERE vip), b AS (SELECT * FROM orders WHERE customer_id IN (SELECT id FROM a)) SELECT b.region, count(*) FROM b GROUP BY 1;

WITH totals (customer, total) AS (SELECT customer_id, sum(price) FROM orders GROUP BY 1) SELECT c.name, t.total FROM customers AS c JOIN totals AS t ON t.customer = c.id;

WITH totals AS (SELECT customer_id, sum(price) AS total FROM orders GROUP BY 1) SELECT * FROM totals WHERE total = (SELECT max(total) FROM totals);

WITH unused AS (SELECT 1 / 0 AS never) SELECT count(*) FROM customers;

SELECT * FROM (WITH inner_one AS (SELECT id FROM orders WHERE id < 5) SELECT i.id, c.name FROM inner_one AS i JOIN customers AS c USING (id)) AS x;

SELECT c.id, (WITH mine AS (SELECT price FROM orders AS o WHERE o.customer_id = c.id) SELECT max(price) - min(price) FROM mine) FROM customers AS c;

WITH first AS (SELECT id FROM orders ORDER BY price LIMIT 10) SELECT o.* FROM orders AS o JOIN first USING (id) ORDER BY o.id;

WITH RECURSIVE up (id, parent_id, depth) AS (SELECT id, parent_id, 0 FROM customers WHERE id = 40 UNION ALL SELECT c.id, c.parent_id, up.depth + 1 FROM customers AS c JOIN up ON c.id = up.parent_id) SELECT * FROM up;

WITH RECURSIVE down (id, path) AS (SELECT id, ARRAY[id] FROM customers WHERE parent_id IS NULL UNION ALL SELECT c.id, path || c.id FROM down JOIN customers AS c ON c.parent_id = down.id) SELECT id, path FROM down ORDER BY path;

WITH RECURSIVE reach (b) AS (SELECT b FROM edges WHERE a = 0 UNION SELECT e.b FROM edges AS e JOIN reach AS r ON e.a = r.b) SELECT b FROM reach;

WITH RECURSIVE walk (a, b, total, steps) AS (SELECT a, b, weight::numeric, 1 FROM edges UNION ALL SELECT w.a, e.b, w.total + e.weight, w.steps + 1 FROM walk AS w JOIN edges AS e ON e.a = w.b WHERE w.steps < 3) SELECT a, b, min(total), count(*) FROM walk GROUP BY a, b;

WITH RECURSIVE walk AS (SELECT a, b FROM edges WHERE a = 1 UNION ALL SELECT e.a, e.b FROM edges AS e, walk WHERE e.a = walk.b) CYCLE a SET looped USING path SELECT a, b, looped FROM walk;

WITH RECURSIVE tree AS (SELECT id, parent_id FROM customers WHERE parent_id IS NULL UNION ALL SELECT c.id, c.parent_id FROM customers AS c JOIN tree AS t ON c.parent_id = t.id) SEARCH DEPTH FIRST BY id SET place SELECT id FROM tree ORDER BY place;

WITH RECURSIVE tree AS (SELECT id, parent_id FROM customers WHERE parent_id IS NULL UNION ALL SELECT c.id, c.parent_id FROM customers AS c JOIN tree AS t ON c.parent_id = t.id) SEARCH BREADTH FIRST BY id SET place SELECT id FROM tree ORDER BY place;

WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 12) SELECT i, (SELECT count(*) FROM orders WHERE quantity < i) FROM n;

WITH RECURSIVE days (d) AS (SELECT min(shipped) FROM orders UNION ALL SELECT d + 1 FROM days WHERE d < (SELECT max(shipped) FROM orders)) SELECT d, count(o.id) FROM days LEFT JOIN orders AS o ON o.shipped = d GROUP BY d ORDER BY d;

WITH RECURSIVE fill (id, left_over) AS (SELECT id, price::numeric FROM orders WHERE id = 1 UNION ALL SELECT f.id + 1, f.left_over - o.price / 100 FROM fill AS f JOIN orders AS o ON o.id = f.id + 1 WHERE f.left_over > 0) SELECT count(*), min(left_over) FROM fill;

WITH RECURSIVE a AS (SELECT id FROM customers WHERE id < 3), b (id) AS (SELECT id FROM a UNION ALL SELECT b.id + 10 FROM b JOIN customers AS c ON c.id = b.id + 10) SELECT id FROM b;

WITH moved AS (SELECT id, price FROM orders), summed AS (SELECT sum(price) AS total FROM moved) SELECT m.id, m.price / s.total FROM moved AS m, summed AS s WHERE m.id < 10;

WITH a AS (SELECT 1 AS id), a2 AS (SELECT id FROM a UNION ALL SELECT id FROM customers WHERE id = 2) SELECT o.product FROM orders AS o JOIN a2 ON a2.id = o.id;

CREATE TEMP TABLE kept (id integer, price numeric) ON COMMIT DROP;
WITH written AS (INSERT INTO kept SELECT id, price FROM orders WHERE price < 100 RETURNING id) SELECT count(*), min(id) FROM written;
SELECT count(*), sum(price) FROM kept;
WITH gone AS (DELETE FROM kept WHERE id IN (SELECT id FROM orders WHERE quantity > 4) RETURNING *) SELECT o.id, gone.price FROM gone JOIN orders AS o USING (id);
UPDATE kept SET price = o.price * 2 FROM orders AS o WHERE o.id = kept.id RETURNING kept.id, kept.price, o.product;

CREATE TEMP TABLE target (id integer, name text) ON COMMIT DROP;
INSERT INTO target SELECT id, name FROM customers WHERE id % 2 = 0;
MERGE INTO target AS t USING customers AS c ON t.id = c.id WHEN MATCHED AND c.vip THEN DELETE WHEN MATCHED THEN UPDATE SET name = upper(c.name) WHEN NOT MATCHED THEN INSERT VALUES (c.id, c.name);
SELECT * FROM target ORDER BY id;
