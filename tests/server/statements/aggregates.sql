-- Aggregates, groups, grouping sets.

SELECT count(*), count(region), count(DISTINCT region), min(price), max(price), sum(price), avg(price) FROM orders;

SELECT sum(quantity), avg(quantity), sum(id), sum(huge) FROM orders, numbers WHERE id = n;

SELECT region, count(*) FROM orders GROUP BY region;

SELECT region, paid, count(*), sum(quantity) FROM orders GROUP BY region, paid;

SELECT customer_id % 5 AS bucket, avg(price) FROM orders GROUP BY bucket;

SELECT quantity > 4, count(*) FROM orders GROUP BY 1;

SELECT date_trunc('week', ordered_at), count(*) FROM orders GROUP BY 1 ORDER BY 1;

SELECT upper(region), max(product) FROM orders GROUP BY upper(region);

SELECT region FROM orders GROUP BY region HAVING count(*) > 50;

SELECT region FROM orders GROUP BY region HAVING max(price) > 990 AND region IS NOT NULL;

SELECT count(*) FROM orders HAVING count(*) > 1000;

SELECT count(*) FROM nothing;

SELECT sum(id), max(label), count(*) FROM nothing GROUP BY label;

SELECT sum(id), max(label), bool_and(id > 0), array_agg(id) FROM nothing;

SELECT count(*) FROM orders GROUP BY ();

SELECT region, count(*) FROM orders GROUP BY ROLLUP (region);

SELECT region, paid, count(*), GROUPING(region, paid) FROM orders GROUP BY CUBE (region, paid);

SELECT region, quantity, sum(price) FROM orders GROUP BY GROUPING SETS ((region), (quantity), ());

SELECT region, quantity, paid, count(*) FROM orders GROUP BY region, ROLLUP (quantity, paid);

SELECT region, paid, count(*) FROM orders GROUP BY DISTINCT ROLLUP (region, paid), ROLLUP (region);

SELECT region, GROUPING(region), sum(price) FROM orders GROUP BY ROLLUP (region) HAVING GROUPING(region) = 1 OR count(*) > 50;

SELECT CASE WHEN GROUPING(country) = 1 THEN 'all' ELSE country END, count(*) FROM customers GROUP BY ROLLUP (country);

SELECT count(*) FILTER (WHERE paid), count(*) FILTER (WHERE NOT paid), sum(price) FILTER (WHERE region IS NULL) FROM orders;

SELECT region, count(DISTINCT customer_id) FILTER (WHERE quantity > 2) FROM orders GROUP BY region;

SELECT sum(DISTINCT quantity), avg(DISTINCT quantity) FROM orders;

SELECT bool_and(paid), bool_or(paid), every(paid) FROM orders WHERE region = 'east';

SELECT bit_and(quantity), bit_or(id), bit_xor(id) FROM orders;

SELECT string_agg(product, ', ' ORDER BY id) FROM orders WHERE id < 12;

SELECT region, string_agg(DISTINCT product, '|' ORDER BY product) FROM orders GROUP BY region;

SELECT region, array_agg(id ORDER BY price DESC, id) FROM orders GROUP BY region;

SELECT array_agg(note ORDER BY id) FROM orders WHERE id BETWEEN 4 AND 9;

SELECT array_agg(ARRAY[id, quantity] ORDER BY id) FROM orders WHERE id < 6;

SELECT json_agg(name ORDER BY id) FROM customers WHERE vip;

SELECT jsonb_object_agg(id, profile) FROM customers WHERE id < 8;

SELECT jsonb_agg(o ORDER BY o.id) FROM orders AS o WHERE id IN (3, 4);

SELECT xmlagg(xmlelement(name product, product) ORDER BY id) FROM orders WHERE id < 4;

SELECT min(name), max(name), min(born), max(born) FROM customers;

SELECT min(at), max(at), min(took), max(took), sum(took), avg(took) FROM events;

SELECT min(clock), max(clock), min(kind), max(kind) FROM events;

SELECT sum(amount), avg(amount), min(amount), max(amount), count(amount) FROM events;

SELECT kind, stddev(amount), variance(amount), stddev_pop(amount), var_pop(amount) FROM events GROUP BY kind;

-- close: sums of floating-point numbers depend on the order of rows
SELECT sum(discount), avg(discount) FROM orders;

-- close: as above
SELECT region, sum(discount * quantity) FROM orders GROUP BY region ORDER BY region;

-- close: as above
SELECT stddev_samp(discount), var_samp(discount), corr(discount, quantity), regr_slope(discount, price::double precision) FROM orders;

SELECT max(d), min(d), max(f), min(f), count(d) FROM numbers;

SELECT sum(d), sum(f), avg(d) FROM numbers WHERE n IN (5, 6, 7);

SELECT sum(d) FROM numbers WHERE n IN (1, 10);

SELECT d, count(*) FROM numbers GROUP BY d;

SELECT sum(huge), avg(huge), max(huge) FROM numbers;

SELECT sum(big) FROM numbers;

SELECT sum(small), avg(small), sum(small::bigint) FROM numbers;

SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY quantity), percentile_disc(0.9) WITHIN GROUP (ORDER BY price) FROM orders;

SELECT region, mode() WITHIN GROUP (ORDER BY product) FROM orders GROUP BY region;

SELECT percentile_disc(ARRAY[0.1, 0.5]) WITHIN GROUP (ORDER BY shipped DESC) FROM orders;

SELECT rank(500) WITHIN GROUP (ORDER BY price), dense_rank(5) WITHIN GROUP (ORDER BY quantity DESC) FROM orders;

SELECT count(*) FROM (SELECT DISTINCT customer_id, region FROM orders) AS d;

SELECT region, sum(price) / sum(quantity), sum(price * quantity) - max(id) FROM orders GROUP BY region;

SELECT count(*) + sum(id), abs(min(id - 200)), round(avg(price), 2) FROM orders;

SELECT region, count(*) AS n FROM orders GROUP BY region ORDER BY n DESC, region LIMIT 2;

SELECT region, quantity, count(*) FROM orders GROUP BY region, quantity ORDER BY count(*) DESC, quantity, region OFFSET 3 LIMIT 7;

SELECT DISTINCT count(*) FROM orders GROUP BY customer_id;

SELECT DISTINCT ON (region) region, quantity, count(*) FROM orders GROUP BY region, quantity ORDER BY region, count(*) DESC, quantity;

SELECT region, max(count(*)) OVER () FROM orders GROUP BY region;

SELECT max(length(product)), sum(length(COALESCE(note, ''))) FROM orders;

SELECT (count(*) > 100)::integer, pg_typeof(sum(quantity)), pg_typeof(sum(id)), pg_typeof(avg(price)) FROM orders;

SELECT o.region, c.country, sum(o.price), GROUPING(o.region, c.country) FROM orders AS o LEFT JOIN customers AS c ON c.id = o.customer_id GROUP BY GROUPING SETS ((o.region, c.country), (c.country));

SELECT c.id, c.name, count(o.id) FROM customers AS c LEFT JOIN orders AS o ON o.customer_id = c.id GROUP BY c.id, c.name;

SELECT extract(month FROM born) AS month, count(*), min(name) FROM customers GROUP BY month HAVING count(*) > 2 ORDER BY month;

SELECT count(*) FROM orders AS o GROUP BY o.*;

SELECT c, count(*) FROM customers AS c WHERE id < 4 GROUP BY c;

SELECT max(ARRAY[quantity, id]), min(ROW(quantity, id)::text) FROM orders;

SELECT any_value(kind) IS NOT NULL, count(*) FROM events;

SELECT range_agg(int4range(id, id + quantity)) FROM orders WHERE id < 30;

SELECT count(*) FROM orders WHERE (SELECT count(*) FROM customers) = 40;

SET LOCAL enable_hashagg = off;
SELECT customer_id, quantity, count(*) FROM orders GROUP BY customer_id, quantity;

SET LOCAL work_mem = '64kB';
SET LOCAL enable_sort = off;
SELECT id % 700, count(*), string_agg(code::text, '' ORDER BY id) FROM events GROUP BY 1;
