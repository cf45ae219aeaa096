"""Texts that a session may store to reach what is not its own; none may show anything.

Each of VIEWS is the text of a view; each of OTHERS makes a view or table `v`. They may use the table `t` of
their own session, and the session `neighbour`, which is attached when they are made and when they are read.
"""

from __future__ import annotations

from collections.abc import Sequence

SECRET = "the-secret-of-the-neighbour"

NEIGHBOUR = (
    f"CREATE TABLE t AS SELECT '{SECRET}' AS i",
    f"CREATE TYPE mood AS ENUM ('{SECRET}')",
    f"CREATE MACRO lower(x) AS '{SECRET}'",
    f"CREATE MACRO own(x) AS '{SECRET}'",
    f"CREATE MACRO rows() AS TABLE SELECT '{SECRET}' AS i",
    "CREATE SCHEMA s",
    f"CREATE TABLE s.t AS SELECT '{SECRET}' AS i",
)

OWN = "CREATE TABLE t AS SELECT 1::VARCHAR AS k, 1 AS i"

SETTING = "current_setting('temp_directory')"

VIEWS = {
    "databases": "SELECT path AS k FROM duckdb_databases()",
    "databases_view": "SELECT path AS k FROM duckdb_databases",
    "settings": "SELECT value AS k FROM duckdb_settings()",
    "settings_qualified": "SELECT value AS k FROM system.main.duckdb_settings()",
    "settings_view": "SELECT setting AS k FROM pg_settings",
    "settings_view_qualified": "SELECT setting AS k FROM pg_catalog.pg_settings",
    "settings_fully_qualified": "SELECT setting AS k FROM system.pg_catalog.pg_settings",
    "database_list": "SELECT file AS k FROM pragma_database_list",
    "pragma": "SELECT database_name AS k FROM pragma_database_size()",
    "setting": f"SELECT {SETTING} AS k",
    "setting_quoted": "SELECT \"CURRENT_setting\"('secret_directory') AS k",
    "setting_qualified": "SELECT system.main.current_setting('temp_directory') AS k",
    "setting_half_qualified": "SELECT main.current_setting('temp_directory') AS k",
    "setting_as_method": "SELECT 'temp_directory'.current_setting() AS k",
    "setting_in_lambda": (
        "SELECT list_transform(['temp_directory'], lambda x: current_setting('temp_directory')) AS k"
    ),
    "setting_in_filter": f"SELECT 1 AS k WHERE {SETTING} LIKE '/%'",
    "setting_in_order": f"SELECT i AS k FROM t ORDER BY {SETTING}, i",
    "setting_in_limit": f"SELECT i AS k FROM t LIMIT (SELECT length({SETTING}))",
    "setting_in_window": f"SELECT max({SETTING}) OVER (PARTITION BY i) AS k FROM t",
    "setting_in_window_order": f"SELECT sum(i) OVER (ORDER BY {SETTING}) AS k FROM t",
    "setting_in_aggregate_filter": f"SELECT count(*) FILTER ({SETTING} LIKE '/%') AS k FROM t",
    "setting_in_aggregate_order": f"SELECT string_agg(i, '' ORDER BY {SETTING}) AS k FROM t",
    "setting_in_join": f"SELECT a.i AS k FROM t a JOIN t b ON {SETTING} > '' AND a.i = b.i",
    "setting_in_having": f"SELECT i AS k FROM t GROUP BY i HAVING {SETTING} > ''",
    "setting_in_qualify": f"SELECT i AS k FROM t QUALIFY row_number() OVER () = length({SETTING})",
    "setting_in_group": f"SELECT {SETTING} AS k FROM t GROUP BY ALL",
    "setting_in_struct": f"SELECT {{'a': {SETTING}}} AS k",
    "setting_in_list": f"SELECT [{SETTING}] AS k",
    "setting_in_case": f"SELECT CASE WHEN i = 1 THEN {SETTING} END AS k FROM t",
    "setting_in_values": f"SELECT * FROM (VALUES ({SETTING})) AS v(k)",
    "setting_in_range": f"SELECT i AS k FROM range(length({SETTING})) r(i)",
    "setting_in_unnest": f"SELECT unnest([{SETTING}]) AS k",
    "setting_in_cte": f"WITH c AS (SELECT {SETTING} AS k) SELECT k FROM c",
    "setting_in_recursive": (
        f"WITH RECURSIVE c(k) AS (SELECT '' UNION SELECT {SETTING} FROM c) SELECT k FROM c"
    ),
    "setting_in_union": f"SELECT '' AS k UNION ALL SELECT {SETTING}",
    "setting_in_error": f"SELECT error({SETTING}) AS k",
    "setting_in_pivot": (
        f"SELECT * FROM (PIVOT (SELECT 'x' AS a, {SETTING} AS b) ON a IN ('x') USING max(b) AS k)"
    ),
    "setting_in_replace": f"SELECT * REPLACE ({SETTING} AS i) FROM t",
    "setting_in_cast": f"SELECT CAST({SETTING} AS INTEGER) AS k",
    "cte_hides": "WITH pg_settings AS (SELECT setting AS k FROM pg_settings) SELECT k FROM pg_settings",
    "cte_elsewhere": "SELECT setting AS k FROM pg_settings, (WITH pg_settings AS (SELECT 1) SELECT 1)",
    "query": f"SELECT * FROM query('SELECT ''' || {SETTING} || ''' AS k')",
    "query_parts": "SELECT * FROM query('SELECT path AS k FROM duckdb_' || 'databases()')",
    "query_names": f"SELECT * FROM query('SELECT 1 AS \"' || {SETTING} || '\"')",
    "query_table": "SELECT * FROM query_table('t')",
    "plan": "SELECT json_serialize_plan('SELECT current_setting(''temp_directory'')') AS k",
    "serialized": (
        "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT path AS k FROM "
        "duckdb_databases()'))"
    ),
    "shown_databases": "SELECT database_name AS k FROM (SHOW DATABASES)",
    "summarized": "SELECT column_name AS k FROM (SUMMARIZE t)",
    "current_query": "SELECT current_query() AS k",
    "variable": "SELECT getvariable('x') AS k",
    "logs": "SELECT message AS k FROM duckdb_logs",
    "log_it": "SELECT write_log('x') AS k",
    "spill_files": "SELECT path AS k FROM duckdb_temporary_files()",
    "secrets": "SELECT name AS k FROM duckdb_secrets()",
    "extensions": "SELECT install_path AS k FROM duckdb_extensions()",
    "columns": "SELECT column_name AS k FROM duckdb_columns()",
    "information_schema": "SELECT catalog_name AS k FROM information_schema.schemata",
    "sqlite_master": "SELECT sql AS k FROM sqlite_master",
    "viewdef": "SELECT pg_get_viewdef(1) AS k",
    "enable_logging": "SELECT * FROM enable_logging()",
    "checkpoint": "SELECT * FROM checkpoint()",
    "glob": "SELECT file AS k FROM glob('/etc/*')",
    "neighbour": "SELECT i AS k FROM neighbour.main.t",
    "neighbour_short": "SELECT i AS k FROM neighbour.t",
    "neighbour_schema": "SELECT i AS k FROM neighbour.s.t",
    "neighbour_macro": "SELECT neighbour.main.lower('X') AS k",
    "neighbour_macro_short": "SELECT neighbour.lower('X') AS k",
    "neighbour_table_macro": "SELECT i AS k FROM neighbour.main.rows()",
    "neighbour_type": "SELECT enum_range(NULL::neighbour.main.mood)::VARCHAR AS k",
    "neighbour_type_short": "SELECT enum_range(NULL::neighbour.mood)::VARCHAR AS k",
    "neighbour_type_in_struct": "SELECT NULL::STRUCT(a neighbour.main.mood) AS k",
    "neighbour_in_subquery": "SELECT (SELECT i FROM neighbour.main.t) AS k",
    "neighbour_in_lateral": "SELECT x.i AS k FROM t, LATERAL (SELECT i FROM neighbour.main.t) AS x",
    "sleep": "SELECT sleep_ms(1) AS k",
}

OTHERS: dict[str, Sequence[str]] = {
    "sequence": ["CREATE SEQUENCE s", "CREATE VIEW v AS SELECT nextval('s') AS k"],
    "schema_named_as_the_neighbour": [
        "CREATE SCHEMA neighbour",
        "CREATE VIEW v AS SELECT i AS k FROM neighbour.main.t",
    ],
    "type_of_the_neighbour": [
        "CREATE TYPE mood AS ENUM ('x')",
        "CREATE VIEW v AS SELECT CAST(NULL AS neighbour.main.mood)::VARCHAR AS k",
    ],
    "constant_macro_in_place_of_a_function": [
        "CREATE MACRO upper(x) AS 'x'",
        "CREATE VIEW v AS SELECT upper('y') AS k",
    ],
    "view_on_view": [f"CREATE VIEW w AS SELECT {SETTING} AS k", "CREATE VIEW v AS SELECT k FROM w"],
    "macro": [f"CREATE MACRO m() AS {SETTING}", "CREATE VIEW v AS SELECT m() AS k"],
    "macro_in_schema": [
        "CREATE SCHEMA x",
        f"CREATE MACRO x.m() AS {SETTING}",
        "CREATE VIEW v AS SELECT x.m() AS k",
    ],
    "macro_of_macro": [
        f"CREATE MACRO m() AS {SETTING}",
        "CREATE MACRO n(x) AS x || m()",
        "CREATE VIEW v AS SELECT n('') AS k",
    ],
    "macro_default": [f"CREATE MACRO m(x, y := {SETTING}) AS x || y", "CREATE VIEW v AS SELECT m('') AS k"],
    "macro_overloaded": [
        f"CREATE MACRO m(x) AS x, (x, y) AS x || y || {SETTING}",
        "CREATE VIEW v AS SELECT m('', '') AS k",
    ],
    "table_macro": [
        "CREATE MACRO m() AS TABLE SELECT path AS k FROM duckdb_databases()",
        "CREATE VIEW v AS SELECT k FROM m()",
    ],
    "table_macro_by_name": [
        "CREATE MACRO m(x) AS TABLE SELECT * FROM query_table(x)",
        "CREATE VIEW v AS SELECT i AS k FROM m('t')",
    ],
    "operator": [f'CREATE MACRO "+"(a, b) AS {SETTING}', "CREATE VIEW v AS SELECT 'x' + 'y' AS k"],
    "current_user": [
        f"CREATE MACRO current_user() AS {SETTING}",
        "CREATE VIEW v AS SELECT current_user AS k",
    ],
    "built_in": [f"CREATE MACRO lower(x) AS {SETTING}", "CREATE VIEW v AS SELECT lower('x') AS k"],
    "generated": [
        f"CREATE TABLE v (i INTEGER, k VARCHAR GENERATED ALWAYS AS ({SETTING}))",
        "INSERT INTO v VALUES (1)",
    ],
    "generated_by_macro": [
        f"CREATE MACRO m() AS {SETTING}",
        "CREATE TABLE v (i INTEGER, k VARCHAR GENERATED ALWAYS AS (m()))",
        "INSERT INTO v VALUES (1)",
    ],
    "view_on_generated": [
        f"CREATE TABLE w (i INTEGER, k VARCHAR GENERATED ALWAYS AS ({SETTING}))",
        "INSERT INTO w VALUES (1)",
        "CREATE VIEW v AS SELECT k FROM w",
    ],
    "same_schema": [
        "CREATE SCHEMA neighbour",
        "CREATE TABLE attacker.neighbour.x AS SELECT 1 AS i",
        "CREATE VIEW v AS SELECT i AS k FROM neighbour.main.t",
    ],
    "table_like_a_system_view": [
        "CREATE SCHEMA x",
        "CREATE TABLE x.pg_settings AS SELECT '' AS setting",
        "CREATE VIEW v AS SELECT setting AS k FROM pg_settings",
    ],
    "strange_view_name": [
        f'CREATE VIEW "w AS SELECT 1; --" AS SELECT {SETTING} AS k',
        'CREATE VIEW v AS FROM "w AS SELECT 1; --"',
    ],
    "twin_in_unicode": [
        f'CREATE VIEW "É" AS SELECT {SETTING} AS k',
        'CREATE VIEW "é" AS SELECT 1 AS k',
        'CREATE VIEW v AS FROM "É"',
    ],
    "macro_with_a_twin_in_unicode": [
        f'CREATE MACRO "É"() AS {SETTING}',
        'CREATE MACRO "é"() AS 1',
        'CREATE VIEW v AS SELECT "É"() AS k',
    ],
    "comment_in_alias": [f'CREATE VIEW v AS SELECT 1 AS "/*", {SETTING} AS k, 2 AS "*/"'],
    "macro_of_the_neighbour": [
        "CREATE MACRO m() AS neighbour.main.lower('X')",
        "CREATE VIEW v AS SELECT m() AS k",
    ],
    "macro_reads_the_neighbour": [
        "CREATE MACRO m() AS (SELECT max(i) FROM neighbour.main.t)",
        "CREATE VIEW v AS SELECT m() AS k",
    ],
}
