"""The commands and their options: parse, call, show."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from rvbbit_cli import attaching, contents, listing, rows, screen
from rvbbit_cli.connection import DSN_VARIABLE, connected, dsn_of, open_connection, session_ids
from rvbbit_cli.failures import EXIT_CODES, FOUND, Failure
from rvbbit_cli.listing import STATES, Filter, Since
from rvbbit_cli.screen import Column, shown
from rvbbit_cli.watch import Watch
from rvbbit_fdw import __version__

_SHOWN_AT_MOST = 50


def _keep_dsn(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.find_root().meta[DSN_VARIABLE] = value


_dsn = click.option(
    "--dsn",
    metavar="DSN",
    expose_value=False,
    callback=_keep_dsn,
    is_eager=True,
    help=f"The server: postgresql://user:password@host:port/database. Else {DSN_VARIABLE}, PGHOST, ...",
)

_json = click.option("--json", "as_json", is_flag=True, help="A JSON array, with every key always.")
_csv = click.option("--csv", "as_csv", is_flag=True, help="CSV with a line of names.")

_codes = "\n".join(f"  {code:<4} {meaning.replace('`', '')}" for code, meaning in EXIT_CODES.items())


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=f"\b\nExit codes:\n{_codes}",
)
@click.version_option(__version__, prog_name="rvbbit-fdw", message="%(prog)s %(version)s")
@_dsn
def main() -> None:
    """RVBBIT sessions on a PostgreSQL server with rvbbit-fdw.

    The server is that of --dsn, of RVBBIT_DSN or of PGHOST, PGPORT and so on; without any of them the one
    that "make up" starts.
    """


def _command(name: str) -> Callable[[Callable[..., Any]], click.Command]:
    """A command of the group that takes --dsn after its name, too."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        @functools.wraps(function)
        def checked(*arguments: Any, **options: Any) -> Any:
            if options.get("as_json") and options.get("as_csv"):
                raise click.UsageError("--json and --csv exclude each other")
            return function(*arguments, **options)

        return main.command(name)(_dsn(checked))

    return decorate


# --- sessions -------------------------------------------------------------------------------------


@_command("sessions")
@click.argument("pattern", default="")
@click.option(
    "--state", "states", multiple=True, type=click.Choice(STATES), help="Only of this state; may be repeated."
)
@click.option("--named/--unnamed", default=None, help="Only ids that a person chose, or only others.")
@click.option(
    "--attached/--not-attached", default=None, help="Only those that a schema shows, or only others."
)
@click.option(
    "--since", type=Since(), help="Only changed since: 90min, 24h, 7d, 2026-11-22, 2026-11-22T14:00."
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    help=f"At most so many, newest first; 0 is all. A table: {_SHOWN_AT_MOST}.",
)
@click.option("--why", is_flag=True, help="Also why a session cannot be read or has no schema.")
@click.option(
    "--tables", "count", is_flag=True, help="Also count tables; each session is copied once for that."
)
@click.option("--watch", is_flag=True, help="Look again and again, and show what changes.")
@click.option(
    "--every", type=click.FloatRange(min=0.2), default=2.0, show_default=True, help="Seconds between looks."
)
@_json
@_csv
@click.pass_context
def sessions(
    ctx: click.Context,
    pattern: str,
    states: tuple[str, ...],
    named: bool | None,
    attached: bool | None,
    since: Any,
    limit: int | None,
    why: bool,
    count: bool,
    watch: bool,
    every: float,
    as_json: bool,
    as_csv: bool,
) -> None:
    """List the sessions, the newest first.

    PATTERN is as for files ("agile-*"); without * and ? it is a part of the id.
    """
    wanted = Filter(pattern, states, named, attached, since)
    if watch and as_csv:
        raise click.UsageError("--watch and --csv exclude each other")
    with connected(dsn_of(ctx)) as connection:
        if watch:
            looks = Watch(connection, wanted, every, limit)
            if as_json or not screen.out().is_terminal:
                looks.lines(as_json)
            looks.live()
        elif as_json or as_csv:
            found = listing.fetch(connection, wanted, listing.COLUMNS, limit, count)
            screen.show_json(found) if as_json else screen.show_csv(listing.COLUMNS, found)
        else:
            most = _SHOWN_AT_MOST if limit is None else limit
            found, total = listing.fetch_short(connection, wanted, most, why=why, count=count)
            _show_sessions(found, total, why=why, count=count)


def _show_sessions(found: list[dict[str, Any]], total: int, *, why: bool, count: bool) -> None:
    if not found:
        screen.remark("no such session; rvbbit-fdw doctor tells if one should be there")
        return
    screen.show(screen.out(), listing.as_table(found, why=why, count=count))
    if total > len(found):
        screen.remark(f"the newest {len(found):,} of {total:,}; --limit 0 shows all")


# --- tables, sample -------------------------------------------------------------------------------


@_command("tables")
@click.argument("session", shell_complete=session_ids)
@click.option("--columns", is_flag=True, help="Their columns, with their types here and in DuckDB.")
@_json
@click.pass_context
def tables(ctx: click.Context, session: str, columns: bool, as_json: bool) -> None:
    """List the tables and views of a session, attached or not."""
    with connected(dsn_of(ctx)) as connection:
        found = contents.fetch(connection, session)
    if as_json:
        screen.show_json(found)
    elif not found:
        screen.remark("the session has no tables")
    else:
        made = contents.columns_as_table(found) if columns else contents.tables_as_table(found)
        screen.show(screen.out(), made)


@_command("sample")
@click.argument("session", shell_complete=session_ids)
@click.argument("table")
@click.option(
    "-n",
    "--rows",
    "limit",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="At most so many.",
)
@click.option("--schema", default="main", show_default=True, help="Schema of the table within the session.")
@click.option("--whole", is_flag=True, help="Do not cut long values on a terminal.")
@_json
@_csv
@click.pass_context
def sample(
    ctx: click.Context,
    session: str,
    table: str,
    limit: int,
    schema: str,
    whole: bool,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Show the first rows of a table.

    The session need not be attached, and nothing is left behind.
    """
    with (
        connected(dsn_of(ctx)) as connection,
        contents.visible(connection, session, table, schema) as relation,
    ):
        if as_json:
            contents.write_json(connection, relation, limit)
        elif as_csv:
            contents.write_csv(connection, relation, limit)
        else:
            rows.show(screen.out(), contents.read(connection, relation, limit), whole)


# --- attach, detach, sync -------------------------------------------------------------------------


@_command("attach")
@click.argument("sessions", nargs=-1, required=True, shell_complete=session_ids)
@click.option("--as", "alias", metavar="SCHEMA", help="The name of the schema; for one session.")
@click.pass_context
def attach(ctx: click.Context, sessions: tuple[str, ...], alias: str | None) -> None:
    """Show sessions as schemas.

    One that is attached already gets another name by --as.
    """
    if alias is not None and len(sessions) > 1:
        raise click.UsageError("--as names the schema of one session")
    _call_each(ctx, "attaching", "SELECT public.rvbbit_attach_session(%s, %s)", sessions, alias)


@_command("detach")
@click.argument("sessions", nargs=-1, required=True, shell_complete=session_ids)
@click.pass_context
def detach(ctx: click.Context, sessions: tuple[str, ...]) -> None:
    """Take the schemas of sessions away.

    They do not come back by themselves; attach brings them.
    """
    _call_each(ctx, "detaching", "SELECT public.rvbbit_detach_session(%s)", sessions)


def _call_each(
    ctx: click.Context, what: str, statement: str, ids: tuple[str, ...], *more: str | None
) -> None:
    """A failure does not keep the others from their turn; the first decides on the exit code."""
    told: list[str | Failure] = []
    try:
        with connected(dsn_of(ctx)) as connection:
            told.extend(attaching.each(connection, what, statement, ids, *more))
    finally:
        for said in told:
            said.show() if isinstance(said, Failure) else screen.say(shown(said))
    ctx.exit(next((said.exit_code for said in told if isinstance(said, Failure)), 0))


@_command("sync")
@click.option("--plan", is_flag=True, help="Only show what it would do, and why.")
@_json
@click.pass_context
def sync(ctx: click.Context, plan: bool, as_json: bool) -> None:
    """Bring schemas in step with the folder and the policy."""
    dsn = dsn_of(ctx)
    with connected(dsn) as connection:
        if plan:
            _show_plan(attaching.plan(connection), as_json)
            return
        done = attaching.sync(connection, lambda: open_connection(dsn))
    if as_json:
        click.echo(screen.to_json(done.as_dict()))
        return
    screen.say(Text(done.summary()))
    if done.problems:
        titles = [Column("SESSION", folds="name"), Column("PROBLEM", folds="sentence")]
        cells = ([shown(session), shown(text)] for session, text in sorted(done.problems.items()))
        screen.show(screen.out(), screen.table(titles, cells))


def _show_plan(found: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        screen.show_json(found)
    elif not found:
        screen.remark("nothing is to be done")
    else:
        titles = [
            Column("ACTION"),
            Column("SESSION", folds="name"),
            Column("TABLE", folds="name"),
            Column("REASON", folds="sentence"),
        ]
        cells = (
            [shown(row["action"]), shown(row["session_id"]), shown(_place(row)), shown(row["reason"])]
            for row in found
        )
        screen.show(screen.out(), screen.table(titles, cells))


def _place(row: dict[str, Any]) -> str:
    return ".".join(name for name in (row["table_name"], row["column_name"]) if name)


# --- doctor, demo ---------------------------------------------------------------------------------


@_command("doctor")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The session folder on this machine; else SESSION_DIR, $RVBBIT_ROOT/session_dbs or ./session_dbs.",
)
@_json
@click.pass_context
def doctor(ctx: click.Context, folder: Path | None, as_json: bool) -> None:
    """Look for the usual faults and say how to mend them."""
    from rvbbit_cli.doctor import patient, report

    console, lines = screen.out(), []
    with patient.examined(dsn_of(ctx), folder) as examined:
        for line in report.run(examined):
            lines.append(line)
            if not as_json:
                report.show(console, line)
    if as_json:
        screen.show_json(line.as_dict() for line in lines)
    else:
        screen.show(console, Text(report.summary(lines)))
    ctx.exit(FOUND if any(line.status == "fault" for line in lines) else 0)


@_command("demo")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--live", is_flag=True, help="Keep one more session of the folder open and add to it, for a minute."
)
def demo(folder: Path, live: bool) -> None:
    """Write demo sessions into an empty or a new folder."""
    from rvbbit_cli import demonstration

    (demonstration.keep_writing if live else demonstration.write)(folder)
