"""43 queries of the shapes of ClickBench (https://benchmark.clickhouse.com/), for the table made here.

Where a query keeps the first rows only, its order is total, so that PostgreSQL leaves nothing open; one keeps
any rows (`ANY_ROWS`). Its parameters are such that each finds something in some ten thousand rows.
"""

from __future__ import annotations

_JULY = "event_date >= '2013-07-01' AND event_date <= '2013-07-31'"
_VIEWS = f"counter_id = 62 AND {_JULY} AND not_counted = 0 AND is_refresh = 0"
_HOST = r"regexp_replace(referer, '^https?://(?:www\.)?([^/]+)/.*$', '\1')"

ANY_ROWS = 18

QUERIES = dict(
    enumerate(
        (
            "SELECT count(*) FROM hits",
            "SELECT count(*) FROM hits WHERE adv_engine <> 0",
            "SELECT sum(adv_engine), count(*), avg(width) FROM hits",
            "SELECT avg(user_id) FROM hits",
            "SELECT count(DISTINCT user_id) FROM hits",
            "SELECT count(DISTINCT search_phrase) FROM hits",
            "SELECT min(event_date), max(event_date) FROM hits",
            "SELECT adv_engine, count(*) FROM hits WHERE adv_engine <> 0 GROUP BY adv_engine"
            " ORDER BY count(*) DESC, adv_engine",
            "SELECT region_id, count(DISTINCT user_id) AS users FROM hits GROUP BY region_id"
            " ORDER BY users DESC, region_id LIMIT 10",
            "SELECT region_id, sum(adv_engine), count(*) AS c, avg(width), count(DISTINCT user_id) FROM hits"
            " GROUP BY region_id ORDER BY c DESC, region_id LIMIT 10",
            "SELECT phone_model, count(DISTINCT user_id) AS users FROM hits WHERE phone_model <> ''"
            " GROUP BY phone_model ORDER BY users DESC, phone_model LIMIT 10",
            "SELECT phone, phone_model, count(DISTINCT user_id) AS users FROM hits WHERE phone_model <> ''"
            " GROUP BY phone, phone_model ORDER BY users DESC, phone, phone_model LIMIT 10",
            "SELECT search_phrase, count(*) AS c FROM hits WHERE search_phrase <> '' GROUP BY search_phrase"
            " ORDER BY c DESC, search_phrase LIMIT 10",
            "SELECT search_phrase, count(DISTINCT user_id) AS users FROM hits WHERE search_phrase <> ''"
            " GROUP BY search_phrase ORDER BY users DESC, search_phrase LIMIT 10",
            "SELECT search_engine, search_phrase, count(*) AS c FROM hits WHERE search_phrase <> ''"
            " GROUP BY search_engine, search_phrase ORDER BY c DESC, search_engine, search_phrase LIMIT 10",
            "SELECT user_id, count(*) FROM hits GROUP BY user_id ORDER BY count(*) DESC, user_id LIMIT 10",
            "SELECT user_id, search_phrase, count(*) FROM hits GROUP BY user_id, search_phrase"
            " ORDER BY count(*) DESC, user_id, search_phrase LIMIT 10",
            "SELECT user_id, search_phrase, count(*) FROM hits GROUP BY user_id, search_phrase LIMIT 10",
            "SELECT user_id, extract(minute FROM event_time) AS m, search_phrase, count(*) FROM hits"
            " GROUP BY user_id, m, search_phrase ORDER BY count(*) DESC, user_id, m, search_phrase LIMIT 10",
            "SELECT user_id FROM hits WHERE user_id = 3074457345618257",
            "SELECT count(*) FROM hits WHERE url LIKE '%google%'",
            "SELECT search_phrase, min(url), count(*) AS c FROM hits"
            " WHERE url LIKE '%google%' AND search_phrase <> '' GROUP BY search_phrase"
            " ORDER BY c DESC, search_phrase LIMIT 10",
            "SELECT search_phrase, min(url), min(title), count(*) AS c, count(DISTINCT user_id) FROM hits"
            " WHERE title LIKE '%Google%' AND url NOT LIKE '%.google.%' AND search_phrase <> ''"
            " GROUP BY search_phrase ORDER BY c DESC, search_phrase LIMIT 10",
            "SELECT * FROM hits WHERE url LIKE '%google%' ORDER BY event_time, watch_id LIMIT 10",
            "SELECT search_phrase FROM hits WHERE search_phrase <> '' ORDER BY event_time, watch_id LIMIT 10",
            "SELECT search_phrase FROM hits WHERE search_phrase <> '' ORDER BY search_phrase LIMIT 10",
            "SELECT search_phrase FROM hits WHERE search_phrase <> ''"
            " ORDER BY event_time, search_phrase LIMIT 10",
            "SELECT counter_id, avg(length(url)) AS l, count(*) AS c FROM hits WHERE url <> ''"
            " GROUP BY counter_id HAVING count(*) > 100 ORDER BY l DESC, counter_id LIMIT 25",
            f"SELECT {_HOST} AS k, avg(length(referer)) AS l, count(*) AS c, min(referer) FROM hits"
            " WHERE referer <> '' GROUP BY k HAVING count(*) > 100 ORDER BY l DESC, k LIMIT 25",
            f"SELECT {', '.join(f'sum(width + {n})' if n else 'sum(width)' for n in range(90))} FROM hits",
            "SELECT search_engine, client_ip, count(*) AS c, sum(is_refresh), avg(width) FROM hits"
            " WHERE search_phrase <> '' GROUP BY search_engine, client_ip"
            " ORDER BY c DESC, search_engine, client_ip LIMIT 10",
            "SELECT watch_id, client_ip, count(*) AS c, sum(is_refresh), avg(width) FROM hits"
            " WHERE search_phrase <> '' GROUP BY watch_id, client_ip"
            " ORDER BY c DESC, watch_id, client_ip LIMIT 10",
            "SELECT watch_id, client_ip, count(*) AS c, sum(is_refresh), avg(width) FROM hits"
            " GROUP BY watch_id, client_ip ORDER BY c DESC, watch_id, client_ip LIMIT 10",
            "SELECT url, count(*) AS c FROM hits GROUP BY url ORDER BY c DESC, url LIMIT 10",
            "SELECT 1, url, count(*) AS c FROM hits GROUP BY 1, url ORDER BY c DESC, url LIMIT 10",
            "SELECT client_ip, client_ip - 1, client_ip - 2, client_ip - 3, count(*) AS c FROM hits"
            " WHERE client_ip > -2147483600"
            " GROUP BY client_ip, client_ip - 1, client_ip - 2, client_ip - 3"
            " ORDER BY c DESC, client_ip LIMIT 10",
            f"SELECT url, count(*) AS views FROM hits WHERE {_VIEWS} AND url <> '' GROUP BY url"
            " ORDER BY views DESC, url LIMIT 10",
            f"SELECT title, count(*) AS views FROM hits WHERE {_VIEWS} AND title <> '' GROUP BY title"
            " ORDER BY views DESC, title LIMIT 10",
            f"SELECT url, count(*) AS views FROM hits WHERE {_VIEWS} AND is_link <> 0 AND is_download = 0"
            " GROUP BY url ORDER BY views DESC, url LIMIT 10 OFFSET 100",
            "SELECT traffic_source, search_engine, adv_engine,"
            " CASE WHEN search_engine = 0 AND adv_engine = 0 THEN referer ELSE '' END AS src, url AS dst,"
            f" count(*) AS views FROM hits WHERE {_VIEWS}"
            " GROUP BY traffic_source, search_engine, adv_engine, src, dst"
            " ORDER BY views DESC, traffic_source, search_engine, adv_engine, src, dst LIMIT 10 OFFSET 100",
            f"SELECT url_hash, event_date, count(*) AS views FROM hits WHERE {_VIEWS}"
            " AND traffic_source IN (-1, 6) AND referer_hash <> 35941200001725454"
            " GROUP BY url_hash, event_date ORDER BY views DESC, url_hash, event_date LIMIT 10 OFFSET 10",
            f"SELECT client_width, client_height, count(*) AS views FROM hits WHERE {_VIEWS}"
            " AND url_hash <> 28687702703538136 GROUP BY client_width, client_height"
            " ORDER BY views DESC, client_width, client_height LIMIT 10 OFFSET 2",
            "SELECT date_trunc('minute', event_time) AS m, count(*) AS views FROM hits"
            " WHERE counter_id = 62 AND event_date >= '2013-07-14' AND event_date <= '2013-07-15'"
            " AND is_refresh = 0 AND not_counted = 0 GROUP BY date_trunc('minute', event_time)"
            " ORDER BY date_trunc('minute', event_time) LIMIT 10 OFFSET 100",
        ),
        1,
    )
)
