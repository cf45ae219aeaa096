-- Views, materialized views, partitions, inheritance, functions, rules over session tables.

CREATE VIEW v AS SELECT id, price FROM orders WHERE price > 100;
SELECT count(*) FROM v WHERE price < 200;
SELECT v.id, c.name FROM v JOIN customers AS c USING (id);

CREATE VIEW v AS SELECT region, count(*) AS n FROM orders GROUP BY region;
SELECT * FROM v WHERE n > 40 ORDER BY region;
CREATE VIEW w AS SELECT * FROM v WHERE region IS NOT NULL;
SELECT sum(n) FROM w;

CREATE VIEW guarded WITH (security_barrier) AS SELECT id, price FROM orders WHERE quantity > 4;
CREATE FUNCTION pg_temp.leak(numeric) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE NOTICE '%', $1; RETURN true; END $$;
SELECT id FROM guarded WHERE pg_temp.leak(price) AND id < 40;

CREATE VIEW asked WITH (security_invoker) AS SELECT name FROM customers;
SELECT count(DISTINCT name) FROM asked;

CREATE RECURSIVE VIEW up (id, parent_id) AS SELECT id, parent_id FROM customers WHERE id = 39 UNION ALL SELECT c.id, c.parent_id FROM customers AS c JOIN up ON c.id = up.parent_id;
SELECT * FROM up;

CREATE MATERIALIZED VIEW m AS SELECT customer_id, sum(price) AS total FROM orders GROUP BY customer_id;
SELECT * FROM m ORDER BY customer_id;
CREATE UNIQUE INDEX ON m (customer_id);
REFRESH MATERIALIZED VIEW m;
SELECT c.id, m.total FROM customers AS c LEFT JOIN m ON m.customer_id = c.id;

-- fails: it has no rows yet
CREATE MATERIALIZED VIEW m AS SELECT * FROM events WITH NO DATA;
SELECT count(*) FROM m;

CREATE TABLE parent (id integer, customer_id integer, product text, region text, quantity smallint, price numeric(10,2), discount double precision, ordered_at timestamp, shipped date, paid boolean, note text) PARTITION BY RANGE (id);
ALTER TABLE parent ATTACH PARTITION orders FOR VALUES FROM (1) TO (1000);
CREATE TABLE later PARTITION OF parent FOR VALUES FROM (1000) TO (2000);
INSERT INTO later (id, product, price) VALUES (1001, 'new', 5);
SELECT count(*), max(id), sum(price) FROM parent;
SELECT id, product FROM parent WHERE id IN (3, 1001);
SELECT id FROM parent WHERE id > 1500;
SELECT tableoid::regclass::text, count(*) FROM parent GROUP BY 1;
SELECT p.id, c.name FROM parent AS p JOIN customers AS c ON c.id = p.customer_id WHERE p.price < 50;
SELECT id FROM parent ORDER BY id DESC LIMIT 4;
SELECT p FROM parent AS p WHERE id = 7;

CREATE TABLE base (a integer, b integer, weight numeric(6,2));
INSERT INTO base VALUES (90, 91, 1.5);
ALTER TABLE edges INHERIT base;
SELECT count(*), sum(weight) FROM base;
SELECT count(*) FROM ONLY base;
SELECT tableoid::regclass::text, a FROM base WHERE b = 4;
SELECT count(*) FROM base AS x JOIN base AS y ON x.b = y.a;

CREATE TABLE wide (weight numeric(6,2), b integer);
ALTER TABLE edges INHERIT wide;
SELECT * FROM wide WHERE b > 10 ORDER BY weight, b;
SELECT w FROM wide AS w WHERE w.weight = 0;

CREATE TABLE together (id bigint, order_id integer, kind text) PARTITION BY HASH (id);
CREATE TABLE part_one PARTITION OF together FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE part_two PARTITION OF together FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO together SELECT id, order_id, kind FROM events WHERE id % 2 = 0 ON CONFLICT DO NOTHING;
SELECT t.id, o.product FROM together AS t JOIN orders AS o ON o.id = t.order_id;

CREATE FUNCTION pg_temp.total(customer integer) RETURNS numeric LANGUAGE sql STABLE AS $$ SELECT sum(price) FROM orders WHERE customer_id = customer $$;
SELECT id, pg_temp.total(id) FROM customers;

CREATE FUNCTION pg_temp.prices(least_price numeric) RETURNS TABLE (id integer, price numeric) LANGUAGE sql STABLE AS $$ SELECT o.id, o.price FROM orders AS o WHERE o.price > least_price $$;
SELECT count(*) FROM pg_temp.prices(800);
SELECT c.id, p.price FROM customers AS c JOIN pg_temp.prices(900) AS p USING (id);

CREATE FUNCTION pg_temp.counted() RETURNS bigint LANGUAGE sql RETURN (SELECT count(*) FROM orders AS o JOIN customers AS c ON c.id = o.customer_id);
SELECT pg_temp.counted();

CREATE FUNCTION pg_temp.looped() RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE r record; total bigint := 0; BEGIN FOR r IN SELECT id, quantity FROM orders ORDER BY id LOOP total := total + r.quantity; EXIT WHEN r.id > 100; END LOOP; RETURN total; END $$;
SELECT pg_temp.looped();

DO $$ DECLARE r record; BEGIN FOR r IN SELECT id, name FROM customers WHERE vip ORDER BY id LOOP CONTINUE WHEN r.id % 2 = 0; RAISE NOTICE '% %', r.id, r.name; END LOOP; END $$;

DO $$ DECLARE r record; n bigint; BEGIN FOR r IN SELECT id FROM customers ORDER BY id LIMIT 6 LOOP SELECT count(*) INTO n FROM orders WHERE customer_id = r.id; RAISE NOTICE '% has %', r.id, n; END LOOP; END $$;

DO $$ DECLARE c CURSOR (least integer) FOR SELECT id FROM orders WHERE id >= least ORDER BY id; i integer; BEGIN OPEN c (140); FETCH c INTO i; RAISE NOTICE '%', i; MOVE FORWARD 3 IN c; FETCH c INTO i; RAISE NOTICE '%', i; CLOSE c; END $$;

DO $$ BEGIN FOR i IN 1..30 LOOP BEGIN PERFORM 1 / (id - i) FROM customers ORDER BY id; EXCEPTION WHEN division_by_zero THEN RAISE NOTICE 'caught at %', i; END; END LOOP; END $$;

DO $$ DECLARE ids integer[]; one orders%ROWTYPE; BEGIN SELECT array_agg(id ORDER BY id) INTO ids FROM orders WHERE quantity = 1; RAISE NOTICE '%', ids; SELECT * INTO STRICT one FROM orders WHERE id = 8; RAISE NOTICE '%', one; END $$;

DO $$ DECLARE one record; BEGIN SELECT * INTO STRICT one FROM orders WHERE quantity = 1; EXCEPTION WHEN too_many_rows THEN RAISE NOTICE 'too many'; END $$;

DO $$ DECLARE n bigint; t text; BEGIN FOREACH t IN ARRAY ARRAY['orders', 'customers', 'nothing'] LOOP EXECUTE format('SELECT count(*) FROM %I WHERE id > $1', t) INTO n USING 20; RAISE NOTICE '% %', t, n; END LOOP; END $$;

DO $$ DECLARE n integer; BEGIN PERFORM FROM orders WHERE id > 130; GET DIAGNOSTICS n = ROW_COUNT; RAISE NOTICE '% %', n, FOUND; PERFORM FROM nothing; RAISE NOTICE '%', FOUND; END $$;

CREATE FUNCTION pg_temp.opened(OUT c refcursor) LANGUAGE plpgsql AS $$ BEGIN c := 'named'; OPEN c FOR SELECT id FROM orders ORDER BY id DESC; END $$;
SELECT pg_temp.opened();
FETCH 3 FROM named;

CREATE FUNCTION pg_temp.each() RETURNS SETOF text LANGUAGE plpgsql AS $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM customers ORDER BY id LOOP RETURN NEXT r.name; IF r.id = 11 THEN RETURN; END IF; END LOOP; END $$;
SELECT * FROM pg_temp.each() AS name;

CREATE FUNCTION pg_temp.queried(text) RETURNS SETOF orders LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'SELECT * FROM orders WHERE region = $1' USING $1; RETURN QUERY SELECT * FROM orders WHERE region IS NULL; END $$;
SELECT id, region FROM pg_temp.queried('east');

CREATE AGGREGATE pg_temp.longest (text) (SFUNC = text_larger, STYPE = text);
SELECT pg_temp.longest(product) FROM orders;

CREATE TEMP TABLE log (id integer, product text) ON COMMIT DROP;
CREATE FUNCTION pg_temp.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.product := (SELECT product FROM orders WHERE id = NEW.id); RETURN NEW; END $$;
CREATE TRIGGER note BEFORE INSERT ON log FOR EACH ROW EXECUTE FUNCTION pg_temp.note();
INSERT INTO log (id) SELECT id FROM customers WHERE id < 8;
SELECT * FROM log ORDER BY id;

CREATE TEMP TABLE seen (id integer, at timestamp DEFAULT '2025-01-01') ON COMMIT DROP;
CREATE RULE seen_too AS ON INSERT TO seen WHERE NEW.id > 3 DO ALSO SELECT count(*) FROM orders WHERE id = NEW.id;
INSERT INTO seen SELECT id FROM customers WHERE id < 6;
SELECT count(*) FROM seen;

CREATE TYPE pair AS (a integer, b text);
SELECT ROW(id, name)::pair FROM customers WHERE id < 4;
SELECT (ROW(id, name)::pair).b FROM customers WHERE id = 5;

CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
SELECT id::positive FROM customers;

CREATE OPERATOR === (FUNCTION = int4eq, LEFTARG = integer, RIGHTARG = integer);
SELECT id FROM orders WHERE customer_id === 7;

CREATE STATISTICS st ON id, name FROM customers;

COMMENT ON COLUMN orders.id IS 'number';
SELECT col_description('orders'::regclass, 1);

ALTER TABLE orders RENAME COLUMN product TO article;
SELECT article FROM orders WHERE id = 3;
ALTER TABLE orders RENAME TO sales;
SELECT max(article) FROM sales;

ALTER TABLE orders DROP COLUMN note;
SELECT * FROM orders WHERE id < 4;
SELECT o FROM orders AS o WHERE id = 4;

ALTER TABLE orders ALTER COLUMN quantity TYPE bigint, ALTER COLUMN price TYPE text;
SELECT quantity, price FROM orders ORDER BY id LIMIT 9;

ALTER TABLE orders ALTER COLUMN product TYPE varchar(40);
SELECT product FROM orders WHERE id < 9;

ALTER TABLE orders ADD CONSTRAINT sane CHECK (id > 0) NOT VALID;
SET LOCAL constraint_exclusion = on;
SELECT count(*) FROM orders WHERE id < 0;
SELECT count(*) FROM orders WHERE id < 10;
