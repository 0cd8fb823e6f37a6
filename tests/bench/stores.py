"""The two stores that bin/bench measures on, and what their bare drivers do: the limit of the machine."""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from support.messages import Clock
from support.servers import PostgresServer, owner, start_postgres

from adapters.live_tables.postgres import PostgresReporting
from adapters.live_tables.reporting import Reporting
from adapters.live_tables.sqlite import SqliteReporting
from adapters.store.ledger import Ledger
from adapters.store.postgres import open_postgres
from adapters.store.postgres_url import postgres_location
from adapters.store.sqlite import open_store

Rows = Sequence[Sequence[Any]]
Written = Mapping[str, Rows]
"""The rows of some facts, by table."""

COLUMNS = {
    "stored_events": "{key}, originator_id, originator_version, topic, state",
    "seal": "leaf, position, recorded_at, contract, source, message, actor, leaf_hash",
    "inbox": "source, message, digest, stream, version, leaf",
}
_ORDER = {"stored_events": "{key}", "seal": "position", "inbox": "leaf"}


class Store(ABC):
    """One kind of store, and a place for as many of them as are wanted."""

    kind: str
    key: str

    def __init__(self) -> None:
        self._numbers = count(1)

    @abstractmethod
    def ledger(self, name: str, clock: Clock) -> Ledger:
        """The ledger of this name, made where there is none."""

    @abstractmethod
    def reporting(self, name: str) -> Reporting:
        """The reporting tables of the ledger of this name."""

    @abstractmethod
    def scratch(self, name: str) -> AbstractContextManager[Reporting]:
        """Other reporting tables of the ledger of this name, empty, gone in the end."""

    @abstractmethod
    def library(self, name: str) -> Mapping[str, str]:
        """The environment of an application of the library."""

    @abstractmethod
    def bare(self, name: str) -> "Bare":
        """The store of the ledger of this name by its driver alone."""

    @abstractmethod
    def close(self) -> None:
        """Be done with it."""

    @property
    @abstractmethod
    def version(self) -> str:
        """What runs."""

    def fresh(self, what: str) -> str:
        """A name nobody has used."""
        return f"{what}_{next(self._numbers)}"


class Bare(ABC):
    """A store by its driver alone."""

    key: str

    @abstractmethod
    def read(self) -> int:
        """Read every fact with the columns that Verbale reads, into tuples; how many."""

    @abstractmethod
    def unguard(self) -> None:
        """Take the triggers off, so that only tables and indexes are left."""

    @abstractmethod
    def write(self, rows: Written) -> None:
        """Add rows in one transaction."""

    @abstractmethod
    def close(self) -> None:
        """Be done with it."""

    @abstractmethod
    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""

    def written(self, after: int) -> Written:
        """The rows of the facts after a position."""
        where = {"stored_events": f"{self.key} > {after}", "seal": f"position > {after}", "inbox": f"leaf >= {after}"}
        return {
            table: self.rows(
                f"SELECT {columns.format(key=self.key)} FROM {table} WHERE {where[table]} "
                f"ORDER BY {_ORDER[table].format(key=self.key)}"
            )
            for table, columns in COLUMNS.items()
        }


def parts(rows: Written, size: int) -> Iterator[Written]:
    """The rows of `size` facts at a time."""
    for start in range(0, len(rows["stored_events"]), size):
        yield {table: some[start : start + size] for table, some in rows.items()}


_READ = (
    "SELECT e.{key}, e.originator_id, e.originator_version, s.recorded_at, e.topic, e.state "
    "FROM stored_events e JOIN seal s ON s.position = e.{key} ORDER BY e.{key}"
)


# --- SQLite -----------------------------------------------------------------------------------------------------


class SqliteStore(Store):
    """Files in a folder, each fact on disk before it is acknowledged (WAL, synchronous=FULL)."""

    kind, key = "sqlite", "rowid"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.db"

    def ledger(self, name: str, clock: Clock) -> Ledger:
        """The ledger of this name, made where there is none."""
        return open_store(self._path(name), ledger_id="main", now=clock, create=True)

    def reporting(self, name: str) -> Reporting:
        """The reporting tables of the ledger of this name."""
        return SqliteReporting(self._path(f"{name}.reporting"), create=True)

    @contextmanager
    def scratch(self, name: str) -> Iterator[Reporting]:
        """Other reporting tables, empty, gone in the end."""
        path = self._path(self.fresh("scratch"))
        reporting = SqliteReporting(path, create=True)
        try:
            yield reporting
        finally:
            reporting.close()
            for file in self._folder.glob(f"{path.name}*"):
                file.unlink()

    def library(self, name: str) -> Mapping[str, str]:
        """The environment of an application of the library."""
        return {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(self._path(name))}

    def bare(self, name: str) -> Bare:
        """The store by its driver alone."""
        return _BareSqlite(self._path(name))

    def close(self) -> None:
        """Nothing is left open."""

    @property
    def version(self) -> str:
        """What runs."""
        return f"SQLite {sqlite3.sqlite_version}, WAL, synchronous=FULL"


class _BareSqlite(Bare):
    key = "rowid"

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA synchronous = FULL")

    def read(self) -> int:
        return len(self.rows(_READ.format(key=self.key)))

    def unguard(self) -> None:
        for (name,) in self.rows("SELECT name FROM sqlite_schema WHERE type = 'trigger'"):
            self._connection.execute(f"DROP TRIGGER {name}")

    def write(self, rows: Written) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        for table, some in rows.items():
            columns = COLUMNS[table].format(key=self.key)
            marks = ", ".join("?" * (columns.count(",") + 1))
            self._connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", some)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(query).fetchall()


# --- PostgreSQL -------------------------------------------------------------------------------------------------


class PostgresStore(Store):
    """Schemas of a private server with its default settings, which waits for the disk (fsync=on)."""

    kind, key = "postgres", "notification_id"

    def __init__(self) -> None:
        super().__init__()
        self._server: PostgresServer = start_postgres(fsync=True)
        with owner(self._server.url()) as connection:
            self._version = connection.info.parameter_status("server_version")

    def _url(self, name: str) -> str:
        return self._server.url(schema=name)

    def ledger(self, name: str, clock: Clock) -> Ledger:
        """The ledger of this name, made where there is none."""
        return open_postgres(postgres_location(self._url(name)), ledger_id="main", now=clock, create=True)

    def reporting(self, name: str) -> Reporting:
        """The reporting tables of the ledger of this name."""
        return PostgresReporting(postgres_location(self._url(name)), create=True)

    @contextmanager
    def scratch(self, name: str) -> Iterator[Reporting]:
        """Other reporting tables, empty, gone in the end."""
        schema = self.fresh("scratch")
        reporting = PostgresReporting(postgres_location(self._url(name)), schema, create=True)
        try:
            yield reporting
        finally:
            reporting.close()
            self.run(f"DROP SCHEMA IF EXISTS {schema} CASCADE; DROP SCHEMA IF EXISTS {schema}_next CASCADE")

    def run(self, statement: str) -> None:
        """Run a statement as the owner."""
        with owner(self._server.url()) as connection:
            connection.execute(f"SET client_min_messages = error; {statement}".encode())

    def library(self, name: str) -> Mapping[str, str]:
        """The environment of an application of the library."""
        self.run(f"CREATE SCHEMA IF NOT EXISTS {name}")
        where = {"DBNAME": "postgres", "HOST": "127.0.0.1", "PORT": str(self._server.port), "USER": "postgres"}
        given = {**where, "PASSWORD": "", "SCHEMA": name}
        environment = {f"POSTGRES_{setting}": value for setting, value in given.items()}
        return {"PERSISTENCE_MODULE": "eventsourcing.postgres", **environment}

    def bare(self, name: str) -> Bare:
        """The store by its driver alone."""
        return _BarePostgres(self._url(name))

    def close(self) -> None:
        """Stop the server and remove it."""
        self._server.remove()

    @property
    def version(self) -> str:
        """What runs."""
        return f"PostgreSQL {self._version}, fsync=on, synchronous_commit=on, otherwise default settings"


class _BarePostgres(Bare):
    key = "notification_id"
    _TYPES: Mapping[str, str] = {
        "stored_events": "bigint[] text[] bigint[] text[] bytea[]",
        "seal": "bigint[] bigint[] bigint[] text[] text[] text[] text[] bytea[]",
        "inbox": "text[] text[] bytea[] text[] bigint[] bigint[]",
    }

    def __init__(self, url: str) -> None:
        self._connection = owner(url)
        self._inserts = {
            table: f"INSERT INTO {table} ({COLUMNS[table].format(key=self.key)}) SELECT * FROM "
            f"unnest({', '.join(f'%b::{one}' for one in types.split())})"
            for table, types in self._TYPES.items()
        }

    def read(self) -> int:
        return len(self.rows(_READ.format(key=self.key)))

    def unguard(self) -> None:
        for name, table in self.rows(
            "SELECT DISTINCT trigger_name::text, event_object_table::text FROM information_schema.triggers "
            "WHERE trigger_schema = current_schema()"
        ):
            self._connection.execute(f"DROP TRIGGER {name} ON {table}".encode())

    def write(self, rows: Written) -> None:
        with self._connection.pipeline(), self._connection.transaction():
            for table, some in rows.items():
                columns = [list(column) for column in zip(*some, strict=True)]
                self._connection.execute(self._inserts[table].encode(), columns)

    def close(self) -> None:
        self._connection.close()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._connection.cursor(binary=True) as cursor:
            return cursor.execute(query.encode()).fetchall()


def store(kind: str, folder: Path) -> "closing[Store]":
    """A place for stores of one kind; be done with it in the end."""
    return closing(SqliteStore(folder) if kind == "sqlite" else PostgresStore())
