"""The recorder of a PostgreSQL store, on eventsourcing's."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

import psycopg
from eventsourcing.persistence import ApplicationRecorder, StoredEvent
from eventsourcing.postgres import ConnectionPool, PostgresApplicationRecorder, PostgresDatastore, PostgresFactory
from eventsourcing.utils import Environment
from psycopg import Connection, Cursor, errors
from psycopg.rows import DictRow, dict_row, tuple_row
from psycopg_pool import PoolTimeout

from adapters.retries import lost_connections
from adapters.store.errors import Unanswered
from adapters.store.postgres_connection import configuration, marked, parameters
from adapters.store.postgres_errors import is_lost, reason_of, translated, translated_errors, unreachable
from adapters.store.postgres_notifications import PostgresNotifications
from adapters.store.postgres_schema import grants
from adapters.store.postgres_url import PostgresLocation
from adapters.store.recorder import Notifications
from adapters.store.records import Batch, Identity
from adapters.store.sql import EVIDENCE
from adapters.store.sql_recorder import EndOfLog, SqlRecorder

MOST_CONNECTIONS = 5

_INTEGERS = {"notification_id", "originator_version", "leaf", "position", "recorded_at", "version", "since", "number"}
_BYTES = {"state", "leaf_hash", "digest", "raw", "body"}


class _Datastore(PostgresDatastore):
    def register_type_adapters(self) -> None:
        """No composite types: arrays of plain types are faster."""


class PostgresRecorderFactory(PostgresFactory):
    """Makes the recorder of the store at a location; `lock_timeout` is in seconds."""

    def __init__(self, location: PostgresLocation, ledger_id: str, now: Callable[[], int], lock_timeout: int) -> None:
        connection = {self.POSTGRES_DBNAME: location.database, self.POSTGRES_HOST: "-", self.POSTGRES_PORT: "-",
                      self.POSTGRES_USER: "-", self.POSTGRES_PASSWORD: "-"}  # fmt: skip
        super().__init__(Environment("verbale", {**connection, self.CREATE_TABLE: "no"}))
        self.datastore = _Datastore(
            location.database, "-", "-", "-", "-", schema=location.schema, lock_timeout=lock_timeout,
            originator_id_type="text",
        )  # fmt: skip
        self.datastore.pool = ConnectionPool(
            connection_class=Connection[DictRow],
            kwargs={**parameters(location, lock_timeout), "autocommit": True, "row_factory": dict_row},
            min_size=0,
            max_size=MOST_CONNECTIONS,
            open=False,
            configure=configuration(location, lock_timeout),
            name="verbale",
            timeout=lock_timeout,
            reconnect_timeout=lock_timeout,
            num_workers=1,
        )
        self._made_of = location, ledger_id, now, lock_timeout

    def application_recorder(self) -> ApplicationRecorder:
        """The recorder."""
        return PostgresRecorder(self.datastore, *self._made_of)


class PostgresRecorder(SqlRecorder[Cursor[tuple[Any, ...]]], PostgresApplicationRecorder):
    """Records a batch in one transaction of PostgreSQL; reads what is recorded."""

    KEY = "notification_id"
    # LATERAL with a limit: each fact finds its seal by position. Joined outright, every seal may be read for one page.
    ITS_SEAL = """LEFT JOIN LATERAL (SELECT recorded_at, source, contract FROM seal
        WHERE position = e.notification_id LIMIT 1) s ON true"""
    GUARDS = 3 * len(EVIDENCE) + 3
    AMONG = "= ANY(?::text[])"
    IDENTITY_AMONG = "IN (SELECT * FROM unnest(?::text[], ?::text[]))"

    def __init__(
        self,
        datastore: PostgresDatastore,
        location: PostgresLocation,
        ledger_id: str,
        now: Callable[[], int],
        lock_timeout: int,
    ) -> None:
        super().__init__(datastore)
        self.postgres, self.location = location, str(location)
        self.ledger_id = ledger_id
        self.now = now
        self.lock_timeout = lock_timeout
        self._retrying = lost_connections(_was_lost, lock_timeout)

    def _connection(self) -> Any:
        self.datastore.pool.open()
        return self.datastore.pool.connection()

    # --- writing ---

    def insert_events(
        self, stored_events: Sequence[StoredEvent], *, batch: Batch | None = None, **_: Any
    ) -> Sequence[int] | None:
        """Record a batch in one transaction; raises StoreErrors, LostRace and Unanswered among them."""
        try:
            with self._connection() as connection:
                try:
                    return self._insert_batch(connection, stored_events, batch)
                except BaseException:
                    with suppress(psycopg.Error):
                        connection.execute("ROLLBACK")
                    raise
        except PoolTimeout as error:
            raise unreachable(reason_of(error), self.postgres) from error
        except psycopg.Error as error:
            if is_lost(error):
                raise Unanswered(
                    f"the server at {self.postgres.server} did not answer ({reason_of(error)}): what was being "
                    "recorded is there whole or not at all; send it again"
                ) from error
            if isinstance(error, psycopg.DataError | errors.ProgramLimitExceeded):
                raise  # the store is there, but one message has no room in it: others must not wait for it
            raise translated(error, self.postgres) from error

    def _insert_batch(
        self, connection: Connection[Any], stored_events: Sequence[StoredEvent], batch: Batch | None
    ) -> Sequence[int]:
        # Two round trips: one asks where the log ends, one does all the rest.
        with connection.pipeline(), connection.cursor(row_factory=tuple_row) as c:
            c.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
            c.execute("SELECT * FROM begin_writing()")
            end = c.fetchone()
            if end is None:
                raise TypeError("begin_writing says where the log ends")
            positions = self._record(c, stored_events, batch, EndOfLog(*end))
            c.execute("COMMIT")
        return positions

    def _insert(
        self, c: Cursor[tuple[Any, ...]], table: str, columns: str, rows: Sequence[Sequence[Any]], otherwise: str = ""
    ) -> None:
        if rows:
            arrays = [list(column) for column in zip(*rows, strict=True)]
            c.execute(_unnest(table, columns) + otherwise.encode(), arrays)

    def _change(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        with (
            translated_errors(self.postgres),
            self._connection() as connection,
            connection.transaction(),
            connection.cursor() as c,
        ):
            c.executemany(marked(statement), rows)

    def _each(self, c: Cursor[tuple[Any, ...]], statement: str, rows: Sequence[Sequence[Any]]) -> None:
        if rows:
            c.executemany(marked(statement), [list(map(_storable, row)) for row in rows])

    # --- reading ---

    def _fetch(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows, asked for again where the connection is lost, for as long as one waits for another process."""
        with translated_errors(self.postgres):
            return self._retrying(self._fetch_once, query, parameters)

    def _fetch_once(self, query: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self._connection() as connection, connection.cursor(binary=True, row_factory=tuple_row) as c:
            found: list[tuple[Any, ...]] = c.execute(marked(query), parameters).fetchall()
            return found

    def _values(self, values: Sequence[str]) -> list[Any]:
        return [list(values)]

    def _pairs(self, identities: Sequence[Identity]) -> list[Any]:
        return [list(part) for part in zip(*identities, strict=True)]

    @contextmanager
    def notifications(self) -> Iterator[Notifications]:
        """Hears of what is recorded from now on, by whatever process."""
        notifications = PostgresNotifications(self.postgres, self.lock_timeout)
        try:
            yield notifications
        finally:
            notifications.close()

    def _guards(self) -> int:
        triggers = "pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        triggers += " JOIN pg_proc f ON f.oid = t.tgfoid"
        # A trigger that is there may have been turned off, or its function emptied.
        in_force = "n.nspname = ? AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')"
        in_force += " AND t.tgname LIKE '%refused' AND f.prosrc LIKE '%RAISE EXCEPTION%'"
        return int(self._fetch(f"SELECT count(*) FROM {triggers} WHERE {in_force}", (self.postgres.schema,))[0][0])

    def wrong(self) -> list[tuple[str, str]]:
        """What is wrong with the store, each with what to do about it."""
        missing = self.roles_missing()
        return [*super().wrong(), *([(missing, "have a role that may make roles run that")] if missing else [])]

    def roles_missing(self) -> str | None:
        """What is missing of the writer's and the reader's roles, with what to run; None where nothing is."""
        wanted = [self.postgres.writer, self.postgres.reader]
        there = {
            name for (name,) in self._fetch("SELECT rolname FROM pg_roles WHERE rolname = ANY(?::text[])", [wanted])
        }
        run = [f"CREATE ROLE {role} NOLOGIN" for role in wanted if role not in there]
        if self.postgres.writer not in there or not self._writer_may_write():
            run += grants(self.postgres)
        return f"{self.location} lacks a part of its roles; have them made: {'; '.join(run)}" if run else None

    def _writer_may_write(self) -> bool:
        ((may,),) = self._fetch(
            "SELECT has_function_privilege(?, ?, 'EXECUTE')",
            (self.postgres.writer, f"{self.postgres.schema}.begin_writing()"),
        )
        return bool(may)


def _was_lost(error: BaseException) -> bool:
    if isinstance(error, PoolTimeout):  # the pool has already waited as long as we may
        return False
    return isinstance(error, psycopg.Error) and is_lost(error)


@lru_cache(maxsize=64)
def _unnest(table: str, columns: str) -> bytes:
    """Inserts many rows in one statement, an array for each column."""
    types = ["bigint" if name in _INTEGERS else "bytea" if name in _BYTES else "text" for name in columns.split(", ")]
    return (
        f"INSERT INTO {table} ({columns}) SELECT * FROM unnest({', '.join(f'%b::{one}[]' for one in types)}) ".encode()
    )


def _storable(value: Any) -> Any:
    """PostgreSQL stores no NUL in a text: what is quoted from a refused message may hold one."""
    return value.replace("\x00", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value
