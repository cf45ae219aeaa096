"""Whether a text that a session stores tells NULL from values.

In files that DuckDB 1.4 wrote, the least and the greatest value that are kept for each piece of a column do
not tell that there are NULLs, and DuckDB 2.0.0 skips a piece in which no value between them meets a
condition: `coalesce(a, -1) = -1` and `a + 1 IS NULL` lose the rows in which `a` is NULL, and so does
`a IS NULL` where there is another condition on `a`, which a query around may have. Conditions that are never
true of a NULL are not affected, nor is what stands in a CASE. What is not known here counts as affected.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from rvbbit_fdw.purity import TABLE_FUNCTIONS

_Node: TypeAlias = "Mapping[str, Any]"

_STRICT = """
+ - * / // % ** ^ & | ~ << >> || @ ! ~~ !~~ ~~* !~~* ~~~ ^@ -> ->>
abs add age array_extract bit_length ceil ceiling century character_length contains date_add date_diff
date_part date_sub date_trunc datediff datepart datesub datetrunc day dayname dayofmonth dayofweek dayofyear
decade divide ends_with epoch epoch_ms epoch_ns epoch_us exp fdiv floor fmod hour ilike_escape instr isodow
isoyear json_extract json_extract_path json_extract_path_text json_extract_string lcase left len length
like_escape list_element list_extract ln log log10 log2 lower lpad ltrim make_date make_timestamp md5
microsecond millennium millisecond minute mod month monthname multiply nanosecond not_ilike_escape
not_like_escape ord position pow power prefix quarter regexp_extract regexp_full_match regexp_matches
regexp_replace repeat replace reverse right round rpad rtrim second sign split_part sqrt starts_with
str_split strftime string_split strlen strpos strptime struct_extract substr substring subtract suffix
timezone to_days to_hours to_microseconds to_milliseconds to_minutes to_months to_seconds to_timestamp
to_weeks to_years translate trim trunc ucase upper week weekday weekofyear year yearweek
"""

_AGGREGATES = """
any_value approx_count_distinct approx_quantile arbitrary arg_max arg_min argmax argmin array_agg avg bit_and
bit_or bit_xor bool_and bool_or corr count count_if count_star covar_pop covar_samp entropy favg first fsum
group_concat histogram kurtosis last list listagg mad max max_by mean median min min_by mode product quantile
quantile_cont quantile_disc regr_slope skewness stddev stddev_pop stddev_samp string_agg sum sumkahan var_pop
var_samp variance
"""

_FUNCTIONS = frozenset((_STRICT + _AGGREGATES).split()) | TABLE_FUNCTIONS
"""Functions that give NULL for NULL, and those whose results DuckDB cannot compare with what it keeps."""

_OPERATORS = frozenset({"OPERATOR_NOT", "COMPARE_IN", "COMPARE_NOT_IN", "ARRAY_EXTRACT", "STRUCT_EXTRACT"})
_COMPARISONS = frozenset({"COMPARE_DISTINCT_FROM", "COMPARE_NOT_DISTINCT_FROM"})
_CLASSES = """
BETWEEN CASE CAST COLLATE COLUMN_REF CONJUNCTION CONSTANT POSITIONAL_REFERENCE STAR SUBQUERY TYPE WINDOW
"""
_HARMLESS = frozenset(_CLASSES.split())
_CONDITIONS = frozenset({"where_clause", "having", "qualify", "condition"})
_UNSEEN = frozenset({"when_expr", "orders"})
"""Parts that never become conditions: CASE hides what it tests."""


def tells_null(statement: object) -> bool:
    """Whether the text, as json_serialize_sql() parses it, tells NULL from values."""
    walk = _Walk()
    walk.through(statement)
    return walk.tells


class _Walk:
    def __init__(self) -> None:
        self.tells = False
        self._todo: list[tuple[object, bool]] = []

    def through(self, statement: object) -> None:
        """Visit all nodes; each comes with whether DuckDB cannot see it in a condition."""
        self._todo.append((statement, False))
        while self._todo:
            node, unseen = self._todo.pop()
            if isinstance(node, dict):
                self._node(node, unseen)
            elif isinstance(node, list):
                self._todo.extend((item, unseen) for item in node)

    def _node(self, node: _Node, unseen: bool) -> None:
        kind = node.get("class")
        if kind == "CONSTANT":
            return
        if kind is None:
            self._part(node)
        elif not unseen and _tells(kind, node):
            self.tells = True
        for key, value in node.items():
            if key in _CONDITIONS and kind is None:
                self._todo.extend((each, False) for each in self._conditions(value))
            else:
                self._todo.append((value, key in _UNSEEN or (unseen and kind != "SUBQUERY")))

    def _part(self, node: _Node) -> None:
        form = node.get("type")
        if form == "PIVOT" or (form == "JOIN" and node.get("join_type") == "FULL"):
            self.tells = True

    def _conditions(self, node: _Node) -> Iterator[object]:
        """The parts of a condition that are to be visited."""
        form = node.get("type")
        children: Iterable[_Node] = node.get("children") or ()
        if node.get("class") == "CONJUNCTION":
            for child in children:
                yield from self._conditions(child)
        elif form == "OPERATOR_IS_NOT_NULL":
            yield list(children)
        else:
            yield node


def _tells(kind: str, node: _Node) -> bool:
    """May the expression be other than NULL where a column in it is NULL?"""
    if kind == "FUNCTION":
        path = node.get("qualified_name", {}).get("path") or [""]
        return str(path[-1]).lower() not in _FUNCTIONS
    if kind == "OPERATOR":
        return node.get("type") not in _OPERATORS
    if kind == "COMPARISON":
        return node.get("type") in _COMPARISONS
    return kind not in _HARMLESS
