-- Window functions and frames.

SELECT id, row_number() OVER (ORDER BY id) FROM orders;

SELECT id, row_number() OVER (PARTITION BY region ORDER BY price DESC, id) FROM orders;

SELECT id, rank() OVER (ORDER BY quantity), dense_rank() OVER (ORDER BY quantity) FROM orders;

SELECT id, percent_rank() OVER (ORDER BY quantity), cume_dist() OVER (PARTITION BY region ORDER BY quantity) FROM orders;

SELECT id, ntile(7) OVER (ORDER BY price, id) FROM orders;

SELECT id, lag(price) OVER (ORDER BY id), lead(price, 2, 0) OVER (ORDER BY id) FROM orders;

SELECT id, first_value(id) OVER w, last_value(id) OVER w, nth_value(id, 3) OVER w FROM orders WINDOW w AS (PARTITION BY region ORDER BY id);

SELECT id, sum(price) OVER (ORDER BY id) FROM orders;

SELECT id, sum(price) OVER (PARTITION BY customer_id) FROM orders;

SELECT id, count(*) OVER () FROM customers;

SELECT id, sum(quantity) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING) FROM orders;

SELECT id, max(price) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) FROM orders;

SELECT id, sum(quantity) OVER (ORDER BY quantity RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM orders;

SELECT id, count(*) OVER (ORDER BY shipped RANGE BETWEEN '3 days' PRECEDING AND '1 day' FOLLOWING) FROM orders;

SELECT id, count(*) OVER (ORDER BY quantity GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM orders;

SELECT id, sum(id) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) FROM orders;

SELECT id, count(*) OVER (ORDER BY quantity RANGE UNBOUNDED PRECEDING EXCLUDE TIES) FROM orders;

SELECT id, count(*) OVER (ORDER BY quantity GROUPS CURRENT ROW EXCLUDE GROUP) FROM orders;

SELECT id, avg(price) FILTER (WHERE paid) OVER (PARTITION BY region ORDER BY id) FROM orders;

SELECT region, sum(sum(price)) OVER (ORDER BY region NULLS FIRST) FROM orders GROUP BY region;

SELECT region, count(*), rank() OVER (ORDER BY count(*) DESC) FROM orders GROUP BY region;

SELECT id, array_agg(id) OVER (PARTITION BY quantity ORDER BY id ROWS 2 PRECEDING) FROM orders WHERE id < 60;

SELECT id, string_agg(product, '+') OVER (ORDER BY id ROWS BETWEEN CURRENT ROW AND 2 FOLLOWING) FROM orders WHERE id < 9;

SELECT id, row_number() OVER a, sum(price) OVER b FROM orders WINDOW a AS (PARTITION BY region ORDER BY id), b AS (a ROWS 1 PRECEDING);

SELECT id FROM orders ORDER BY row_number() OVER (ORDER BY price, id) LIMIT 4;

SELECT DISTINCT region, count(*) OVER (PARTITION BY region) FROM orders;

SELECT id, price - avg(price) OVER (PARTITION BY region) AS above FROM orders ORDER BY above DESC NULLS LAST, id LIMIT 6;

SELECT o.id, c.name, row_number() OVER (PARTITION BY c.country ORDER BY o.price, o.id) FROM orders AS o JOIN customers AS c ON c.id = o.customer_id;

SELECT id, lag(note, quantity::integer) OVER (ORDER BY id) FROM orders;

SELECT n, rank() OVER (ORDER BY d), rank() OVER (ORDER BY huge DESC NULLS LAST) FROM numbers;

SELECT n, sum(huge) OVER (ORDER BY n), min(d) OVER (ORDER BY n) FROM numbers;

SELECT id, (sum(quantity) OVER (ORDER BY id)) > 100 AS reached, CASE WHEN row_number() OVER (ORDER BY id) = 1 THEN 'first' END FROM orders WHERE id < 40;

SELECT id, (SELECT count(*) FROM events AS e WHERE e.order_id = o.id), row_number() OVER (ORDER BY id DESC) FROM orders AS o;

SELECT * FROM (SELECT kind, at, lag(at) OVER (PARTITION BY kind ORDER BY at, id) AS before FROM events) AS s WHERE at - before > interval '2 hours';

SELECT max(run) FROM (SELECT count(*) AS run FROM (SELECT id - row_number() OVER (ORDER BY id) AS island FROM orders WHERE paid) AS i GROUP BY island) AS runs;

SELECT customer_id, min(place) FROM (SELECT customer_id, row_number() OVER (ORDER BY ordered_at, id) AS place FROM orders) AS p GROUP BY customer_id;

SELECT id, max(born) OVER (ORDER BY born RANGE BETWEEN CURRENT ROW AND '5 years' FOLLOWING) FROM customers;

SELECT id, count(*) OVER (PARTITION BY c.*) FROM customers AS c;

SELECT country, array_agg(n ORDER BY n) FROM (SELECT country, count(*) OVER (PARTITION BY vip, country) AS n FROM customers) AS x GROUP BY country;
