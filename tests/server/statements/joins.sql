-- Two tables and more: every kind of join, and what may stand inside it.

SELECT o.id, c.name FROM orders AS o JOIN customers AS c ON c.id = o.customer_id;

SELECT o.id, c.name FROM orders AS o LEFT JOIN customers AS c ON c.id = o.customer_id;

SELECT o.id, c.name FROM orders AS o RIGHT JOIN customers AS c ON c.id = o.customer_id;

SELECT o.id, c.name FROM orders AS o FULL JOIN customers AS c ON c.id = o.customer_id;

SELECT count(*) FROM orders CROSS JOIN customers;

SELECT count(*) FROM orders, customers WHERE customer_id > customers.id;

SELECT * FROM customers AS a NATURAL JOIN open_orders AS b;

SELECT * FROM customers AS a NATURAL LEFT JOIN nothing AS b;

SELECT id, a.price, b.name FROM orders AS a JOIN customers AS b USING (id);

SELECT id, price, name FROM orders AS a FULL JOIN customers AS b USING (id) ORDER BY id;

SELECT j.id, j, price FROM orders AS a JOIN customers AS b USING (id) AS j;

SELECT joined.id FROM (orders AS a LEFT JOIN customers AS b USING (id)) AS joined WHERE joined.name IS NULL;

SELECT o.id, c.name FROM orders AS o LEFT JOIN customers AS c ON c.id = o.customer_id AND c.vip;

SELECT o.id, c.name FROM orders AS o LEFT JOIN customers AS c ON c.id = o.customer_id WHERE c.vip;

SELECT o.id, c.name FROM orders AS o LEFT JOIN customers AS c ON c.id = o.customer_id AND o.quantity > 4;

SELECT o.id FROM orders AS o LEFT JOIN customers AS c ON c.id = o.customer_id WHERE c.id IS NULL;

SELECT o.id, c.id FROM orders AS o FULL JOIN customers AS c ON c.id = o.customer_id WHERE o.id IS NULL OR c.id IS NULL;

SELECT o.id, c.id FROM (SELECT * FROM orders WHERE id < 30) AS o FULL JOIN customers AS c ON c.id = o.customer_id ORDER BY o.id, c.id;

SELECT count(*) FROM orders AS a JOIN orders AS b ON a.customer_id = b.customer_id AND a.id < b.id;

SELECT a.id, b.id FROM customers AS a JOIN customers AS b ON b.parent_id = a.id;

SELECT a.id, b.name, c.name FROM customers AS a LEFT JOIN customers AS b ON b.id = a.parent_id LEFT JOIN customers AS c ON c.id = b.parent_id;

SELECT o.id, c.name, e.kind FROM orders AS o JOIN customers AS c ON c.id = o.customer_id JOIN events AS e ON e.order_id = o.id WHERE e.kind = 'buy';

SELECT o.id, e.id FROM orders AS o LEFT JOIN (events AS e JOIN customers AS c ON c.id = e.id) ON e.order_id = o.id;

SELECT count(*) FROM orders AS o LEFT JOIN customers AS c ON c.id = o.customer_id LEFT JOIN events AS e ON e.order_id = o.id AND e.amount > 10;

SELECT count(*), count(c.id) FROM customers AS c RIGHT JOIN (orders AS o LEFT JOIN events AS e ON e.order_id = o.id) ON c.id = o.customer_id;

SELECT count(*) FROM edges AS x JOIN edges AS y ON x.b = y.a JOIN edges AS z ON y.b = z.a WHERE x.weight < z.weight;

SELECT a.id, b.id FROM customers AS a JOIN customers AS b ON a.born < b.born AND b.born < a.born + 1500;

SELECT a.id, b.id FROM customers AS a, customers AS b WHERE a.country = b.country AND a.id < b.id;

SELECT a.id, b.id FROM customers AS a LEFT JOIN customers AS b ON a.country IS NOT DISTINCT FROM b.country AND a.id > b.id;

SELECT a.id, b.id FROM orders AS a JOIN orders AS b ON a.price = b.price + 1 OR a.id = b.id - 149;

SELECT a.n, b.n FROM numbers AS a JOIN numbers AS b ON a.d = b.d;

SELECT a.n, b.n FROM numbers AS a JOIN numbers AS b ON a.f = b.d;

SELECT a.n, b.n FROM numbers AS a FULL JOIN numbers AS b ON a.huge = -b.huge;

SELECT o.id, c.id FROM orders AS o JOIN customers AS c ON upper(o.region) = upper(c.name) OR c.id = o.id;

SELECT o.id, v.label FROM orders AS o JOIN (VALUES (0, 'none'), (1, 'one'), (8, 'eight')) AS v (n, label) ON v.n = o.quantity;

SELECT v.n, o.id FROM (VALUES (1), (2), (NULL)) AS v (n) LEFT JOIN orders AS o ON o.customer_id = v.n;

SELECT g, o.id FROM generate_series(145, 155) AS g LEFT JOIN orders AS o ON o.id = g;

SELECT o.id, g FROM orders AS o JOIN generate_series(1, 3) AS g ON g = o.quantity WHERE o.id < 50;

SELECT o.id, u.tag FROM orders AS o CROSS JOIN unnest(ARRAY['a', 'b']) WITH ORDINALITY AS u (tag, n) WHERE o.id < 5;

SELECT c.id, l.id FROM customers AS c, LATERAL (SELECT id FROM orders AS o WHERE o.customer_id = c.id ORDER BY price DESC, id LIMIT 2) AS l;

SELECT c.id, l.id FROM customers AS c LEFT JOIN LATERAL (SELECT id FROM orders AS o WHERE o.customer_id = c.id ORDER BY id LIMIT 1) AS l ON true;

SELECT c.id, l.total FROM customers AS c CROSS JOIN LATERAL (SELECT sum(price) AS total FROM orders AS o WHERE o.customer_id = c.id) AS l;

SELECT c.id, l.n FROM customers AS c JOIN LATERAL (SELECT count(*) AS n FROM orders AS o WHERE o.customer_id = c.id) AS l ON l.n > 6;

SELECT c.id, x.id, y.id FROM customers AS c, LATERAL (SELECT id FROM orders WHERE customer_id = c.id ORDER BY id LIMIT 1) AS x, LATERAL (SELECT id FROM events WHERE order_id = x.id ORDER BY id LIMIT 1) AS y;

SELECT c.id, g FROM customers AS c, LATERAL generate_series(1, c.id % 4) AS g;

SELECT c.id, t.tag FROM customers AS c, LATERAL jsonb_array_elements_text(c.profile -> 'tags') AS t (tag);

SELECT c.id, r.* FROM customers AS c, jsonb_to_record(c.profile) AS r (level integer, ratio numeric);

SELECT c.id, e.* FROM customers AS c CROSS JOIN LATERAL jsonb_each_text(c.profile) AS e;

SELECT c.id, d::date FROM customers AS c CROSS JOIN generate_series(c.born::timestamp, c.born + 2, '1 day') AS d WHERE c.id < 5;

SELECT c.id, (l.o).price FROM customers AS c, LATERAL (SELECT o FROM orders AS o WHERE o.id = c.id) AS l;

SELECT c.id, l.a, l.b FROM customers AS c, LATERAL (VALUES (c.id, c.name), (c.parent_id, c.country)) AS l (a, b);

SELECT c.id, l.id FROM customers AS c, LATERAL (SELECT id FROM orders WHERE customer_id = c.id UNION ALL SELECT id FROM events WHERE order_id = c.id) AS l;

-- a parameter of the inner scan, by nested loops
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_material = off;
SELECT o.id, c.name FROM orders AS o JOIN customers AS c ON c.id = o.customer_id;

SET LOCAL enable_hashjoin = off;
SET LOCAL enable_nestloop = off;
SELECT o.id, e.id FROM orders AS o JOIN events AS e ON e.order_id = o.id;

SET LOCAL enable_nestloop = off;
SET LOCAL enable_mergejoin = off;
SELECT o.id, e.id FROM orders AS o LEFT JOIN events AS e ON e.order_id = o.id;

SET LOCAL enable_mergejoin = off;
SELECT c.id, o.id FROM customers AS c FULL JOIN orders AS o ON c.id = o.quantity;

SET LOCAL enable_hashjoin = off;
SELECT c.id, o.id FROM customers AS c FULL JOIN orders AS o ON c.id = o.quantity + 1;

SET LOCAL enable_memoize = on;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SELECT o.id, l.n FROM orders AS o, LATERAL (SELECT count(*) AS n FROM customers AS c WHERE c.id <= o.quantity) AS l;

SET LOCAL join_collapse_limit = 1;
SELECT count(*) FROM edges AS a JOIN edges AS b ON a.b = b.a LEFT JOIN edges AS c ON c.a = b.b AND c.weight > a.weight JOIN edges AS d ON d.a = a.a;

SET LOCAL work_mem = '64kB';
SET LOCAL enable_mergejoin = off;
SELECT count(*), sum(a.id) FROM events AS a JOIN events AS b ON a.kind = b.kind;

SET LOCAL enable_seqscan = off;
SET LOCAL enable_sort = off;
SELECT a.a, b.b FROM edges AS a JOIN edges AS b ON a.b = b.a AND a.weight <> b.weight;

-- a local table in between
CREATE TEMP TABLE picked ON COMMIT DROP AS SELECT g AS id FROM generate_series(1, 150, 37) AS g;
SELECT p.id, o.product FROM picked AS p JOIN orders AS o USING (id);
SELECT p.id, o.product FROM picked AS p LEFT JOIN orders AS o ON o.id = p.id + 100;

CREATE TEMP TABLE keyed (id integer PRIMARY KEY) ON COMMIT DROP;
INSERT INTO keyed SELECT DISTINCT customer_id FROM orders WHERE customer_id IS NOT NULL;
SELECT c.id FROM customers AS c WHERE EXISTS (SELECT FROM keyed AS k WHERE k.id = c.id);
SELECT k.id FROM keyed AS k LEFT JOIN customers AS c USING (id) WHERE c.id IS NULL;

SELECT count(*) FROM orders AS o JOIN customers AS c ON true WHERE o.id = c.id * 2 AND c.id IN (SELECT order_id FROM events);

SELECT o.id FROM orders AS o JOIN customers AS c ON c.id = o.customer_id JOIN nothing AS x ON x.id = c.id;

SELECT o.id, x.label FROM orders AS o LEFT JOIN nothing AS x ON x.id = o.id WHERE o.id < 4;

SELECT x.label, o.id FROM nothing AS x FULL JOIN (SELECT id FROM orders WHERE id > 148) AS o ON x.id = o.id;

SELECT o.id, p.price FROM orders AS o JOIN open_orders AS p ON p.id = o.id AND p.customer_id = o.customer_id;

SELECT DISTINCT c.country, o.region FROM customers AS c JOIN orders AS o ON o.customer_id = c.id;

SELECT c.country, count(DISTINCT o.id), sum(o.price) FROM customers AS c LEFT JOIN orders AS o ON o.customer_id = c.id GROUP BY c.country;

SELECT c.id, max(o.ordered_at) AS last FROM customers AS c JOIN orders AS o ON o.customer_id = c.id GROUP BY c.id HAVING count(*) > 5 ORDER BY last DESC, c.id LIMIT 5;

SELECT q."select", o.id FROM "Odd Names" AS q JOIN orders AS o ON o.id = q."Ünï.ï" AND q."Mixed Case" <> 'v0';
