-- Values of each type through functions, operators and casts.

SELECT id, upper(name), lower(name), initcap(name), length(name), octet_length(name), reverse(name) FROM customers;

SELECT id, substring(product FROM 2 FOR 3), left(product, -1), right(product, 2), overlay(product PLACING 'XX' FROM 2) FROM orders;

SELECT id, position('e' IN product), strpos(product, 'ü'), split_part(product, ' ', 1) FROM orders;

SELECT id, trim(name), ltrim(name, 'A'), btrim(name, 'An '), rpad(name, 6, '.'), lpad(name, 3) FROM customers;

SELECT id, replace(product, 'e', '3'), translate(product, 'aeiou', '12345'), repeat(product, 2) FROM orders;

SELECT id, regexp_replace(product, '[aeiou]', '-', 'g'), (regexp_match(product, '(.)e'))[1], regexp_count(product, 'e') FROM orders;

SELECT id, md5(product), encode(sha256(raw), 'hex') FROM orders JOIN events USING (id) WHERE id < 30;

SELECT id, format('%s-%I-%L', id, product, note) FROM orders;

SELECT id, concat(id, region, paid), concat_ws('|', region, note, id) FROM orders;

SELECT id, ascii(name), chr(64 + id), quote_literal(name), quote_nullable(country) FROM customers;

SELECT id, name COLLATE "C" < 'a', name < country FROM customers;

SELECT id, to_char(price, 'FM999,990.00'), to_char(ordered_at, 'YYYY-MM-DD HH24:MI:SS.MS'), to_char(id, 'RN') FROM orders;

SELECT id, round(price), trunc(price, 1), ceil(price), floor(-price), sign(price - 500), abs(quantity - 5) FROM orders;

SELECT n, round(d), trunc(f::numeric, 1), sign(huge), abs(big / 2), huge % 10 FROM numbers WHERE n NOT IN (3, 5, 6, 7);

SELECT n, power(2, small), sqrt(abs(small)), exp(1.5), ln(10 + abs(small)), width_bucket(small, -10, 10, 4) FROM numbers WHERE small BETWEEN -50 AND 50;

SELECT n, div(huge, 3), mod(huge, 7), gcd(abs(small::integer), 14), scale(huge), huge::double precision FROM numbers WHERE huge IS NOT NULL;

SELECT n, small::text, big::text, f::text, d::text, huge::text FROM numbers;

SELECT n, d::real, f::double precision, f::numeric, d::numeric FROM numbers WHERE n IN (1, 2, 9, 11, 12);

SELECT n, d = f, d > huge, f <> d FROM numbers;

SELECT n, isfinite(interval '1 day' * small), d::text::double precision = d FROM numbers;

SELECT id, price::integer, price::text, id::boolean, paid::integer, paid::text, quantity::real, price::money FROM orders;

SELECT id, extract(year FROM ordered_at), extract(epoch FROM ordered_at), date_part('dow', ordered_at), extract(isodow FROM shipped) FROM orders;

SELECT id, date_trunc('hour', ordered_at), date_bin('15 minutes', ordered_at, '2001-01-01'), ordered_at::date, ordered_at::time FROM orders;

SELECT id, shipped - ordered_at, shipped - 7, shipped + interval '1 month', age(shipped, ordered_at::date) FROM orders;

SELECT id, ordered_at + discount * interval '1 day', (shipped, interval '5 days') OVERLAPS (ordered_at::date, interval '1 day') FROM orders;

SELECT id, born, age(date '2025-06-01', born), make_date(2025, extract(month FROM born)::integer, 1), to_char(born, 'TMDay DDD') FROM customers;

SET LOCAL TimeZone = 'America/New_York';
SELECT id, at, at::date, date_trunc('day', at), extract(hour FROM at), to_char(at, 'HH24:MI TZ') FROM events;

SET LOCAL TimeZone = 'Europe/Berlin';
SELECT at::date AS day, count(*) FROM events GROUP BY day ORDER BY day;

SELECT id, at AT TIME ZONE 'Asia/Kolkata', (at AT TIME ZONE 'UTC') AT TIME ZONE 'Europe/Paris', ordered_at AT TIME ZONE 'UTC' FROM events JOIN orders USING (id);

SELECT id FROM events WHERE at BETWEEN '2025-03-30 00:30' AND '2025-03-30 03:30';

SET LOCAL DateStyle = 'German';
SET LOCAL IntervalStyle = 'iso_8601';
SELECT id, ordered_at, shipped, shipped - ordered_at FROM orders;

SET LOCAL DateStyle = 'SQL, DMY';
SELECT id FROM orders WHERE shipped = '05/02/2025';

SET LOCAL extra_float_digits = -10;
SELECT n, f, d FROM numbers;

SET LOCAL bytea_output = 'escape';
SELECT id, raw FROM events WHERE id < 50;

SELECT id, took, extract(epoch FROM took), justify_hours(took), -took, took * 2.5, took > interval '1 week' FROM events;

SELECT id, clock + took, clock - time '06:00', extract(minute FROM clock), clock::interval FROM events;

SELECT id, raw || '\xff', length(raw), get_byte(raw, 1), substring(raw FROM 2), encode(raw, 'base64'), raw = '\x001003' FROM events;

SELECT id, code::text, substr(code::text, 1, 8), code = '00000000-0000-0000-0000-000000000000' FROM events;

SELECT id, payload -> 'a', payload ->> 'c', payload #>> '{a,b}', jsonb_typeof(payload), payload ? 'a' FROM events;

SELECT id, payload || '{"x": 1}', payload - 'a', jsonb_pretty(payload), payload @? '$.a.b' FROM events WHERE jsonb_typeof(payload) = 'object';

SELECT DISTINCT payload FROM events WHERE payload < '{"b": 1}' ORDER BY payload;

SELECT id, jsonb_array_length(payload), payload -> -1 FROM events WHERE jsonb_typeof(payload) = 'array' AND id < 60;

SELECT id, profile ->> 'level', (profile ->> 'ratio')::numeric * 2, profile -> 'tags' -> 0, profile['level'] FROM customers;

SELECT profile ->> 'level' AS level, count(*) FROM customers GROUP BY level ORDER BY level;

SELECT id, e.value FROM events, jsonb_path_query(payload, '$.c[*]') AS e (value);

SELECT kind::text || '!', kind = 'buy', kind IN ('view', 'none') FROM events WHERE id < 20;

SELECT id, ARRAY[id, quantity], quantity = ANY (ARRAY[1, 2]), cardinality(string_to_array(product, NULL)) FROM orders;

SELECT id, num_nulls(region, paid, note), num_nonnulls(region, paid) FROM orders;

SELECT id, int4range(id, id + quantity + 1) @> 20, daterange(shipped, shipped + 5) FROM orders WHERE id < 40;

SELECT id, to_tsvector('simple', product) @@ to_tsquery('simple', 'lamp | sofa') FROM orders;

SELECT id, hashtext(product), hashint4(id) FROM orders;

SELECT pg_typeof(id), pg_typeof(price), pg_typeof(ordered_at), pg_typeof(product), pg_typeof(paid) FROM orders LIMIT 1;

SELECT pg_typeof(n), pg_typeof(big), pg_typeof(f), pg_typeof(d), pg_typeof(huge) FROM numbers LIMIT 1;

SELECT id, current_user = session_user, current_schema() IS NOT NULL, now() > ordered_at FROM orders WHERE id < 3;

SELECT id, pg_column_size(quantity), product IS NORMALIZED, normalize(product, NFD) FROM orders WHERE id < 30;
