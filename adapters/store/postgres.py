"""The server store: a schema of a PostgreSQL database, in which a batch is written in one transaction.

Three roles: the owner, who made the tables; a writer, who can only add evidence; a reader, who sees the reporting
schema and nothing here. One writer at a time, under the lock of the events table, so that positions are in order of
commit; readers never wait. Evidence rows cannot be changed or deleted by accident: triggers refuse it, the owner too.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import lru_cache
from typing import Any, NamedTuple

import psycopg
from eventsourcing.persistence import ApplicationRecorder, StoredEvent
from eventsourcing.postgres import ConnectionPool, PostgresApplicationRecorder, PostgresDatastore, PostgresFactory
from eventsourcing.utils import Environment, strtobool
from psycopg import Connection, Cursor, errors
from psycopg.rows import DictRow, dict_row, tuple_row
from psycopg_pool import PoolTimeout

from adapters.store.ledger import (
    Batch,
    DamagedStore,
    Identity,
    Ledger,
    NewerStore,
    NoStore,
    NotAStore,
    Notifications,
    StoreError,
    Unanswered,
    UnreachableStore,
)
from adapters.store.postgres_connection import (
    configuration,
    connect,
    in_words,
    is_lost,
    marked,
    parameters,
    plainly,
    unreachable,
    words,
)
from adapters.store.postgres_schema import correspondence, grants, guards, make_roles, tables
from adapters.store.postgres_url import PostgresPlace
from adapters.store.sql import EVIDENCE, FORMAT, SOURCES_SO_FAR, SqlRecorder
from domain.catalogue import FACTS, Catalogue

OLDEST_SERVER = 15
SHORTEST_PAUSE = 0.05
MOST_CONNECTIONS = 5
DB_FUNCTIONS = "POSTGRES_ENABLE_DB_FUNCTIONS"
DB_FUNCTIONS_ARE_UNSAFE = "takes no lock, so that readers miss facts, and writes no seals"


_INTEGERS = {"notification_id", "originator_version", "leaf", "position", "recorded_at", "version", "since", "number"}
_BYTES = {"state", "leaf_hash", "digest", "raw", "body"}

# --- opening ---


def open_postgres(
    place: PostgresPlace,
    *,
    ledger_id: str,
    now: Callable[[], int],
    create: bool = False,
    lock_timeout: int = 10,
    catalogue: Catalogue = FACTS,
) -> Ledger:
    """The ledger in a schema of a database, made new where `create` says so and there is none.

    `now` gives microseconds UTC, `lock_timeout` is in seconds. Raises the StoreErrors, each a sentence to act on.
    """
    for name in (DB_FUNCTIONS, f"VERBALE_{DB_FUNCTIONS}"):
        if _is_true(os.environ.get(name, "")):
            raise StoreError(f"{name} is set, and must not be: what it turns on {DB_FUNCTIONS_ARE_UNSAFE}; unset it")
    made_new = False
    with closing(connect(place, lock_timeout)) as connection, plainly(place):
        _check_server(connection, place)
        found = _recognise(connection, place)
        if found is None:
            if not create or place.read_only:
                raise NoStore(f"there is no store at {place}: record something first (verbale ingest), or name "
                              "another with --store")  # fmt: skip
            with connection.transaction():
                found, made_new = _make(connection, place, ledger_id)
        elif found.format < FORMAT and not _only_reads(connection):
            with connection.transaction():
                _upgrade(connection, place, found.format)
            found = _Found(found.ledger, FORMAT)
    ledger = Ledger(_Factory(place, found.ledger, now, lock_timeout), catalogue)
    ledger.store.made_new, ledger.store.format = made_new, found.format
    return ledger


def _check_server(connection: Connection[Any], place: PostgresPlace) -> None:
    version = connection.info.server_version // 10_000
    if version < OLDEST_SERVER:
        raise StoreError(f"{place}: the server is PostgreSQL {version}, which is too old: use {OLDEST_SERVER} or newer")
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StoreError(
            f"{place}: the database is in {encoding}, and texts need UTF8: create one with ENCODING 'UTF8'"
        )


class _Found(NamedTuple):
    """A store that is there: which ledger it is, and the format of its tables."""

    ledger: str
    format: int


def _recognise(connection: Connection[Any], place: PostgresPlace) -> _Found | None:
    """The store in the schema; None where it holds nothing. Raises StoreError for everything else."""
    relations, functions = _held(connection, place)
    if not relations and not functions:
        return None
    unsafe = functions & {"es_insert_events_text", "es_insert_events_uuid"}
    if unsafe:
        raise StoreError(f"{place} holds the function {min(unsafe)}, which {DB_FUNCTIONS_ARE_UNSAFE}: drop it, or use "
                         "another schema")  # fmt: skip
    if not relations >= {"ledger", *EVIDENCE} or "begin_writing" not in functions:
        raise NotAStore(f"{place} is a schema of another program: name another with ?schema=NAME")
    try:
        found = connection.execute(f"SELECT id, format FROM {place.schema}.ledger".encode()).fetchone()
    except errors.UndefinedColumn:
        raise NotAStore(f"{place} is a schema of another program: name another with ?schema=NAME") from None
    except errors.InsufficientPrivilege:
        raise StoreError(f"{place}: the role {connection.info.user} may not read the evidence, which commands do; "
                         f"members of {place.writer} may, and the owner") from None  # fmt: skip
    if found is None:
        raise DamagedStore(f"{place} does not say which ledger it is: restore it from a copy")
    ledger_id, written_format = found
    if written_format > FORMAT:
        raise NewerStore(f"{place} was written by a newer Verbale (format {written_format}, this one knows {FORMAT}): "
                         "upgrade this one")  # fmt: skip
    return _Found(str(ledger_id), int(written_format))


def _held(connection: Connection[Any], place: PostgresPlace) -> tuple[set[str], set[str]]:
    """The names of the relations and of the functions in the schema."""
    # In one query: of a store that another process is just making, either both are seen or neither.
    found = connection.execute(
        "SELECT true, relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = %(schema)s "
        "UNION ALL SELECT false, proname FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace "
        "WHERE nspname = %(schema)s",
        {"schema": place.schema},
    ).fetchall()
    return {name for relation, name in found if relation}, {name for relation, name in found if not relation}


def _exists(connection: Connection[Any], place: PostgresPlace) -> bool:
    # Asked of the table, not of to_regnamespace: that may remember what was so before another process made it.
    return connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", (place.schema,)).fetchone() is not None


def _only_reads(connection: Connection[Any]) -> bool:
    """Whether we asked to only read, or the server takes nothing else: a copy that follows another."""
    return connection.execute("SHOW transaction_read_only").fetchone() == ("on",)


def _lock_tables(connection: Connection[Any], place: PostgresPlace) -> None:
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"verbale store {place.schema}",))


def _upgrade(connection: Connection[Any], place: PostgresPlace, old: int) -> None:
    """Add what an older format lacks; nothing of what is there changes."""
    _lock_tables(connection, place)
    found = _recognise(connection, place)
    if found is None or found.format >= FORMAT:  # another process was faster
        return
    try:
        # In the owner's name, whoever may act in it: the new tables belong to whom the others belong to.
        owner = "SELECT set_config('role', tableowner, true) FROM pg_tables WHERE schemaname = %s AND tablename = %s"
        connection.execute(owner, (place.schema, "ledger"))
        for statement in (*correspondence(), SOURCES_SO_FAR):
            connection.execute(statement.encode())
        connection.execute("UPDATE ledger SET format = %s", (FORMAT,))
        make_roles(connection, place)
    except errors.InsufficientPrivilege as error:
        raise StoreError(
            f"{place} is in format {old}, and this Verbale writes format {FORMAT} ({words(error)}): have the owner of "
            "the store run, once: verbale status; until then, it can be read with mode=ro"
        ) from None


def _make(connection: Connection[Any], place: PostgresPlace, ledger_id: str) -> tuple[_Found, bool]:
    """Make the store, unless another process just did; what is there, and whether it was made here."""
    _lock_tables(connection, place)
    found = _recognise(connection, place)
    if found is not None:
        return found, False
    try:
        if not _exists(connection, place):  # asked, because IF NOT EXISTS wants the right to make one all the same
            connection.execute(f"CREATE SCHEMA {place.schema}".encode())
        for statement in (*tables(), *correspondence(), *guards(place)):
            connection.execute(statement.encode())
    except errors.InsufficientPrivilege as error:
        raise StoreError(f"the store {place} cannot be made: {words(error)}; have the owner of the database run: "
                         f"CREATE SCHEMA {place.schema} AUTHORIZATION {connection.info.user}") from None  # fmt: skip
    connection.execute("INSERT INTO ledger VALUES (1, %s, 0, %s)", (ledger_id, FORMAT))
    make_roles(connection, place)
    return _Found(ledger_id, FORMAT), True


def _is_true(text: str) -> bool:
    try:
        return bool(text) and strtobool(text)
    except ValueError:
        return True


# --- the recorder ---


class _Datastore(PostgresDatastore):
    def register_type_adapters(self) -> None:
        """No composite types: arrays of plain types are faster."""


class _Factory(PostgresFactory):
    def __init__(self, place: PostgresPlace, ledger_id: str, now: Callable[[], int], lock_timeout: int) -> None:
        connection = {self.POSTGRES_DBNAME: place.database, self.POSTGRES_HOST: "-", self.POSTGRES_PORT: "-",
                      self.POSTGRES_USER: "-", self.POSTGRES_PASSWORD: "-"}  # fmt: skip
        super().__init__(Environment("verbale", {**connection, self.CREATE_TABLE: "no"}))
        self.datastore = _Datastore(
            place.database, "-", "-", "-", "-", schema=place.schema, lock_timeout=lock_timeout,
            originator_id_type="text",
        )  # fmt: skip
        self.datastore.pool = ConnectionPool(
            connection_class=Connection[DictRow],
            kwargs={**parameters(place, lock_timeout), "autocommit": True, "row_factory": dict_row},
            min_size=0,
            max_size=MOST_CONNECTIONS,
            open=False,
            configure=configuration(place, lock_timeout),
            name="verbale",
            timeout=lock_timeout,
            reconnect_timeout=lock_timeout,
            num_workers=1,
        )
        self._made_of = place, ledger_id, now, lock_timeout

    def application_recorder(self) -> ApplicationRecorder:
        return PostgresRecorder(self.datastore, *self._made_of)


class PostgresRecorder(SqlRecorder[Cursor[tuple[Any, ...]]], PostgresApplicationRecorder):
    """Writes facts, their seals, receipts and kept messages in one transaction; reads them in whole."""

    KEY = "notification_id"
    GUARDS = 3 * len(EVIDENCE) + 3
    AMONG = "= ANY(?::text[])"
    IDENTITY_AMONG = "IN (SELECT * FROM unnest(?::text[], ?::text[]))"

    def __init__(
        self,
        datastore: PostgresDatastore,
        where: PostgresPlace,
        ledger_id: str,
        now: Callable[[], int],
        lock_timeout: int,
    ) -> None:
        super().__init__(datastore)
        self.where, self.place = where, str(where)
        self.ledger_id = ledger_id
        self.now = now
        self.lock_timeout = lock_timeout

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
            raise unreachable(words(error), self.where) from error
        except psycopg.Error as error:
            if is_lost(error):
                raise Unanswered(f"the server at {self.where.server} did not answer ({words(error)}): what was being "
                                 "recorded is there whole or not at all; send it again") from error  # fmt: skip
            if isinstance(error, psycopg.DataError | errors.ProgramLimitExceeded):
                raise  # not the store is away, what one message says has no room in it: others are not to wait for it
            raise in_words(error, self.where) from error

    def _insert_batch(
        self, connection: Connection[Any], stored_events: Sequence[StoredEvent], batch: Batch | None
    ) -> Sequence[int]:
        # Two round trips: one to hear where the log ends, one for all the rest.
        with connection.pipeline(), connection.cursor(row_factory=tuple_row) as c:
            c.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
            c.execute("SELECT * FROM begin_writing()")
            last = c.fetchone()
            if last is None:
                raise TypeError("begin_writing says where the log ends")
            positions = self._record(c, stored_events, batch, (last[0], last[1], last[2], last[3]))
            c.execute("COMMIT")
        return positions

    def _insert(
        self, c: Cursor[tuple[Any, ...]], table: str, columns: str, rows: Sequence[Sequence[Any]], otherwise: str = ""
    ) -> None:
        if rows:
            arrays = [list(column) for column in zip(*rows, strict=True)]
            c.execute(_unnest(table, columns) + otherwise.encode(), arrays)

    def _change(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        with plainly(self.where), self._connection() as connection, connection.transaction(), connection.cursor() as c:
            c.executemany(marked(statement), rows)

    def _each(self, c: Cursor[tuple[Any, ...]], statement: str, rows: Sequence[Sequence[Any]]) -> None:
        if rows:
            c.executemany(marked(statement), [list(map(_storable, row)) for row in rows])

    # --- reading ---

    def _fetch(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows, asked for again where the connection is lost, as long as one waits for another process."""
        until = time.monotonic() + self.lock_timeout
        while True:
            try:
                with self._connection() as connection, connection.cursor(binary=True, row_factory=tuple_row) as c:
                    found: list[tuple[Any, ...]] = c.execute(marked(query), parameters).fetchall()
                    return found
            except psycopg.Error as error:
                if isinstance(error, PoolTimeout) or not is_lost(error) or time.monotonic() > until:
                    raise in_words(error, self.where) from error
            time.sleep(SHORTEST_PAUSE)

    def _values(self, values: Sequence[str]) -> list[Any]:
        return [list(values)]

    def _pairs(self, identities: Sequence[Identity]) -> list[Any]:
        return [list(part) for part in zip(*identities, strict=True)]

    @contextmanager
    def notifications(self) -> Iterator[Notifications]:
        """Hears of what is recorded from now on."""
        notifications = _PostgresNotifications(self.where, self.lock_timeout)
        try:
            yield notifications
        finally:
            notifications.close()

    def _guards(self) -> int:
        triggers = "pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        triggers += " JOIN pg_proc f ON f.oid = t.tgfoid"
        # A trigger that is there may have been advanced off, or have been given nothing to say.
        in_force = "n.nspname = ? AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')"
        in_force += " AND t.tgname LIKE '%refused' AND f.prosrc LIKE '%RAISE EXCEPTION%'"
        return int(self._fetch(f"SELECT count(*) FROM {triggers} WHERE {in_force}", (self.where.schema,))[0][0])

    def wrong(self) -> list[tuple[str, str]]:
        """What is wrong with the store, each with what to do about it."""
        missing = self.roles_missing()
        return [*super().wrong(), *([(missing, "have a role that may make roles run that")] if missing else [])]

    def roles_missing(self) -> str | None:
        """What is missing of the writer's and the reader's roles, with what to run; None where nothing is."""
        wanted = [self.where.writer, self.where.reader]
        there = {
            name for (name,) in self._fetch("SELECT rolname FROM pg_roles WHERE rolname = ANY(?::text[])", [wanted])
        }
        run = [f"CREATE ROLE {role} NOLOGIN" for role in wanted if role not in there]
        if self.where.writer not in there or not self._writer_may_write():
            run += grants(self.where)
        return f"{self.place} lacks a part of its roles; have them made: {'; '.join(run)}" if run else None

    def _writer_may_write(self) -> bool:
        ((may,),) = self._fetch(
            "SELECT has_function_privilege(?, ?, 'EXECUTE')",
            (self.where.writer, f"{self.where.schema}.begin_writing()"),
        )
        return bool(may)


class _PostgresNotifications:
    """Listens on a connection of its own, and connects again when that is lost."""

    def __init__(self, place: PostgresPlace, lock_timeout: int) -> None:
        self._place, self._lock_timeout = place, lock_timeout
        self._connection: Connection[Any] | None = self._listening(lock_timeout)

    def _listening(self, patience: float) -> Connection[Any]:
        connection = connect(self._place, min(self._lock_timeout, int(patience) + 1))
        with plainly(self._place):
            connection.execute(f"LISTEN {self._place.channel}".encode())
        return connection

    def wait(self, seconds: float) -> bool:
        """Whether something has (perhaps) been recorded since last asked; waits for it that long at the most."""
        until = time.monotonic() + seconds
        while True:
            left = max(0.0, until - time.monotonic())
            try:
                if self._connection is None:
                    self._connection = self._listening(left)
                    return True  # whatever was recorded meanwhile was not heard of
                return any(
                    [*self._connection.notifies(timeout=left, stop_after=1), *self._connection.notifies(timeout=0)]
                )
            except (psycopg.Error, UnreachableStore):
                self.close()
            if time.monotonic() >= until:
                return False
            time.sleep(min(SHORTEST_PAUSE, max(0.0, until - time.monotonic())))

    def close(self) -> None:
        """Stop listening."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


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
