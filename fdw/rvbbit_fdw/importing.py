"""IMPORT FOREIGN SCHEMA as every host runs it."""

from __future__ import annotations

from functools import partial

from rvbbit_fdw import importer
from rvbbit_fdw.backend import Backend
from rvbbit_fdw.importer import Import, Target
from rvbbit_fdw.opening import stale
from rvbbit_fdw.request import Server, Settings
from rvbbit_fdw.tasks import Task


def choose(
    backend: Backend,
    server: Server,
    settings: Settings,
    remote_schema: str,
    session: str | None,
    target: Target,
    task: Task,
) -> Import:
    """The tables of a remote schema that the target wants, from the newest state of its session."""
    file, schema = importer.find(remote_schema, backend.folder(server), task.check, session)
    known = backend.described(file, server, settings)
    if known is not None:
        relations = importer.relations_of(file, schema, known)
        return importer.choose(file, relations, target, lambda view: view.broken, task.check)
    engine = backend.engine(server, settings)
    task.open(engine.cursor())
    with engine.using(file, backend.store(server, settings), task) as attached:
        catalog = backend.catalog(attached, task)
        relations = importer.relations_of(file, schema, catalog)
        bind = importer.Binder(partial(backend.reading, attached, engine, catalog), task)
        chosen = importer.choose(file, relations, target, bind, task.check)
    chosen.notices[:0] = stale(attached.snapshot)
    return chosen
