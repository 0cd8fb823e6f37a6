"""Reporting tables in a SQLite file of their own, beside the store or wherever a replay is wanted.

SQLite has neither instants nor lists: instants are RFC 3339 text in UTC, always to the microsecond so that text sorts
as time; lists and findings are JSON text; truth is 0 or 1.
"""

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from adapters.live_tables.column_types import SQLITE
from adapters.live_tables.errors import BeingBuilt, ForeignTables, NoTables
from adapters.live_tables.reporting import NEXT, Reporting, index_statements, table_statements
from adapters.live_tables.schema import LEDGERS, SCHEMA_VERSION, TABLES
from adapters.live_tables.tables import Codec
from adapters.reports.columns import ColumnKind
from adapters.reports.live_table import Table
from adapters.store.errors import DamagedStore, NewerStore, NotAStore, StoreError
from adapters.store.sqlite_errors import translated_errors

APPLICATION_ID = 0x56524252  # "VRBR"
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (every instant here is UTC)


def reporting_file(store: Path) -> Path:
    """The file of the reporting tables of the store in a file."""
    return store.with_name(f"{store.stem}.reporting{store.suffix}")


class SqliteReporting(Reporting):
    """The reporting tables in one file. Raises StoreErrors, each a sentence to act on."""

    def __init__(self, path: Path, *, create: bool = False, lock_timeout: int = 10) -> None:
        """Open the file, made new where `create` says so; without it the file is only read."""
        super().__init__()
        self.path, self.location = path, str(path)
        if not path.exists() and not create:
            raise NoTables(f"there are no reporting tables at {path}: verbale project makes them")
        if not path.absolute().parent.is_dir():
            raise StoreError(f"{path} cannot be made: there is no folder {path.parent}")
        uri = f"file:{quote(str(path.absolute()))}?mode={'rwc' if create else 'ro'}"
        with self._translated_errors():
            self._connection = sqlite3.connect(
                uri, uri=True, timeout=lock_timeout, isolation_level=None, check_same_thread=False
            )
            try:
                self._recognise(create=create)
            except BaseException:
                self._connection.close()
                raise

    def _recognise(self, *, create: bool) -> None:
        application, version, objects = (
            self._connection.execute(query).fetchone()[0]
            for query in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_schema")
        )
        if application != APPLICATION_ID:
            if not create or objects or application:
                raise ForeignTables(f"{self.path} holds something else than reporting tables: it was left as it is")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        elif version > SCHEMA_VERSION:
            raise NewerStore(f"{self.path} was made by a newer Verbale: upgrade this one")
        # A view that somebody made keeps the names of its tables, and so finds the new ones after a swap.
        self._connection.execute("PRAGMA legacy_alter_table = ON")
        # What is here can be built again from the evidence: it need not be on disk before the next step.
        self._connection.execute("PRAGMA synchronous = NORMAL")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is done in it takes effect together, and no other process writes meanwhile."""
        if not self.path.exists():
            raise NoTables(f"{self.path} was removed while it was in use: verbale project makes it anew")
        with self._translated_errors():
            self._connection.execute("BEGIN IMMEDIATE")
        yield from self._until("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that is read in it is of one moment."""
        with self._translated_errors():
            self._connection.execute("BEGIN")
        yield from self._until("ROLLBACK")

    def _until(self, end: str) -> Iterator[None]:
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        with self._translated_errors():
            self._connection.execute(end)

    def exists(self) -> bool:
        """Whether there is a live set."""
        return self._has(LEDGERS.name)

    def columns(self) -> Mapping[str, set[str]]:
        """The columns of the live tables, by table."""
        return {table.name: {name for _, name, *_ in self.run(f"PRAGMA table_xinfo({table.name})")} for table in TABLES}

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else builds tables here meanwhile: a lock on a file beside it, gone with the process that holds it."""
        lock = self.path.with_name(f"{self.path.name}-building")
        held = _locked(lock)
        if held is None:
            raise BeingBuilt(f"another process is building the tables of {self.path}: wait until it is done")
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)
            os.close(held)

    def _has(self, name: str) -> bool:
        return bool(self.run("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", (name,)))

    def create(self) -> None:
        """Make an empty set beside the live one, without indexes, in place of any that was left unfinished."""
        for table in TABLES:
            self.run(f"DROP TABLE IF EXISTS {self.name(NEXT, table)}")
        for statement in table_statements(self, NEXT, SQLITE, "VIRTUAL"):
            self.run(statement)

    def index(self, token: str) -> None:
        """Make the indexes of the set being built."""
        for statement in index_statements(self, NEXT, f"_{token}"):
            self.run(statement)

    def analyse(self) -> None:
        """Every query here uses a key or an index: there is nothing to plan."""

    def swap(self, token: str) -> None:  # noqa: ARG002 (what is retired is dropped under one name)
        """The set being built takes over the public names, in the transaction that is open."""
        for table in TABLES:
            self.run(f"DROP TABLE IF EXISTS retired_{table.name}")
            if self._has(table.name):
                self.run(f"ALTER TABLE {table.name} RENAME TO retired_{table.name}")
            self.run(f"ALTER TABLE {self.name(NEXT, table)} RENAME TO {table.name}")

    def discard_retired(self) -> str | None:
        """Drop what a swap left behind."""
        for table in TABLES:
            self.run(f"DROP TABLE IF EXISTS retired_{table.name}")
        return None

    def abandon(self) -> None:
        """Leave nothing of a set that will not be finished, nor of a file that was made to hold it."""
        for table in TABLES:
            self.run(f"DROP TABLE IF EXISTS {self.name(NEXT, table)}")
        if not self.run("SELECT 1 FROM sqlite_schema LIMIT 1"):
            self.close()
            for end in ("", "-wal", "-shm"):
                self.path.with_name(self.path.name + end).unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def name(self, of: str, table: Table[Any]) -> str:
        """The name of a table of a set."""
        return f"next_{table.name}" if of == NEXT else table.name

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement; the rows it gives."""
        with self._translated_errors():
            return self._connection.execute(sql, parameters).fetchall()

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each of many rows."""
        with self._translated_errors():
            self._connection.executemany(sql, rows)

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Add many new rows."""
        marks = ", ".join("?" * len(columns))
        self.run_many(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)

    def encoder(self, kind: ColumnKind) -> Codec | None:
        """How a value is written."""
        return _ENCODERS.get(kind)

    def decoder(self, kind: ColumnKind) -> Codec | None:
        """How a value is read back."""
        return _DECODERS.get(kind)

    def among(self, column: str, values: Sequence[Any]) -> tuple[str, list[Any]]:
        """The condition that a column holds one of some values."""
        return f"{column} IN ({', '.join('?' * len(values))})", list(values)

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            with translated_errors(self.path):
                yield
        except (DamagedStore, NotAStore) as error:
            raise ForeignTables(
                f"{self.path} is no file of reporting tables, or a damaged one: it was left as it is; remove it, "
                "and run verbale rebuild"
            ) from error


def _locked(lock: Path) -> int | None:
    """The descriptor of a lock file that this process now holds; None where another does."""
    while True:
        held = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if lock.stat().st_ino == os.fstat(held).st_ino:
                return held
        except BlockingIOError:
            os.close(held)
            return None
        except FileNotFoundError:
            pass  # its last holder has just removed it: lock a new one
        os.close(held)


def _instant_text(instant: int) -> str:
    return (_EPOCH + timedelta(microseconds=instant)).isoformat(timespec="microseconds") + "Z"


def _instant(text: str) -> int:
    return (datetime.fromisoformat(text[:-1]) - _EPOCH) // timedelta(microseconds=1)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_ENCODERS: Mapping[ColumnKind, Codec] = {
    ColumnKind.INSTANT: _instant_text,
    ColumnKind.INTEGERS: _json,
    ColumnKind.JSON: _json,
}
_DECODERS: Mapping[ColumnKind, Codec] = {
    ColumnKind.INSTANT: _instant,
    ColumnKind.INTEGERS: json.loads,
    ColumnKind.JSON: json.loads,
    ColumnKind.FLAG: bool,
}
