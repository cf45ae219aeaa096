-- Subqueries in every place, correlated or not.

SELECT id, (SELECT max(price) FROM orders) FROM customers;

SELECT id, (SELECT name FROM customers AS c WHERE c.id = o.customer_id) FROM orders AS o;

SELECT id, (SELECT count(*) FROM orders AS o WHERE o.customer_id = c.id AND o.price > c.id * 10) FROM customers AS c;

SELECT id FROM orders AS o WHERE price = (SELECT max(price) FROM orders AS x WHERE x.region = o.region);

SELECT id FROM orders AS o WHERE price > (SELECT avg(price) FROM orders AS x WHERE x.customer_id = o.customer_id);

SELECT id FROM customers AS c WHERE EXISTS (SELECT FROM orders AS o WHERE o.customer_id = c.id AND o.quantity = 8);

SELECT id FROM customers AS c WHERE NOT EXISTS (SELECT FROM orders AS o WHERE o.customer_id = c.id AND o.quantity = 8);

SELECT id FROM customers AS c WHERE EXISTS (SELECT FROM orders AS o JOIN events AS e ON e.order_id = o.id WHERE o.customer_id = c.id AND e.kind = 'buy');

SELECT id FROM customers WHERE EXISTS (SELECT FROM nothing);

SELECT id FROM customers WHERE NOT EXISTS (SELECT FROM nothing) AND id > 38;

SELECT id FROM customers WHERE id IN (SELECT customer_id FROM orders WHERE quantity > 6);

SELECT id FROM customers WHERE id NOT IN (SELECT customer_id FROM orders WHERE customer_id IS NOT NULL);

SELECT id FROM customers WHERE id NOT IN (SELECT customer_id FROM orders);

SELECT id FROM customers WHERE (id, vip) IN (SELECT customer_id, paid FROM orders);

SELECT id FROM customers WHERE (id, country) NOT IN (SELECT o.customer_id, o.region FROM orders AS o);

SELECT id FROM orders WHERE price > ALL (SELECT price FROM orders WHERE region = 'west');

SELECT id FROM orders WHERE price < ANY (SELECT price / 20 FROM orders WHERE quantity = 5);

SELECT id FROM orders WHERE customer_id = SOME (SELECT id FROM customers WHERE vip);

SELECT id FROM orders WHERE price >= ALL (SELECT price FROM orders WHERE false);

SELECT id FROM orders AS o WHERE (SELECT count(*) FROM events AS e WHERE e.order_id = o.id) = 3;

SELECT id FROM orders AS o WHERE 2 < (SELECT count(*) FROM orders AS p WHERE p.region = o.region AND p.price > o.price AND p.quantity = o.quantity);

SELECT id FROM customers AS c WHERE (SELECT sum(o.price) FROM orders AS o WHERE o.customer_id = c.id) > 4000 ORDER BY id;

SELECT id, (SELECT e.kind FROM events AS e WHERE e.order_id = o.id ORDER BY e.at DESC, e.id LIMIT 1) AS last FROM orders AS o;

SELECT id, (SELECT string_agg(p.product, ',' ORDER BY p.id) FROM orders AS p WHERE p.customer_id = c.id) FROM customers AS c;

SELECT id, ARRAY(SELECT o.id FROM orders AS o WHERE o.customer_id = c.id ORDER BY 1) FROM customers AS c;

SELECT id, (SELECT ROW(count(*), min(o.id)) FROM orders AS o WHERE o.customer_id = c.id) FROM customers AS c;

SELECT c.id, (SELECT (SELECT count(*) FROM events AS e WHERE e.order_id = min(o.id)) FROM orders AS o WHERE o.customer_id = c.id) FROM customers AS c;

SELECT id FROM customers AS c WHERE EXISTS (SELECT FROM orders AS o WHERE o.customer_id = c.id AND EXISTS (SELECT FROM events AS e WHERE e.order_id = o.id AND e.amount > c.id));

SELECT id FROM customers AS c WHERE c.id IN (SELECT o.customer_id FROM orders AS o WHERE o.price > (SELECT avg(e.amount) * 10 FROM events AS e WHERE e.order_id = c.id));

SELECT * FROM (SELECT region, count(*) AS n FROM orders GROUP BY region) AS per_region WHERE n > 50;

SELECT s.region, s.total FROM (SELECT region, sum(price) AS total FROM orders GROUP BY region HAVING sum(price) > 100 ORDER BY 2 DESC LIMIT 3) AS s ORDER BY s.region;

SELECT a.n, b.n FROM (SELECT count(*) AS n FROM orders) AS a, (SELECT count(*) AS n FROM customers) AS b;

SELECT avg(n) FROM (SELECT count(*) AS n FROM orders GROUP BY customer_id) AS per_customer;

SELECT x.id FROM (SELECT id, row_number() OVER (ORDER BY price DESC, id) AS place FROM orders) AS x WHERE place <= 10;

SELECT x.region, x.id FROM (SELECT region, id, rank() OVER (PARTITION BY region ORDER BY price, id) AS r FROM orders) AS x WHERE r = 2;

SELECT (SELECT count(*) FROM orders WHERE quantity = g) AS n, g FROM generate_series(0, 9) AS g;

SELECT CASE WHEN EXISTS (SELECT FROM orders WHERE id = c.id) THEN 'order' ELSE 'none' END, id FROM customers AS c;

SELECT id, vip = (SELECT bool_or(paid) FROM orders AS o WHERE o.customer_id = c.id) FROM customers AS c;

SELECT count(*) FROM orders WHERE customer_id = (SELECT id FROM customers WHERE name = 'no such name');

SELECT count(*), (SELECT min(id) FROM customers) FROM orders GROUP BY (SELECT 1);

SELECT region FROM orders GROUP BY region HAVING count(*) > (SELECT count(*) FROM customers) + 10;

SELECT id FROM orders ORDER BY (SELECT c.name FROM customers AS c WHERE c.id = orders.customer_id) NULLS LAST, id LIMIT 30;

SELECT sum((SELECT c.id FROM customers AS c WHERE c.id = o.customer_id)) FROM orders AS o;

SELECT max(o.id) FILTER (WHERE o.customer_id IN (SELECT id FROM customers WHERE vip)) FROM orders AS o;

SELECT COALESCE((SELECT label FROM nothing WHERE id = c.id), c.name) FROM customers AS c;

SELECT id FROM customers WHERE id = (SELECT o.customer_id FROM orders AS o ORDER BY o.price DESC, o.id LIMIT 1);

SELECT id FROM orders WHERE (region, quantity) = (SELECT region, quantity FROM orders WHERE id = 3);

SELECT id FROM orders WHERE (price, id) < (SELECT price, id FROM orders WHERE id = 100);

SELECT id FROM orders AS o WHERE o.customer_id IN (SELECT c.id FROM customers AS c WHERE c.country = 'de' UNION SELECT c.parent_id FROM customers AS c);

SELECT id FROM customers AS c WHERE EXISTS (SELECT FROM orders AS o WHERE o.customer_id = c.id GROUP BY o.region HAVING count(*) > 2);

