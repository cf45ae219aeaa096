"""RVBBIT sessions as PostgreSQL schemas: the part that decides what is read and how.

One RVBBIT session is one DuckDB file. This package lists the files, copies them, and turns what PostgreSQL
asks into DuckDB queries whose results travel as Arrow streams. It never calls PostgreSQL.
"""

__version__ = "0.2.0"
