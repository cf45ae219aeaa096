-- UNION, INTERSECT, EXCEPT.

SELECT id FROM orders WHERE id < 10 UNION SELECT id FROM customers;

SELECT id FROM orders WHERE id < 10 UNION ALL SELECT id FROM customers;

SELECT customer_id FROM orders INTERSECT SELECT id FROM customers;

SELECT customer_id FROM orders INTERSECT ALL SELECT quantity FROM orders;

SELECT id FROM customers EXCEPT SELECT customer_id FROM orders;

SELECT customer_id FROM orders EXCEPT ALL SELECT id FROM customers;

SELECT id FROM orders UNION SELECT id FROM customers EXCEPT SELECT order_id FROM events;

(SELECT id FROM orders ORDER BY price LIMIT 3) UNION ALL (SELECT id FROM orders ORDER BY price DESC LIMIT 3);

SELECT id, name FROM customers UNION SELECT id, product FROM orders ORDER BY 1, 2;

SELECT quantity FROM orders UNION SELECT price FROM orders WHERE id < 9 ORDER BY 1 DESC LIMIT 4;

SELECT 'o' AS kind, count(*) FROM orders UNION ALL SELECT 'c', count(*) FROM customers UNION ALL SELECT 'n', count(*) FROM nothing;

SELECT region FROM orders GROUP BY region UNION ALL SELECT country FROM customers GROUP BY country;

SELECT * FROM (SELECT id, price FROM orders UNION ALL SELECT id, price FROM open_orders) AS u WHERE id < 9;

SELECT region, sum(n) FROM (SELECT region, 1 AS n FROM orders UNION ALL SELECT country, 2 FROM customers) AS u GROUP BY region;

SELECT max(id) FROM (SELECT id FROM orders UNION ALL SELECT id FROM events) AS u;

SELECT id FROM orders WHERE id IN (SELECT id FROM customers UNION SELECT order_id FROM events) ORDER BY id DESC LIMIT 10;

(SELECT region FROM orders EXCEPT SELECT 'north') INTERSECT (SELECT region FROM orders WHERE quantity = 3);

SELECT NULL AS id FROM nothing UNION SELECT id FROM customers WHERE id < 3;

SELECT d FROM numbers UNION SELECT f FROM numbers;

SELECT huge FROM numbers INTERSECT SELECT big FROM numbers;

VALUES (1, 'a'), (2, 'b') UNION ALL SELECT id, name FROM customers WHERE id = 3;

SELECT u.id, count(*) OVER () FROM (SELECT id FROM customers WHERE vip EXCEPT SELECT customer_id FROM orders WHERE quantity > 7) AS u;

SELECT id FROM customers AS c WHERE EXISTS (SELECT c.id INTERSECT SELECT o.customer_id FROM orders AS o);

SET LOCAL enable_hashagg = off;
SELECT product FROM orders UNION SELECT name FROM customers;

SET LOCAL enable_hashagg = off;
SELECT product FROM orders EXCEPT SELECT name FROM customers;
