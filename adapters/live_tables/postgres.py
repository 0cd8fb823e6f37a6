"""Reporting tables in a schema of their own, in the database of the store.

A set that is being built is a schema beside the live one; the swap renames both. It waits for readers: whoever has
begun to read the old tables reads them to the end, and nobody finds half of the new ones.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from psycopg import errors
from psycopg.types.json import Jsonb

from adapters.live_tables.column_types import POSTGRES
from adapters.live_tables.errors import BeingBuilt, ForeignTables, NoTables
from adapters.live_tables.reporting import LIVE, NEXT, Reporting, index_statements, table_statements
from adapters.live_tables.schema import LEDGERS, PUBLIC, TABLES
from adapters.live_tables.tables import Codec
from adapters.reports.columns import ColumnKind
from adapters.reports.live_table import Table
from adapters.store.errors import StoreError
from adapters.store.postgres_connection import connect, marked
from adapters.store.postgres_errors import translated_errors
from adapters.store.postgres_url import NAMES, SCHEMA_NAME, PostgresLocation, is_reserved
from domain.values import microseconds, moment

OURS = "Reporting tables of Verbale, made from the evidence: rebuild makes them anew."
"""The comment on a schema that Verbale made: no other is ever dropped or renamed."""
SWAP_WAITS = "2s"


def replay_schema(location: PostgresLocation, name: str) -> str:
    """The name of a schema for a replay, checked. Raises StoreError where it is, or may become, one of the store's."""
    if not SCHEMA_NAME.fullmatch(name) or is_reserved(name):
        raise StoreError(f"{name} cannot name a schema of a replay: {NAMES}")
    if name in (location.schema, "public"):
        raise StoreError(f"{name} is the store's own schema: a replay goes into another")
    return name


class PostgresReporting(Reporting):
    """The reporting tables in one schema. Raises StoreErrors, each a sentence to act on."""

    def __init__(
        self, location: PostgresLocation, schema: str | None = None, *, create: bool = False, lock_timeout: int = 10
    ) -> None:
        """Connect; `schema` is the store's own reporting schema unless a replay wants another.

        With `create` a schema that is not there is made by the first `create()`; without it there must be one.
        """
        super().__init__()
        self._store, self._lock_timeout = location, lock_timeout
        self.schema = schema or location.reporting_schema
        self.location = f"{location}, schema {self.schema}"
        self._connection = connect(location, lock_timeout)
        try:
            with self._translated_errors():
                for setting in ("timezone = 'UTC'", "statement_timeout = 0", "idle_in_transaction_session_timeout = 0"):
                    self._connection.execute(f"SET {setting}".encode())
            self._recognise(create=create)
        except BaseException:
            self._connection.close()
            raise

    def _recognise(self, *, create: bool) -> None:
        there = self._is_there(self.schema)
        if there and not self._is_ours(self.schema):
            raise ForeignTables(f"{self.location} is a schema that Verbale did not make: it was left as it is")
        if not there and not create:
            raise NoTables(f"there are no reporting tables at {self.location}: verbale project makes them")
        if create and self.exists() and self.fits and not self._reader_may_read():
            self._grant(LIVE)  # the role was made after the tables

    def _is_there(self, schema: str) -> bool:
        return bool(self.run("SELECT 1 FROM pg_namespace WHERE nspname = ?", (schema,)))

    def _is_ours(self, schema: str) -> bool:
        """Whether we made a schema: it says so itself, or its first table does."""
        of_schema = "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = ?"
        of_table = (
            "SELECT obj_description(c.oid, 'pg_class') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        )
        of_table += " WHERE n.nspname = ? AND c.relname = ?"
        comments = self.run(of_schema, (schema,)) + self.run(of_table, (schema, LEDGERS.name))
        return any(comment in (OURS, LEDGERS.meaning) for (comment,) in comments)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is done in it takes effect together, and no other process writes meanwhile."""
        with self._translated_errors(), self._connection.transaction():
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
            # Before any table is named: a swap by another process may be about to give the names to other tables.
            self.run("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", (self.schema,))
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else builds tables here meanwhile: a lock of the session, gone with it."""
        key = f"{self.schema} being built"
        ((got,),) = self.run("SELECT pg_try_advisory_lock(hashtextextended(?, 0))", (key,))
        if not got:
            raise BeingBuilt(f"another process is building the tables of {self.location}: wait until it is done")
        try:
            yield
        finally:
            with suppress(StoreError):  # a connection that is lost holds no lock
                self.run("SELECT pg_advisory_unlock(hashtextextended(?, 0))", (key,))

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that is read in it is of one moment."""
        with self._translated_errors(), self._connection.transaction():
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            # Locks before the first read, which fixes the moment: no swap can come between, and all is of one set.
            names = ", ".join(self.live.name(table) for table in PUBLIC)
            self._connection.execute(f"LOCK TABLE {names} IN ACCESS SHARE MODE".encode())
            yield

    def exists(self) -> bool:
        """Whether there is a live set."""
        return self._has(self.schema)

    def _has(self, schema: str) -> bool:
        names = (schema, LEDGERS.name)
        return bool(self.run("SELECT 1 FROM pg_tables WHERE schemaname = ? AND tablename = ?", names))

    def columns(self) -> Mapping[str, set[str]]:
        """The columns of the live tables, by table."""
        found: dict[str, set[str]] = defaultdict(set)
        # From the catalogue itself: information_schema leaves out what the role may not read.
        asked = "SELECT c.relname::text, a.attname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        asked += " JOIN pg_namespace n ON n.oid = c.relnamespace"
        asked += " WHERE n.nspname = ? AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped"
        for table, column in self.run(asked, (self.schema,)):
            found[table].add(column)
        return found

    def create(self) -> None:
        """Make an empty set beside the live one, without indexes, in place of any that was left unfinished."""
        self._drop_next()
        self.run(f"CREATE SCHEMA {self._next}")
        self.run(f"COMMENT ON SCHEMA {self._next} IS {_quoted(OURS)}")
        for statement in table_statements(self, NEXT, POSTGRES, "STORED"):
            self.run(statement)
        self._comment()
        self._grant(NEXT)

    def _reader_may_read(self) -> bool:
        """Whether the reader's role, if there is one, sees the live tables."""
        asked = "SELECT has_schema_privilege(rolname, ?, 'USAGE') AND has_table_privilege(rolname, ?, 'SELECT')"
        names = (self.schema, self.live.name(LEDGERS), self._store.reader)
        return all(may for (may,) in self.run(f"{asked} FROM pg_roles WHERE rolname = ?", names))

    def index(self, token: str) -> None:  # noqa: ARG002 (a schema has names of its own for them)
        """Make the indexes of the set being built."""
        for statement in index_statements(self, NEXT):
            self.run(statement)

    def _drop_next(self) -> None:
        """Drop what was left unfinished; what is there and is not ours is left as it is."""
        if self._is_there(self._next) and not self._is_ours(self._next):
            raise ForeignTables(f"the schema {self._next} holds something else, and its name is wanted for the tables "
                                f"that are built beside {self.schema}: rename it")  # fmt: skip
        self.run(f"DROP SCHEMA IF EXISTS {self._next} CASCADE")

    @property
    def _next(self) -> str:
        return f"{self.schema}_next"

    def _comment(self) -> None:
        for table in TABLES:
            name = self.name(NEXT, table)
            self.run(f"COMMENT ON TABLE {name} IS {_quoted(table.meaning)}")
            for column in table.columns:
                self.run(f"COMMENT ON COLUMN {name}.{column.name} IS {_quoted(column.meaning)}")

    def _grant(self, of: str) -> None:
        """The reader's role sees the public tables, once it is there."""
        if self.run("SELECT 1 FROM pg_roles WHERE rolname = ?", (self._store.reader,)):
            names = ", ".join(self.name(of, table) for table in PUBLIC)
            self.run(f"GRANT USAGE ON SCHEMA {self._next if of == NEXT else self.schema} TO {self._store.reader}")
            self.run(f"GRANT SELECT ON {names} TO {self._store.reader}")

    def analyse(self) -> None:
        """Without it, the server plans without knowing what the tables hold, until autovacuum comes by."""
        for table in TABLES:
            self.run(f"ANALYZE {self.name(NEXT, table)}")

    def swap(self, token: str) -> None:
        """The set being built takes over the public names, in the transaction that is open."""
        if self.exists():
            # Readers of the old tables finish; whoever comes meanwhile waits, and finds the new ones. We wait only
            # briefly, and lock in the order in which docs/tables.md asks readers to name the tables.
            self.run(f"SET LOCAL lock_timeout = '{SWAP_WAITS}'")
            there = self.columns()
            names = ", ".join(self.live.name(table) for table in TABLES if table.name in there)
            self.run(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
            self.run(f"ALTER SCHEMA {self.schema} RENAME TO {self._retired}{token}")
        self.run(f"ALTER SCHEMA {self._next} RENAME TO {self.schema}")

    @property
    def _retired(self) -> str:
        return f"{self.schema}_retired_"

    def discard_retired(self) -> str | None:
        """Drop what swaps left behind; a sentence where something else, a view perhaps, holds on to it."""
        like = self._retired.replace("_", r"\_") + "%"
        kept = None
        for (schema,) in self.run("SELECT nspname::text FROM pg_namespace WHERE nspname LIKE ?", (like,)):
            if not self._is_ours(schema):
                continue
            held = self.run("SELECT tablename::text FROM pg_tables WHERE schemaname = ?", (schema,))
            tables = ", ".join(f"{schema}.{table}" for (table,) in held)
            try:
                with self._translated_errors(), self._connection.transaction():
                    self._connection.execute(f"DROP TABLE {tables}".encode())
                    self._connection.execute(f"DROP SCHEMA {schema}".encode())
            except StoreError as failed:
                error = failed.__cause__
                if not isinstance(error, errors.DependentObjectsStillExist):
                    return f"the old tables are kept as {schema} for now ({failed}): the next rebuild drops them"
                on_what = " ".join((error.diag.message_detail or "something").split())
                kept = f"the old tables are kept as {schema}, because others are built on them ({on_what}): make " \
                    f"those again on {self.schema}, then DROP SCHEMA {schema} CASCADE"  # fmt: skip
        return kept

    def abandon(self) -> None:
        """Leave nothing of a set that will not be finished."""
        self._drop_next()

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def name(self, of: str, table: Table[Any]) -> str:
        """The name of a table of a set."""
        return f"{self._next if of == NEXT else self.schema}.{table.name}"

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement; the rows it gives."""
        with self._translated_errors(), self._connection.cursor(binary=True) as cursor:
            cursor.execute(marked(sql), parameters)
            return cursor.fetchall() if cursor.description else []

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each of many rows."""
        with self._translated_errors(), self._connection.cursor() as cursor:
            cursor.executemany(marked(sql), rows)

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Add many new rows, by COPY."""
        copy = f"COPY {table} ({', '.join(columns)}) FROM STDIN".encode()
        with self._translated_errors(), self._connection.cursor() as cursor, cursor.copy(copy) as writing:
            for row in rows:
                writing.write_row(row)

    def encoder(self, kind: ColumnKind) -> Codec | None:
        """How a value is written."""
        return _ENCODERS.get(kind)

    def decoder(self, kind: ColumnKind) -> Codec | None:
        """How a value is read back."""
        return _DECODERS.get(kind)

    def among(self, column: str, values: Sequence[Any]) -> tuple[str, list[Any]]:
        """The condition that a column holds one of some values."""
        return f"{column} = ANY(?)", [list(values)]

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            with translated_errors(self._store):
                yield
        except StoreError as error:
            match error.__cause__:
                case errors.InsufficientPrivilege() | errors.ReadOnlySqlTransaction():
                    reason = " ".join(str(error.__cause__).split())
                    raise StoreError(
                        f"{self.location}: this role may not do that ({reason}): use the owner's"
                    ) from error
                case errors.UndefinedTable() | errors.InvalidSchemaName():
                    raise NoTables(
                        f"there are no reporting tables at {self.location}: verbale project makes them"
                    ) from None
            raise


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _instant(value: datetime) -> int:
    return microseconds(value)


_ENCODERS: Mapping[ColumnKind, Codec] = {ColumnKind.INSTANT: moment, ColumnKind.JSON: Jsonb}
_DECODERS: Mapping[ColumnKind, Codec] = {ColumnKind.INSTANT: _instant, ColumnKind.INTEGERS: list}
