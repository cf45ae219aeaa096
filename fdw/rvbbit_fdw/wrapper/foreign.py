"""The class that Multicorn2 makes an instance of for each foreign table: translation, and nothing else.

What Multicorn2 3.2 does with an answer, and why each is as it is, tells docs/multicorn2.md.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar

from multicorn import ForeignDataWrapper

from rvbbit_fdw import errors, importer, importing, opening, scan
from rvbbit_fdw.importer import Import, Target
from rvbbit_fdw.pushdown import plan
from rvbbit_fdw.request import Scan, Server, Settings, SortKey
from rvbbit_fdw.tasks import Task
from rvbbit_fdw.wrapper import estimates, rows
from rvbbit_fdw.wrapper.quals import Planned, Qual, column_of, conditions
from rvbbit_fdw.wrapper.session import session
from rvbbit_fdw.wrapper.tables import Definition, server_of, table_of
from rvbbit_fdw.wrapper.telling import refuse, told


class RvbbitWrapper(ForeignDataWrapper):  # type: ignore[misc]  # the package has no types
    """A foreign table over a session's table or over a list of the folder."""

    _startup_cost: ClassVar[int] = 10

    def __init__(self, fdw_options: Mapping[str, str], fdw_columns: Mapping[str, Definition]) -> None:
        """Nothing is checked yet: without an instance Multicorn2 has none to tell of the rollback."""
        super().__init__(fdw_options, fdw_columns)
        self._options = dict(fdw_options)
        self._columns = dict(fdw_columns)
        self._planned = Planned()
        self._level = 1

    @told
    def get_rel_size(self, quals: Sequence[Qual], columns: Collection[str]) -> tuple[int, int]:
        """Rows and their width in bytes; the quals here are those whose values are constants."""
        self._planned.note(quals)
        asked = self._scan(quals, columns)
        total = session().call(lambda task: estimates.rows(session().backend, asked, task.check))
        return estimates.left(total, asked.conditions), estimates.width(asked.columns)

    def get_path_keys(self) -> list[Any]:
        """None, ever: with one, Multicorn2 loses other conditions of a join."""
        return []

    def can_limit(self, limit: int | None, offset: int | None) -> bool:
        """No, ever: Multicorn2 asks where there are conditions that it does not know."""
        return False

    @told
    def can_sort(self, sortkeys: Sequence[Any]) -> list[Any]:
        """All of the keys, if every one means one order; else none."""
        return list(sortkeys) if self._order(sortkeys) else []

    @told
    def explain(
        self,
        quals: Sequence[Qual],
        columns: Collection[str],
        sortkeys: Sequence[Any] | None = None,
        verbose: bool = False,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[str]:
        """Lines for EXPLAIN; opens no session."""
        asked = self._scan(quals, columns, sortkeys)
        if "catalog" in asked.table.options:
            return [": ".join(line) for line in opening.explain_list(asked)]
        name = opening.session_of(asked)
        query = scan.query(name, asked.table, asked.columns, None, plan.filter_of(asked), scan.TEXTS)
        query = scan.ordered(query, plan.order_of(asked))
        return [f"Session: {name}", f"DuckDB SQL: {query.sql}"]

    @told
    def execute(
        self,
        quals: Sequence[Qual],
        columns: Collection[str],
        sortkeys: Sequence[Any] | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> Generator[Sequence[Any], None, None]:
        """The rows."""
        run = session().run()
        task = session().start(self._level)
        try:
            found = rows.start(self._scan(quals, columns, sortkeys, run.pin), task)
        except BaseException:
            session().finish(task)
            raise
        run.rows.add(found)
        return found

    def begin(self, serializable: int) -> None:
        """The first use in a transaction."""
        self._level = 1
        self._planned.clear()

    def sub_begin(self, level: int) -> None:
        """The first use in a subtransaction of that depth."""
        self._level = level

    def sub_commit(self, level: int) -> None:
        """Its scans are now the outer transaction's."""
        self._end_level(level, kept=True)

    def sub_rollback(self, level: int) -> None:
        """Its scans end: Multicorn2 does not let go of an iterator after an error."""
        self._end_level(level, kept=False)

    def pre_commit(self) -> None:
        """Nothing: sessions are only read."""

    def commit(self) -> None:
        """The transaction has ended."""
        _end_transaction()

    def rollback(self) -> None:
        """The transaction has ended."""
        _end_transaction()

    @property
    def rowid_column(self) -> str:
        """Asked for before a change."""
        refuse(
            errors.NotSupported("sessions can only be read", hint="Copy the rows into a table of your own.")
        )

    @classmethod
    @told
    def import_schema(
        cls,
        schema: str,
        srv_options: Mapping[str, str],
        options: Mapping[str, str],
        restriction_type: str | None,
        restricts: Sequence[str],
    ) -> list[_Statement]:
        """What IMPORT FOREIGN SCHEMA runs."""
        server = server_of(srv_options, session().process.data_directory())
        restriction = {"limit": "limit_to", "except": "except"}.get(restriction_type or "", "all")
        body = {"options": options, "local_schema": "", "restriction": restriction, "tables": restricts}
        target = importer.target("", server.options, body)
        chosen = session().call(lambda task: _choose(server, schema, options.get("session"), target, task))
        return [_Statement(chosen, number, target) for number in range(len(chosen.chosen))]

    def _end_level(self, level: int, *, kept: bool) -> None:
        self._level = level - 1
        with suppress(Exception):  # an error of a hook would meet a transaction that ends
            session().end_level(level, kept=kept)

    def _scan(
        self,
        quals: Sequence[Qual],
        columns: Collection[str],
        sortkeys: Sequence[Any] | None = None,
        pin: int | None = None,
    ) -> Scan:
        server = server_of(self._options, session().process.data_directory())
        table = table_of(self._options, self._columns)
        return Scan(
            server=server,
            settings=Settings(),
            table=table,
            columns=rows.delivered(table, columns),
            conditions=conditions(quals, table, self._planned),
            pin=pin,
            may_see_paths=False,
            order=tuple(self._order(sortkeys or ())),
        )

    def _order(self, sortkeys: Sequence[Any]) -> list[SortKey]:
        """The keys, or none if PostgreSQL may mean another order than DuckDB by one of them."""
        table = table_of(self._options, self._columns)
        if "catalog" in table.options or not all(name.isascii() for name in self._columns):
            return []  # Multicorn2 spoils names of other letters
        by_name = {attribute.name: attribute for attribute in table.attributes.values()}
        scope = plan.scope_of(table, Scan.database)
        keys = [
            SortKey(column_of(by_name[key.attname]), bool(key.is_reversed), bool(key.nulls_first))
            for key in sortkeys
            if key.attname in by_name
        ]
        known = len(keys) == len(sortkeys) and all(plan.may_sort(key, scope) for key in keys)
        return keys if known else []


def _end_transaction() -> None:
    with suppress(Exception):
        session().end_transaction()


def _choose(server: Server, schema: str, name: str | None, target: Target, task: Task) -> Import:
    return importing.choose(session().backend, server, Settings(), schema, name, target, task)


class _Statement:
    """One table of an import, as Multicorn2 asks for its command."""

    def __init__(self, chosen: Import, number: int, target: Target) -> None:
        self._chosen = chosen
        self._number = number
        self._target = target

    @told
    def to_statement(self, schema_name: str, server_name: str) -> str:
        """CREATE FOREIGN TABLE."""
        name, relation = self._chosen.chosen[self._number]
        target = self._target.at(server_name, schema_name)
        return importer.create(self._chosen.file, relation, name, target)
