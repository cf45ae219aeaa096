"""A table of 105 columns of the shape of ClickBench (https://benchmark.clickhouse.com/), with made-up values.

Its values are few where the real ones are few (regions, phones, counters) and skewed where they are skewed
(users, addresses, search phrases), so that every query finds something.
"""

from __future__ import annotations

from collections.abc import Iterator

TABLE = "hits"

_RANDOM = "CREATE TEMP MACRO r(x, salt, n) AS (hash(x * 1000 + salt) % n)::BIGINT"
_START = "TIMESTAMP '2013-07-01 00:00:00'"
_DAYS = 31

_SMALL = (
    "java_enabled good_event counter_class is_refresh referer_category url_category resolution_depth"
    " flash_major flash_minor net_major net_minor agent_major cookies_enabled script_enabled is_mobile"
    " is_artificial client_height silverlight_1 silverlight_2 silverlight_4 is_not_bounce"
    " is_old_counter is_event is_parameter with_hash age sex income interests robotness history_length"
    " http_error social_network_id currency_id has_click_id client_zone"
)
"""Columns of small integers that no query asks anything of but their sum or whether they are 0."""

_INTEGERS = (
    "referer_region url_region network_id silverlight_3 code_version hid remote_address window_name"
    " opener_name send_timing dns_timing connect_timing response_start response_end fetch_timing click_source"
)
_TEXTS = (
    "flash_minor_2 agent_minor params page_charset original_url browser_language browser_country"
    " social_network social_action social_page order_id currency openstat_service openstat_campaign"
    " openstat_ad openstat_source utm_source utm_medium utm_campaign utm_content utm_term from_tag"
)


def statements(rows: int) -> list[str]:
    """DuckDB statements that make the table."""
    listed = ",\n".join(f"{expression} AS {name}" for name, expression in columns())
    return [_RANDOM, f"CREATE TABLE {TABLE} AS SELECT {listed} FROM range({rows}) AS t (i)"]


def columns() -> Iterator[tuple[str, str]]:
    """All columns in order, each with the expression of its values over the row's number i."""
    yield from _named()
    yield from ((name, f"r(i, {n}, 4)::SMALLINT") for n, name in enumerate(_SMALL.split(), 100))
    yield from ((name, f"(r(i, {n}, 2000) - 100)::INTEGER") for n, name in enumerate(_INTEGERS.split(), 200))
    yield from (
        (name, f"[ '', '', 'n' || r(i, {n}, 9), 'ä' ][1 + r(i, {n}, 4)]")
        for n, name in enumerate(_TEXTS.split(), 300)
    )


def _skewed(salt: int, most: int) -> str:
    """A number below `most`; small ones are more frequent."""
    return f"(r(i, {salt}, {most}) * r(i, {salt + 1}, {most}) // {most})"


def _named() -> Iterator[tuple[str, str]]:
    """The columns that queries ask for."""
    moment = f"{_START} + to_seconds(r(i, 1, {_DAYS * 86_400}))"
    site = "['google', 'example', 'yandex', 'shop', 'news'][1 + r(i, 2, 5)]"
    path = f"{_skewed(3, 40)}"
    yield "watch_id", "(r(i, 5, 1000000007) * 9000000011)::BIGINT"
    yield "title", f"['', 'Google ' || {path}, 'News | ' || {path}, 'Übersicht ' || {path}][1 + r(i, 6, 4)]"
    yield "event_time", moment
    yield "event_date", f"CAST({moment} AS DATE)"
    yield "counter_id", "[62, 62, 62, 1, 7, 38][1 + r(i, 7, 6)]::INTEGER"
    yield "client_ip", f"({_skewed(8, 900)} * 4660871 % 4294967296 - 2147483648)::INTEGER"
    yield "region_id", f"{_skewed(10, 60)}::INTEGER"
    yield "user_id", f"({_skewed(12, 3000)} * 3074457345618257)::BIGINT"
    yield "os", "r(i, 14, 8)::SMALLINT"
    yield "user_agent", "r(i, 15, 12)::SMALLINT"
    yield (
        "url",
        (
            f"['', 'http://' || {site} || '.example/p' || {path},"
            f" 'https://www.' || {site} || '.google.example/?q='"
            f" || {path}, 'http://' || {site} || '.example/' || {path} || '/é'][1 + r(i, 16, 4)]"
        ),
    )
    yield (
        "referer",
        (
            f"['', 'https://www.' || {site} || '.example/a/' || {path}, 'http://' || {site} || '.example/',"
            f" 'android-app://' || {site}, 'http://www./x',"
            f" 'https://ü' || {site} || '/line' || chr(10) || 'end']"
            "[1 + r(i, 17, 6)]"
        ),
    )
    yield "width", "[0, 1024, 1366, 1920][1 + r(i, 18, 4)]::SMALLINT"
    yield "height", "[0, 768, 1080][1 + r(i, 19, 3)]::SMALLINT"
    yield "client_width", "[0, 1024, 1366, 1920][1 + r(i, 20, 4)]::SMALLINT"
    yield "phone", "CASE WHEN r(i, 21, 5) = 0 THEN r(i, 22, 30) ELSE 0 END::SMALLINT"
    yield "phone_model", "CASE WHEN r(i, 21, 5) = 0 THEN 'model ' || r(i, 22, 30) % 12 ELSE '' END"
    yield "search_engine", "CASE WHEN r(i, 23, 3) = 0 THEN r(i, 24, 6) ELSE 0 END::SMALLINT"
    yield "search_phrase", f"CASE WHEN r(i, 25, 3) = 0 THEN 'phrase ' || {_skewed(26, 300)} ELSE '' END"
    yield "adv_engine", "CASE WHEN r(i, 28, 9) = 0 THEN r(i, 29, 5) * 3 ELSE 0 END::SMALLINT"
    yield "traffic_source", "(r(i, 30, 9) - 1)::SMALLINT"
    yield "is_link", "(r(i, 31, 4) = 0)::SMALLINT"
    yield "is_download", "(r(i, 32, 20) = 0)::SMALLINT"
    yield "not_counted", "(r(i, 33, 20) = 0)::SMALLINT"
    yield "first_id", "(r(i, 34, 1000000) * 7777777777)::BIGINT"
    yield "hit_colour", "['F', '5', 'D', 'S'][1 + r(i, 35, 4)]"
    yield "local_time", f"{moment} + to_hours(r(i, 36, 12))"
    yield "client_time", f"{moment} + to_minutes(r(i, 37, 600))"
    yield "price", "(r(i, 38, 100000) - 10)::BIGINT"
    yield "referer_hash", f"({path} * 35941200001725454)::BIGINT"
    yield "url_hash", f"({_skewed(39, 50)} * 28687702703538136)::BIGINT"
