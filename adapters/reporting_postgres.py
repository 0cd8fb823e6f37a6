"""Reporting tables in a schema of their own, in the database of the store.

A set that is being built is a schema beside the live one; the swap renames both. Readers are let finish first: whoever
has begun to read the old tables reads on in them, and nobody finds half of the new ones.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any

from psycopg import errors
from psycopg.types.json import Jsonb

from adapters.ledger import StoreError
from adapters.postgres_connection import connect, plainly
from adapters.postgres_place import SCHEMA_NAME, PostgresPlace
from adapters.reporting import NEXT, Codec, ForeignTables, NoTables, Reporting, index_statements, table_statements
from adapters.tables import INCIDENTS, LEDGERS, PUBLIC, TABLES, Kind, Table
from domain.facts import microseconds, moment

TYPES: Mapping[Kind, str] = {
    Kind.TEXT: 'text COLLATE "C"',
    Kind.INSTANT: "timestamptz",
    Kind.INTEGER: "bigint",
    Kind.FLAG: "boolean",
    Kind.INTEGERS: "bigint[]",
    Kind.JSON: "jsonb",
    Kind.HOURS: "numeric",
}
HOURS = "GENERATED ALWAYS AS (round({} / 3600000000.0, 4)) STORED"


def replay_schema(place: PostgresPlace, name: str) -> str:
    """The name of a schema for a replay, checked. Raises StoreError where it is, or may become, one of the store's."""
    ours = {place.schema, place.reporting_schema, "public"}
    if not SCHEMA_NAME.fullmatch(name) or name.startswith("pg_"):
        raise StoreError(f"{name} cannot name a schema: use small letters, digits and _, a letter first, at most 41")
    if name in ours or name.startswith(f"{place.reporting_schema}_"):
        raise StoreError(f"{name} is the store's own schema: a replay goes into another")
    return name


class PostgresReporting(Reporting):
    """The reporting tables in one schema. Raises StoreErrors, each a sentence to act on."""

    def __init__(
        self, place: PostgresPlace, schema: str | None = None, *, create: bool = False, lock_timeout: int = 10
    ) -> None:
        """Connect; `schema` is the store's own reporting schema unless a replay wants another.

        With `create` a schema that is not there is made by the first `create()`; without it there must be one.
        """
        super().__init__()
        self._store, self._lock_timeout = place, lock_timeout
        self.schema = schema or place.reporting_schema
        self.place = f"{place}, schema {self.schema}"
        self._connection = connect(place, lock_timeout)
        try:
            with self._plainly():
                self._connection.execute("SET TIME ZONE 'UTC'")
            self._recognise(create=create)
        except BaseException:
            self._connection.close()
            raise

    def _recognise(self, *, create: bool) -> None:
        found = {
            name for (name,) in self.run("SELECT tablename::text FROM pg_tables WHERE schemaname = ?", (self.schema,))
        }
        if found and not {table.name for table in TABLES} <= found:
            raise ForeignTables(f"{self.place} holds something else than reporting tables: it was left as it is")
        if not found and not create:
            raise NoTables(f"there are no reporting tables at {self.place}: verbale project makes them")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything done in it is done together, and by nobody else meanwhile."""
        with self._plainly(), self._connection.transaction():
            # Before any table is named: a swap by another process may be about to give the names to other tables.
            self.run("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", (self.schema,))
            yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Everything read in it is of one moment."""
        with self._plainly(), self._connection.transaction():
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            # Locks first, then the moment: so the tables named are those that are read, whole.
            names = ", ".join(self.live.name(table) for table in PUBLIC)
            self._connection.execute(f"LOCK TABLE {names} IN ACCESS SHARE MODE".encode())
            yield

    def exists(self) -> bool:
        """Whether there is a live set."""
        return self._has(self.schema)

    def _has(self, schema: str) -> bool:
        names = (schema, INCIDENTS.name)
        return bool(self.run("SELECT 1 FROM pg_tables WHERE schemaname = ? AND tablename = ?", names))

    def create(self) -> None:
        """Make an empty set beside the live one, without indexes, in place of any that was left unfinished."""
        self.run(f"DROP SCHEMA IF EXISTS {self._next} CASCADE")
        self.run(f"CREATE SCHEMA {self._next}")
        for statement in table_statements(self, NEXT, TYPES, HOURS):
            self.run(statement)
        self._comment()
        self._grant()

    def index(self, generation: int) -> None:  # noqa: ARG002 (a schema has names of its own for them)
        """Make the indexes of the set being built."""
        for statement in index_statements(self, NEXT):
            self.run(statement)

    @property
    def _next(self) -> str:
        return f"{self.schema}_next"

    def _comment(self) -> None:
        for table in TABLES:
            name = self.name(NEXT, table)
            self.run(f"COMMENT ON TABLE {name} IS {_quoted(table.meaning)}")
            for column in table.columns:
                self.run(f"COMMENT ON COLUMN {name}.{column.name} IS {_quoted(column.meaning)}")

    def _grant(self) -> None:
        """The reader's role sees the public tables, once it is there."""
        if self.run("SELECT 1 FROM pg_roles WHERE rolname = ?", (self._store.reader,)):
            names = ", ".join(self.name(NEXT, table) for table in PUBLIC)
            self.run(f"GRANT USAGE ON SCHEMA {self._next} TO {self._store.reader}")
            self.run(f"GRANT SELECT ON {names} TO {self._store.reader}")

    def analyse(self) -> None:
        """Else the server plans without knowing what the tables hold, until it comes by of itself."""
        for table in TABLES:
            self.run(f"ANALYZE {self.name(NEXT, table)}")

    def swap(self) -> None:
        """The set being built takes over the public names, in the transaction that is open."""
        if self.exists():
            # Whoever reads the old tables now, finishes; whoever comes meanwhile waits, and finds the new ones.
            names = ", ".join(self.live.name(table) for table in TABLES)
            self.run(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
            ((generation,),) = self.run(f"SELECT generation FROM {self.live.name(LEDGERS)}") or [("0",)]
            self.run(f"ALTER SCHEMA {self.schema} RENAME TO {self._retired}{generation}")
        elif self.run("SELECT 1 FROM pg_namespace WHERE nspname = ?", (self.schema,)):
            self.run(f"DROP SCHEMA {self.schema}")
        self.run(f"ALTER SCHEMA {self._next} RENAME TO {self.schema}")

    @property
    def _retired(self) -> str:
        return f"{self.schema}_retired_"

    def discard_retired(self) -> str | None:
        """Drop what swaps left behind; a sentence where something else, a view perhaps, holds on to it."""
        like = self._retired.replace("_", r"\_") + "%"
        said = None
        for (schema,) in self.run("SELECT nspname::text FROM pg_namespace WHERE nspname LIKE ?", (like,)):
            tables = ", ".join(f"{schema}.{table.name}" for table in TABLES)
            try:
                with self._connection.transaction():
                    self._connection.execute(f"DROP TABLE {tables}".encode())
                    self._connection.execute(f"DROP SCHEMA {schema}".encode())
            except errors.DependentObjectsStillExist as error:
                on_what = " ".join((error.diag.message_detail or "something").split())
                said = f"the old tables are kept as {schema}, because others are built on them ({on_what}): make " \
                    f"those again on {self.schema}, then DROP SCHEMA {schema} CASCADE"  # fmt: skip
        return said

    def abandon(self) -> None:
        """Leave nothing of a set that will not be finished."""
        self.run(f"DROP SCHEMA IF EXISTS {self._next} CASCADE")

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def name(self, of: str, table: Table) -> str:
        """The name of a table of a set."""
        return f"{self._next if of == NEXT else self.schema}.{table.name}"

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement; the rows it gives."""
        with self._plainly(), self._connection.cursor(binary=True) as cursor:
            cursor.execute(_marked(sql), parameters)
            return cursor.fetchall() if cursor.description else []

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each of many rows."""
        with self._plainly(), self._connection.cursor() as cursor:
            cursor.executemany(_marked(sql), rows)

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Add many new rows, by COPY."""
        copy = f"COPY {table} ({', '.join(columns)}) FROM STDIN".encode()
        with self._plainly(), self._connection.cursor() as cursor, cursor.copy(copy) as writing:
            for row in rows:
                writing.write_row(row)

    def encoder(self, kind: Kind) -> Codec | None:
        """How a value is written."""
        return _ENCODERS.get(kind)

    def decoder(self, kind: Kind) -> Codec | None:
        """How a value is read back."""
        return _DECODERS.get(kind)

    def among(self, column: str, values: Sequence[Any]) -> tuple[str, list[Any]]:
        """The condition that a column holds one of some values."""
        return f"{column} = ANY(?)", [list(values)]

    @contextmanager
    def _plainly(self) -> Iterator[None]:
        try:
            with plainly(self._store):
                yield
        except StoreError as error:
            match error.__cause__:
                case errors.InsufficientPrivilege() | errors.ReadOnlySqlTransaction():
                    said = " ".join(str(error.__cause__).split())
                    raise StoreError(f"{self.place}: this role may not do that ({said}): use the owner's") from error
                case errors.UndefinedTable() | errors.InvalidSchemaName():
                    raise NoTables(
                        f"there are no reporting tables at {self.place}: verbale project makes them"
                    ) from None
            raise


@lru_cache(maxsize=256)
def _marked(sql: str) -> bytes:
    return sql.replace("%", "%%").replace("?", "%s").encode()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _instant(value: datetime) -> int:
    return microseconds(value)


_ENCODERS: Mapping[Kind, Codec] = {Kind.INSTANT: moment, Kind.JSON: Jsonb}
_DECODERS: Mapping[Kind, Codec] = {Kind.INSTANT: _instant, Kind.INTEGERS: list}
