-- One table: columns, conditions, expressions, order and limits.

SELECT * FROM orders ORDER BY id;

SELECT * FROM customers;

SELECT * FROM events;

SELECT * FROM numbers;

SELECT * FROM "Odd Names";

SELECT * FROM nothing;

SELECT * FROM open_orders;

SELECT FROM orders;

SELECT count(*) FROM orders;

SELECT 1 FROM orders WHERE id < 4;

SELECT 'constant' AS kind, NULL AS nothing, id FROM orders WHERE id = 7;

SELECT id, id, id + id FROM customers;

SELECT customers.id, customers.* FROM customers WHERE customers.vip;

SELECT id FROM customers WHERE NOT vip;

SELECT id FROM orders WHERE paid IS NULL;

SELECT id FROM orders WHERE paid IS NOT TRUE;

SELECT id FROM orders WHERE (quantity > 3) IS UNKNOWN;

SELECT id FROM orders WHERE region = 'north' AND quantity > 3;

SELECT id FROM orders WHERE region = 'north' OR quantity > 7;

SELECT id FROM orders WHERE NOT (region = 'north' OR quantity > 2);

SELECT id FROM orders WHERE region <> 'north';

SELECT id FROM orders WHERE region IS DISTINCT FROM 'north';

SELECT id FROM orders WHERE customer_id IS NOT DISTINCT FROM NULL;

SELECT id FROM orders WHERE region IN ('north', 'south', NULL);

SELECT id FROM orders WHERE region NOT IN ('north', 'south');

SELECT id FROM orders WHERE region NOT IN ('north', NULL);

SELECT id FROM orders WHERE id = ANY (ARRAY[3, 5, 7, NULL]);

SELECT id FROM orders WHERE quantity <> ALL ('{1,2,3}'::smallint[]);

SELECT id FROM orders WHERE id BETWEEN 10 AND 20;

SELECT id FROM orders WHERE id NOT BETWEEN 10 AND 140;

SELECT id FROM orders WHERE id BETWEEN SYMMETRIC 20 AND 10;

SELECT id FROM orders WHERE product LIKE 'c%';

SELECT id FROM orders WHERE product LIKE '%a\%b\_c%';

SELECT id FROM orders WHERE product LIKE 'a!%b!_c\d' ESCAPE '!';

SELECT id FROM orders WHERE product NOT LIKE '%e%';

SELECT id FROM orders WHERE product ILIKE '%SOFA%';

SELECT id FROM orders WHERE product SIMILAR TO '(desk|lamp)%';

SELECT id FROM orders WHERE product ~ '^[a-z]+$';

SELECT id FROM orders WHERE product !~* '^[a-l]';

SELECT id FROM orders WHERE starts_with(product, 'cr');

SELECT id FROM orders WHERE product = '';

SELECT id FROM orders WHERE product > 'm' COLLATE "C";

SELECT id FROM orders WHERE price * quantity > 5000;

SELECT id FROM orders WHERE discount IS NULL AND shipped IS NULL;

SELECT id FROM orders WHERE shipped > ordered_at;

SELECT id FROM orders WHERE shipped = '2025-01-20'::date;

SELECT id FROM orders WHERE ordered_at >= '2025-01-05'::timestamp AND ordered_at < '2025-01-06'::timestamp;

SELECT id FROM orders WHERE false;

SELECT id FROM orders WHERE NULL;

SELECT id FROM orders WHERE random() >= 0;

SELECT id FROM orders WHERE id % 50 = 0 AND length(product) IN (SELECT 4);

SELECT id FROM orders WHERE CASE WHEN region IS NULL THEN id < 50 ELSE id > 140 END;

SELECT id, CASE quantity WHEN 0 THEN 'none' WHEN 1 THEN 'one' ELSE 'many' END FROM orders;

SELECT id, COALESCE(region, note, '?') FROM orders;

SELECT id, NULLIF(quantity, 3) FROM orders;

SELECT id, GREATEST(quantity, customer_id), LEAST(price, id) FROM orders;

SELECT id, region || '/' || product FROM orders;

SELECT id, price / NULLIF(quantity, 0), price % 7, -price, @ price FROM orders;

SELECT id, quantity / 2, quantity % 4, quantity << 2, quantity & 3, quantity # 5, ~ quantity FROM orders;

SELECT n, small::integer * 2, big / 3, big % 7 FROM numbers;

SELECT n, f, d, huge FROM numbers WHERE d > 0;

SELECT n FROM numbers WHERE d = 'NaN'::double precision;

SELECT n FROM numbers WHERE d < f;

SELECT n FROM numbers WHERE f = 0;

SELECT n FROM numbers WHERE huge > 9223372036854775807;

SELECT n, huge + 1, huge / 7, huge::text FROM numbers;

SELECT id FROM events WHERE code = '002880fb-0000-4000-8000-000000000001'::uuid OR code > '003f0000-0000-4000-8000-000000000000';

SELECT id FROM events WHERE raw < '\x100000'::bytea;

SELECT id FROM events WHERE took > interval '40 days';

SELECT id FROM events WHERE clock BETWEEN time '12:00' AND time '12:30';

SELECT id FROM events WHERE at < timestamptz '2025-03-30 01:00:00+00' AND kind = 'buy';

SELECT id FROM events WHERE payload IS NULL;

SELECT id FROM events WHERE payload @> '{"a": null}';

SELECT id FROM orders ORDER BY id DESC LIMIT 5;

SELECT id FROM orders ORDER BY id LIMIT 5 OFFSET 140;

SELECT id FROM orders ORDER BY id OFFSET 145;

SELECT id FROM orders ORDER BY id LIMIT 0;

SELECT id FROM orders ORDER BY id LIMIT ALL;

SELECT id FROM orders ORDER BY id LIMIT (SELECT count(*) / 100 FROM orders);

SELECT id FROM orders ORDER BY id FETCH FIRST 3 ROWS ONLY;

SELECT quantity FROM orders ORDER BY quantity FETCH FIRST 10 ROWS WITH TIES;

SELECT count(*) FROM (SELECT id FROM orders LIMIT 7) AS few;

SELECT region, id FROM orders ORDER BY region, id;

SELECT region, id FROM orders ORDER BY region DESC, id;

SELECT region, id FROM orders ORDER BY region NULLS FIRST, id DESC;

SELECT region, id FROM orders ORDER BY region DESC NULLS LAST, id;

SELECT product, id FROM orders ORDER BY product COLLATE "C" DESC, id;

SELECT id FROM orders ORDER BY lower(product), price, id;

SELECT id FROM orders ORDER BY price * quantity DESC, id;

SELECT id, price FROM orders ORDER BY 2 DESC, 1;

SELECT id AS number, price FROM orders ORDER BY number;

SELECT id FROM orders ORDER BY paid, paid IS NULL, id;

SELECT n, d FROM numbers ORDER BY d, n;

SELECT n, f FROM numbers ORDER BY f DESC NULLS LAST, n;

SELECT name FROM customers ORDER BY name USING >;

SELECT id FROM events ORDER BY code;

SELECT id FROM events ORDER BY raw DESC, id LIMIT 20;

SELECT id FROM events ORDER BY took, id LIMIT 20;

SELECT id FROM events ORDER BY at, id LIMIT 20 OFFSET 5;

SELECT id FROM events ORDER BY amount NULLS FIRST, id LIMIT 80;

SELECT DISTINCT region FROM orders;

SELECT DISTINCT region, quantity FROM orders;

SELECT DISTINCT quantity % 3 AS third FROM orders ORDER BY third;

SELECT DISTINCT d, f FROM numbers;

SELECT DISTINCT ON (region) region, id FROM orders ORDER BY region, id DESC;

SELECT DISTINCT ON (quantity, paid) quantity, paid, price, id FROM orders ORDER BY quantity, paid NULLS FIRST, price DESC, id;

SELECT DISTINCT ON (date_trunc('day', ordered_at)) ordered_at, id FROM orders ORDER BY date_trunc('day', ordered_at), ordered_at DESC, id;

SELECT "select", "Mixed Case" FROM "Odd Names" WHERE "Ünï.ï" > 9;

SELECT "Odd Names"."with ""quotes"" in" AS "as quoted" FROM "Odd Names" ORDER BY "Mixed Case", "select" DESC;

SELECT o."select" * 2 AS "two ""x""" FROM "Odd Names" AS o WHERE o."Mixed Case" = 'v1';

TABLE customers;

SELECT o.id AS a FROM orders AS o (id, other) WHERE o.other = 3;

SELECT count(note), count(*), count(region) FROM orders WHERE id > (SELECT avg(id) FROM orders);

SELECT generate_series(1, quantity) AS unit, id FROM orders WHERE id < 6;

SELECT unnest(string_to_array(product, 'e')), id FROM orders WHERE id < 20;

SELECT id, unnest(ARRAY[id, quantity]), generate_series(1, 3) FROM orders WHERE quantity = 2;
