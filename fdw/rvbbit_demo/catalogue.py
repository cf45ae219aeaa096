"""Which demo sessions there are: ids of every kind that RVBBIT makes, their tables and their age."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table made from one recipe of `data`, from `source` if the recipe reads another table."""

    name: str
    recipe: str
    rows: int = 0
    source: str = ""


@dataclass(frozen=True)
class Session:
    """One file: its tables, then statements of its own, and how the writer and its file end."""

    id: str
    age_hours: float
    tables: tuple[Table, ...] = ()
    statements: tuple[str, ...] = ()
    killed: bool = False
    damage: str = ""


def sales(rows: int, *, extract: str = "_extract_data", regions: bool = False) -> tuple[Table, ...]:
    """The usual cascade: extract, transform, output; `regions` adds what a list in the result leaves."""
    cells = (
        Table(extract, "orders", rows),
        Table("_transform", "revenue", source=extract),
        Table("_output", "report", source="_transform"),
    )
    return (*cells, Table("_output_by_region", "by_region", source="_transform")) if regions else cells


def leads(rows: int) -> tuple[Table, ...]:
    """A scoring cascade of two cells."""
    return Table("_extract_data", "leads", rows), Table("_score_leads", "scores", source="_extract_data")


def support(rows: int) -> tuple[Table, ...]:
    """A cascade that reads tickets and asks a model about each."""
    tickets = Table("_extract_tickets", "tickets", rows)
    return tickets, Table("_classify", "sentiment", source=tickets.name)


# What a client of RVBBIT's own SQL server leaves: schemas, views, and views over databases that are gone.
CLIENT_STATEMENTS = (
    "CREATE SCHEMA analytics",
    "CREATE TABLE analytics.daily AS SELECT ordered_at::DATE AS day, sum(quantity)::BIGINT AS units"
    " FROM orders GROUP BY day",
    'CREATE SCHEMA "_results_20251220"',
    'CREATE TABLE "_results_20251220".q_5f2c81aa AS SELECT region, count(*) AS n FROM orders GROUP BY region',
    "CREATE VIEW top_customers AS SELECT customer, sum(quantity * unit_price) AS spent"
    " FROM orders GROUP BY customer",
    "CREATE VIEW analytics.units_by_week AS SELECT date_trunc('week', day) AS week,"
    " sum(units)::BIGINT AS units FROM analytics.daily GROUP BY week",
    "ATTACH ':memory:' AS warehouse",
    "CREATE TABLE warehouse.shipments (shipment BIGINT, sent_at TIMESTAMP)",
    'CREATE VIEW "warehouse__shipments" AS SELECT * FROM warehouse.main.shipments',
    "DETACH warehouse",
)

NAMED = (
    Session("production_etl_2024_12_20", 290, sales(8000, extract="_extract_sales_data", regions=True)),
    Session("cascade_test", 26, sales(400)),
    Session(
        "test_comp_003", 70, (Table("_odd_columns", "odd_columns", 50), Table("_nothing_found", "no_rows"))
    ),
    Session("q4 revenue report", 47, sales(1500, regions=True)),
    Session("Churn_Model_V2", 130, leads(900)),
    Session("übersicht_café_märz", 500, leads(120)),
    Session("my_test", 700),
)

MACHINE = (
    Session(
        "agile-cardinal-490cb1",
        1.5,
        (*sales(3000, regions=True), Table("_output_by_product", "by_product", source="_transform")),
    ),
    Session("quick-fox-a1b2c3", 2.2, support(600)),
    Session("agile-finch-4acdcc", 3.1, leads(300)),
    Session("misty-otter-0f3a7c", 4.6, sales(250)),
    Session("silent-badger-c4e2f9", 5.3, support(80)),
    Session("brave-lynx-19ab40", 6.0, sales(700), killed=True),
    Session("dusty-marten-e8830d", 8.4, (Table("_load_stock", "stock", 1200),)),
    Session("frosty-owl-5b6c2a", 11.7),
    Session("amber-heron-77d01e", 16.2, (Table("_map_rows", "rows_mapped", 150),)),
    Session("mossy-toad-b02d94", 33, support(40)),
    Session("golden-stoat-3e71fa", 210, leads(60)),
    Session("crimson-wren-90aa5d", 640, sales(100)),
    Session("cascade_udf_2f199f63", 7.5, (Table("_answer", "json_answer", 1),)),
    Session("tool_summarize_orders_9c31be", 9.1, (Table("_summarize", "json_answer", 5),)),
    Session(
        "nb_4f1d2c3b5a69", 12.8, (Table("_frame", "python_frame", 200), Table("_limits", "float_limits"))
    ),
    Session("notebook_ab12cd34", 20.3, (Table("_cell_1", "stock", 40), Table("_cell_2", "odd_columns", 10))),
    Session("http_api_7e21c9d4", 55, (Table("_query", "leads", 25),)),
    Session("health_check_1b2c3d4e", 0.2),
    Session(
        "pg_client_default",
        14.4,
        (Table("orders", "orders", 500), Table("user_types", "user_types", 20)),
        CLIENT_STATEMENTS,
    ),
)

CHILDREN = (
    Session("agile-cardinal-490cb1_sounding_0", 1.7, (Table("_transform", "orders", 60),)),
    Session("agile-cardinal-490cb1_sounding_1", 1.7, (Table("_transform", "orders", 60),)),
    Session("agile-cardinal-490cb1_reforge0_1", 1.6, (Table("_transform", "orders", 60),)),
    Session("agile-finch-4acdcc_sub", 3.0, (Table("_enrich_data", "stock", 30),)),
    Session(
        "production_etl_2024_12_20_sounding_2_inline_validator_totals_match_t1_0",
        289.9,
        (Table("_check", "json_answer", 3),),
    ),
)

DAMAGED = (
    Session("hollow-vole-6d1f08", 95, leads(40), damage="corrupt"),
    Session("locked-newt-a7c350", 160, leads(40), damage="encrypted"),
    Session("early-swift-f4419b", 18, leads(40), damage="newer"),
)

SESSIONS = (*NAMED, *MACHINE, *CHILDREN, *DAMAGED)
BY_ID = {session.id: session for session in SESSIONS}
