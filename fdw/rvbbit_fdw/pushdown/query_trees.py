"""The host's query trees (JSON) as dataclasses; the expressions in them are those of `trees`.

What is false, null or empty is not in them. `server` are the options of the server, on which it depends how a
table is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from rvbbit_fdw.pushdown.nodes import Node
from rvbbit_fdw.pushdown.query_nodes import (
    Aggregate,
    FromItem,
    Grouping,
    GroupingSet,
    Join,
    Leaf,
    NoRelation,
    Query,
    Reference,
    Relation,
    SetOperation,
    SortGroup,
    Subquery,
    SubqueryColumn,
    SubqueryRelation,
    TableRelation,
    Target,
    UnknownLeaf,
    ValuesRelation,
    Variable,
    Window,
    WindowCall,
    With,
    WithRelation,
)
from rvbbit_fdw.pushdown.trees import Tree, parse
from rvbbit_fdw.request import parse_table

_Trees: TypeAlias = "Sequence[Tree]"
_Options: TypeAlias = "Mapping[str, str]"


def parse_query(tree: Tree, server: _Options) -> Query:
    """The query of a request; KeyError or TypeError if it is none of the format."""
    operation = tree.get("set_operation")
    return Query(
        withs=tuple([_with(each, server) for each in tree.get("with", ())]),
        relations=tuple([_relation(each, server) for each in tree["relations"]]),
        sources=tuple([_from_item(each) for each in tree["from"]]),
        where=_optional(tree.get("where")),
        targets=_targets(tree["targets"]),
        aggregates=bool(tree.get("aggregates")),
        group=_sort_groups(tree.get("group", ())),
        group_distinct=bool(tree.get("group_distinct")),
        grouping_sets=tuple([_grouping_set(each) for each in tree.get("grouping_sets", ())]),
        having=_optional(tree.get("having")),
        windows=tuple([_window(each) for each in tree.get("windows", ())]),
        distinct=_sort_groups(tree.get("distinct", ())),
        distinct_on=bool(tree.get("distinct_on")),
        sort=_sort_groups(tree.get("sort", ())),
        limit=_optional(tree.get("limit")),
        with_ties=bool(tree.get("with_ties")),
        offset=_optional(tree.get("offset")),
        set_operation=None if operation is None else _set_operation(operation),
        leaves=tuple([_leaf(each, server) for each in tree["leaves"]]),
    )


def _optional(tree: Tree | None) -> Node | None:
    return None if tree is None else parse(tree)


def _all(trees: _Trees) -> tuple[Node, ...]:
    return tuple([parse(tree) for tree in trees])


def _targets(trees: _Trees) -> tuple[Target, ...]:
    return tuple([_target(tree) for tree in trees])


def _target(tree: Tree) -> Target:
    return Target(
        ref=int(tree["ref"]),
        junk=bool(tree.get("junk")),
        name=str(tree["name"]),
        type=str(tree["type"]),
        typmod=int(tree.get("typmod", -1)),
        collation=tree.get("collation"),
        expression=parse(tree["expression"]),
    )


def _sort_groups(trees: _Trees) -> tuple[SortGroup, ...]:
    return tuple(
        [
            SortGroup(
                int(each["ref"]), str(each["equality"]), each.get("order"), bool(each.get("nulls_first"))
            )
            for each in trees
        ]
    )


def _with(tree: Tree, server: _Options) -> With:
    return With(
        name=str(tree["name"]),
        names=tuple(tree["names"]),
        recursive=bool(tree["recursive"]),
        materialized=bool(tree.get("materialized")),
        search=bool(tree.get("search")),
        query=parse_query(tree["query"], server),
    )


def _relation(tree: Tree, server: _Options) -> Relation:
    kind, alias, names = str(tree["relation"]), str(tree["alias"]), tuple(tree["names"])
    if kind == "table":
        return TableRelation(alias, names, parse_table(tree["table"], server))
    if kind == "subquery":
        return SubqueryRelation(alias, names, parse_query(tree["query"], server), bool(tree.get("lateral")))
    if kind == "with":
        return WithRelation(alias, names, str(tree["with"]), int(tree["level"]), bool(tree.get("self")))
    if kind == "values":
        return ValuesRelation(alias, names, tuple([_all(row) for row in tree["rows"]]))
    return NoRelation(alias, names)


def _from_item(tree: Tree) -> FromItem:
    if "join" not in tree:
        return Reference(int(tree["relation"]))
    left, right = _from_item(tree["left"]), _from_item(tree["right"])
    return Join(str(tree["join"]), left, right, _optional(tree.get("on")))


def _set_operation(tree: Tree) -> SetOperation:
    return SetOperation(
        kind=str(tree["operation"]),
        all=bool(tree.get("all")),
        group=_sort_groups(tree.get("group", ())),
        left=_operand(tree["left"]),
        right=_operand(tree["right"]),
    )


def _operand(tree: Tree) -> Reference | SetOperation:
    return _set_operation(tree) if "operation" in tree else Reference(int(tree["relation"]))


def _grouping_set(tree: Tree) -> GroupingSet:
    kind, content = str(tree["set"]), tree["content"]
    if kind == "simple":
        return GroupingSet(kind, tuple(content), ())
    return GroupingSet(kind, (), tuple([_grouping_set(each) for each in content]))


def _window(tree: Tree) -> Window:
    return Window(
        number=int(tree["window"]),
        frame=int(tree["frame"]),
        partition=_sort_groups(tree.get("partition", ())),
        sort=_sort_groups(tree.get("sort", ())),
        start=_optional(tree.get("start")),
        end=_optional(tree.get("end")),
    )


def _leaf(tree: Tree, server: _Options) -> Leaf:
    kind = str(tree["leaf"])
    if kind == "subquery":
        query = parse_query(tree["query"], server)
        return Subquery(str(tree["kind"]), str(tree["type"]), _optional(tree.get("test")), query)
    make = _LEAVES.get(kind)
    return make(tree) if make else UnknownLeaf()


def _variable(tree: Tree) -> Leaf:
    return Variable(int(tree["level"]), int(tree["relation"]), int(tree["number"]))


def _aggregate(tree: Tree) -> Leaf:
    return Aggregate(
        name=str(tree["name"]),
        type=str(tree["type"]),
        collation=_input_collation(tree),
        direct=_all(tree.get("direct", ())),
        arguments=_targets(tree["arguments"]),
        sort=_sort_groups(tree.get("sort", ())),
        distinct=_sort_groups(tree.get("distinct", ())),
        filter=_optional(tree.get("filter")),
        variadic=bool(tree.get("variadic")),
    )


def _window_call(tree: Tree) -> Leaf:
    return WindowCall(
        name=str(tree["name"]),
        type=str(tree["type"]),
        collation=_input_collation(tree),
        window=int(tree["window"]),
        arguments=_all(tree.get("arguments", ())),
        filter=_optional(tree.get("filter")),
    )


def _input_collation(tree: Tree) -> str | None:
    collation: Any = tree.get("input_collation")
    return None if collation is None else str(collation)


def _grouping(tree: Tree) -> Leaf:
    return Grouping(tuple(tree["refs"]))


def _subquery_column(tree: Tree) -> Leaf:
    return SubqueryColumn(int(tree["number"]))


_LEAVES: Mapping[str, Callable[[Tree], Leaf]] = {
    "variable": _variable,
    "aggregate": _aggregate,
    "window": _window_call,
    "grouping": _grouping,
    "subquery_column": _subquery_column,
}
