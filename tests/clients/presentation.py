"""How sessions are shown, and what each client calls that: the whole matrix runs once for each of these."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Presentation:
    """What the catalogs, and tools that read them, say of a session's table."""

    relkind: str
    psql_type: str
    """As \\d lists it."""
    psql_list: str
    """The command of psql that lists it."""
    standard_type: str
    """In information_schema.tables."""
    jdbc_type: str
    is_plain: bool
    """Whether tools that ask for tables and views alone find it."""
    insertable: str
    """What information_schema.tables says of rows; none may be inserted."""


PRESENTATIONS = {
    "foreign": Presentation("f", "foreign table", r"\dE", "FOREIGN", "FOREIGN TABLE", False, "NO"),
    "table": Presentation("p", "partitioned table", r"\dt", "BASE TABLE", "PARTITIONED TABLE", True, "YES"),
}
