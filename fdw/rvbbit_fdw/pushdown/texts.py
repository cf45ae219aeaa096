"""Which collations DuckDB's text, which is compared by code point, may stand for."""

from __future__ import annotations

from rvbbit_fdw.pushdown.entry import Collation
from rvbbit_fdw.pushdown.reasons import collation as differs
from rvbbit_fdw.pushdown.written import Scope

DEFAULT = "pg_catalog.default"
BUILTIN = "pg_catalog.pg_c_utf8"

_BY_BYTES = frozenset({"pg_catalog.C", "pg_catalog.POSIX", "pg_catalog.ucs_basic", BUILTIN})

_PURPOSES = {
    Collation.EQUALITY: "equality of texts",
    Collation.ORDER: "the order of texts",
    Collation.CASE: "upper and lower case",
}


def check_collation(need: Collation, collation: str | None, scope: Scope) -> None:
    """Local if under this collation DuckDB may answer otherwise."""
    if need is not Collation.IGNORED and not _fits(need, collation, scope):
        raise differs(collation, _PURPOSES[need])


def _fits(need: Collation, collation: str | None, scope: Scope) -> bool:
    if need is Collation.EQUALITY:  # a database's own collation is deterministic
        return collation == DEFAULT or collation in _BY_BYTES
    if need is Collation.ORDER:
        return (collation == DEFAULT and scope.collation_is_c) or collation in _BY_BYTES
    return (collation == DEFAULT and scope.case_is_unicode) or collation == BUILTIN
