-- What PostgreSQL does to tables of its own alone, or session tables do not take.

-- refused: 0A000 cannot insert into foreign table
INSERT INTO orders (id) VALUES (1);

-- refused: 0A000 cannot insert into foreign table
INSERT INTO orders SELECT * FROM orders;

-- refused: 0A000 cannot update foreign table
UPDATE orders SET price = 0 WHERE id = 1;

-- refused: 0A000 cannot update foreign table
UPDATE orders SET price = c.id FROM customers AS c WHERE c.id = orders.customer_id;

-- refused: 0A000 cannot delete from foreign table
DELETE FROM orders;

-- refused: 0A000 cannot delete from foreign table
DELETE FROM orders USING customers AS c WHERE c.id = orders.customer_id RETURNING orders.id;

-- refused: 0A000 cannot execute MERGE on relation
MERGE INTO orders AS o USING customers AS c ON o.id = c.id WHEN MATCHED THEN DELETE;

-- refused: 0A000 cannot truncate foreign table
TRUNCATE orders;

-- refused: 0A000 TABLESAMPLE clause can only be applied to tables
SELECT * FROM orders TABLESAMPLE BERNOULLI (10);

-- refused: 42809 cannot create index on relation
CREATE INDEX ON orders (id);

-- refused: 0A000 primary key constraints are not supported on foreign tables
ALTER TABLE orders ADD PRIMARY KEY (id);

-- refused: 42809 referenced relation "orders" is not a table
CREATE TABLE child (id integer REFERENCES orders (id));

-- refused: 42809 cannot copy from foreign table
COPY orders TO STDOUT;

-- refused: 42809 "orders" is not a table or materialized view
CLUSTER orders;

-- refused: 42809 Foreign tables cannot have constraint triggers
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();

-- refused: 42809 ALTER action ENABLE ROW SECURITY cannot be performed on relation
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;

-- refused: 0A000 cannot insert into foreign table
CREATE VIEW v AS SELECT id FROM orders;
INSERT INTO v VALUES (1);

-- refused: 0A000 cannot update foreign table
DO $$ BEGIN UPDATE orders SET id = 2; END $$;

-- refused: 0A000 cannot insert into foreign table
CREATE TABLE base (a integer, b integer, weight numeric(6,2)) PARTITION BY RANGE (a);
ALTER TABLE base ATTACH PARTITION edges FOR VALUES FROM (0) TO (100);
INSERT INTO base VALUES (1, 2, 3);

-- refused: 42703 column "no_such" does not exist
SELECT no_such, xmin FROM orders;
