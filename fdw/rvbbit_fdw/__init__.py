"""RVBBIT sessions as PostgreSQL schemas: the part that decides what is read and how.

One RVBBIT session is one DuckDB file. This package lists the files, copies them, and turns what PostgreSQL
asks into DuckDB queries whose results travel as Arrow streams. It never calls PostgreSQL.
"""

import os

__version__ = "0.2.0"

# DuckDB's allocator keeps address space that it no longer uses, in ever larger pieces, and a backend may take
# only so much of it (rvbbit.process_limit). It reads this when DuckDB is loaded.
os.environ.setdefault("DUCKDB_JE_MALLOC_CONF", "retain:false")
