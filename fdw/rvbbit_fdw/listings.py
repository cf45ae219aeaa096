"""The lists by the value of a foreign table's option `catalog`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rvbbit_fdw import options
from rvbbit_fdw.listing import Listing
from rvbbit_fdw.relation_rows import COLUMNS, IMPORTS, TABLES
from rvbbit_fdw.request import Scan
from rvbbit_fdw.session_rows import SESSIONS
from rvbbit_fdw.snapshot_rows import SNAPSHOTS

LISTINGS: Mapping[str, Listing[Any]] = {
    "sessions": SESSIONS,
    "tables": TABLES,
    "columns": COLUMNS,
    "snapshots": SNAPSHOTS,
    "imports": IMPORTS,
}


def listing_of(scan: Scan) -> Listing[Any]:
    """The list that the scan's foreign table shows; OptionError if there is none of that name."""
    name = scan.table.options["catalog"]
    if name not in LISTINGS:
        options.validate("table", scan.table.options)
    return LISTINGS[name]
