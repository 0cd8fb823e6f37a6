"""A ledger with the place of its reporting tables, on each kind of store."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from adapters.inbox.handler import CommandHandler
from adapters.inbox.outcomes import Outcome
from adapters.live_tables.checkpoint import LIVE_READINGS, Checkpoint, checkpoint
from adapters.live_tables.postgres import PostgresReporting
from adapters.live_tables.projector import Projector
from adapters.live_tables.reporting import Reporting
from adapters.live_tables.schema import BUILDER, LEDGERS, TABLES
from adapters.live_tables.sqlite import SqliteReporting, reporting_file
from adapters.live_tables.tables import TableSet
from adapters.store.ledger import Ledger
from adapters.store.postgres_url import postgres_location
from projections.readings import Reading
from support.messages import Clock, stored
from support.servers import fresh_schema, local_server, owner, shared_server

KINDS = ("sqlite", "postgres", *(("local postgres",) if os.environ.get("CI") else ()))
"""In CI the PostgreSQL of the machine is tried too, whatever its version."""

Dump = dict[str, list[list[Any]]]


@dataclass
class Office:
    """Where facts are recorded and projected; `place` is that of the store, as `--store` or a path names it."""

    place: Path | str
    ledger: Ledger
    reporting: Reporting
    clock: Clock

    def tell(self, *raws: bytes) -> list[Outcome]:
        """Record a batch of messages."""
        return CommandHandler(self.ledger, self.clock).handle(raws).outcomes

    def projector(self, readings: tuple[Reading, ...] = LIVE_READINGS, page: int = 5000) -> Projector:
        """A projector of the live tables."""
        return Projector(self.ledger, self.reporting, self.clock, readings, page)

    def another(self) -> Reporting:
        """Another connection to the same tables."""
        if isinstance(self.reporting, SqliteReporting):
            return SqliteReporting(self.reporting.path, create=True)
        return PostgresReporting(postgres_location(str(self.place)), create=True)

    @property
    def at(self) -> Checkpoint:
        """How current the live tables are."""
        found = checkpoint(self.reporting.live)
        assert found is not None
        return found

    @property
    def url(self) -> str:
        """The store, as `--store` names it."""
        return f"sqlite:///{self.place}" if isinstance(self.place, Path) else self.place


@contextmanager
def office(kind: str, folder: Path) -> Iterator[Office]:
    """An office in which nothing is recorded yet."""
    clock = Clock()
    with ExitStack() as stack:
        place: Path | str = folder / f"{uuid4().hex}.db"
        if kind != "sqlite":
            place = stack.enter_context(fresh_schema(_server(kind)))
        ledger = stack.enter_context(stored(place, clock))
        reporting: Reporting
        if isinstance(place, Path):
            reporting = SqliteReporting(reporting_file(place), create=True)
        else:
            reporting = PostgresReporting(postgres_location(place), create=True)
            stack.callback(_drop_beside, place)
        stack.callback(reporting.close)
        yield Office(place, ledger, reporting, clock)


def _server(kind: str) -> str:
    if kind == "postgres":
        return shared_server()
    found = local_server()
    if found is None:
        pytest.skip("no PostgreSQL answers on this machine's usual port")
    return found


def _drop_beside(url: str) -> None:
    """Drop the schemas that stand beside the live one."""
    schema = postgres_location(url).reporting_schema
    with owner(url) as connection:
        like = schema.replace("_", r"\_") + r"\_%"
        found = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE %s", (like,)).fetchall()
        for (name,) in found:
            connection.execute(f"SET client_min_messages = error; DROP SCHEMA {name} CASCADE".encode())


def dump(of: TableSet) -> Dump:
    """Every row of every table that facts and time alone determine."""
    return {table.name: ordered(of.read(table)) for table in TABLES if table not in (LEDGERS, BUILDER)}


def ordered(rows: Any) -> list[list[Any]]:
    """Rows as lists, in an order of their own."""
    return sorted(([list(v) if isinstance(v, tuple) else v for v in row] for row in rows), key=repr)
