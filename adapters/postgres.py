"""The server store: a schema of a PostgreSQL database, in which a batch is written in one transaction.

Three roles: the owner, who made the tables; a writer, who can only add evidence; a reader, who sees the reporting
schema and nothing here. One writer at a time, under the lock of the events table, so that positions are in order of
commit; readers never wait. Evidence rows cannot be changed or deleted by accident: triggers refuse it, the owner too.
"""

import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import psycopg
from eventsourcing.persistence import ApplicationRecorder, StoredEvent
from eventsourcing.postgres import ConnectionPool, PostgresApplicationRecorder, PostgresDatastore, PostgresFactory
from eventsourcing.utils import Environment, strtobool
from psycopg import Connection, Cursor, errors
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, dict_row, tuple_row
from psycopg_pool import PoolTimeout

from adapters.evidence import ADDED_TO_ONLY, EVIDENCE, EvidenceTables
from adapters.ledger import (
    Batch,
    DamagedStore,
    Identity,
    Ledger,
    LockedStore,
    LostRace,
    NewerStore,
    News,
    NoStore,
    NotAStore,
    ReadOnlyStore,
    StoreError,
    Unanswered,
    UnreachableStore,
)
from domain.catalogue import FACTS, Catalogue

FORMAT = 1
OLDEST_SERVER = 15
DEFAULT_SCHEMA = "verbale"
SHORTEST_PAUSE = 0.05
MOST_CONNECTIONS = 5
DB_FUNCTIONS = "POSTGRES_ENABLE_DB_FUNCTIONS"
DB_FUNCTIONS_ARE_UNSAFE = "takes no lock, so that readers miss facts, and writes no seals"

_SCHEMA_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_HOW = "write postgresql://USER@HOST:PORT/DATABASE, with ?schema=NAME for a schema other than verbale"


# --- where a store is ---


@dataclass(frozen=True)
class PostgresPlace:
    """Where a PostgreSQL store is: how to connect, in libpq's words, and the schema of the evidence."""

    connection: dict[str, str] = field(repr=False)
    schema: str = DEFAULT_SCHEMA
    read_only: bool = False

    @property
    def files(self) -> list[Path]:
        """No file of this machine is part of it."""
        return []

    @property
    def reporting_schema(self) -> str:
        """The schema of the tables made from this evidence."""
        return "reporting_v1" if self.schema == DEFAULT_SCHEMA else f"{self.schema}_reporting_v1"

    @property
    def writer(self) -> str:
        """The role of those who record."""
        return f"{self.schema}_writer"

    @property
    def reader(self) -> str:
        """The role of those who read reports."""
        return f"{self.schema}_reader"

    @property
    def channel(self) -> str:
        """Where the server tells that something is recorded."""
        return f"{self.schema}_recorded"

    @property
    def database(self) -> str:
        """The name of the database."""
        return self.connection["dbname"]

    @property
    def server(self) -> str:
        """HOST:PORT, or the folder of the socket."""
        host, port = self.connection.get("host", ""), self.connection.get("port", "")
        return f"{host}:{port}" if host and port else host or port or "the local server"

    def __str__(self) -> str:
        """For people: never user, password or other settings."""
        host, port = self.connection.get("host", ""), self.connection.get("port", "")
        folder = host.startswith("/")
        query = {"host": host} if folder else {}
        if self.schema != DEFAULT_SCHEMA:
            query["schema"] = self.schema
        named = "" if folder else f"[{host}]" if ":" in host else host
        where = named + (f":{port}" if port else "")
        return f"postgresql://{where}/{quote(self.database)}" + (f"?{urlencode(query, safe='/')}" if query else "")


def postgres_place(url: str) -> PostgresPlace:
    """The place a store URL names: postgresql://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE[?schema=NAME&...].

    mode=ro only reads; every other parameter is libpq's. Raises StoreError, which never repeats the URL: it may hold
    a password.
    """
    base, _, query = url.partition("?")
    try:
        given = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
        others = [(name, value) for name, value in given if name not in ("schema", "mode")]
        connection = conninfo_to_dict(base + ("?" + urlencode(others, quote_via=quote) if others else ""))
    except (ValueError, psycopg.Error):
        raise StoreError(f"the store's postgresql:// address cannot be read: {_HOW}") from None
    ours = dict(given)
    schema, mode = ours.get("schema", DEFAULT_SCHEMA), ours.get("mode", "rw")
    if not connection.get("dbname"):
        raise StoreError(f"the store's postgresql:// address names no database: {_HOW}")
    if not _SCHEMA_NAME.fullmatch(schema) or schema.startswith("pg_"):
        raise StoreError(f"{schema} cannot name a schema: use small letters, digits and _, a letter first, at most 41")
    if mode not in ("rw", "ro"):
        raise StoreError(f"mode={mode} is not known: mode=ro only reads")
    return PostgresPlace({name: str(value) for name, value in connection.items()}, schema, mode == "ro")


# --- tables and roles ---

_INTEGERS = {"notification_id", "originator_version", "leaf", "position", "recorded_at", "version", "since"}
_BYTES = {"state", "leaf_hash", "digest", "raw"}


def _instant(microseconds: str) -> str:
    """SQL: an instant, to the microsecond, from whole microseconds."""
    whole, rest = f"({microseconds}) / 1000000", f"({microseconds}) % 1000000"
    return f"(timestamptz 'epoch' + ({whole}) * interval '1 second' + ({rest}) * interval '1 microsecond')"


def _tables() -> Iterator[str]:
    yield """CREATE TABLE ledger (
        one bigint PRIMARY KEY CHECK (one = 1), id text NOT NULL, writes bigint NOT NULL, format bigint NOT NULL)"""
    yield """CREATE TABLE stored_events (
        originator_id text COLLATE "C" NOT NULL, originator_version bigint NOT NULL, topic text NOT NULL,
        state bytea NOT NULL, notification_id bigint NOT NULL UNIQUE,
        PRIMARY KEY (originator_id, originator_version))"""
    yield """CREATE TABLE seal (
        leaf bigint PRIMARY KEY, position bigint NOT NULL UNIQUE, recorded_at bigint NOT NULL, contract text,
        source text NOT NULL, message text NOT NULL, actor text, leaf_hash bytea NOT NULL)"""
    yield """CREATE TABLE inbox (
        source text NOT NULL, message text NOT NULL, digest bytea NOT NULL, stream text NOT NULL, version bigint,
        leaf bigint, PRIMARY KEY (source, message))"""
    yield """CREATE TABLE waiting (
        arrival bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source text NOT NULL, message text NOT NULL,
        digest bytea NOT NULL, stream text NOT NULL, reason text NOT NULL, raw bytea NOT NULL, since bigint NOT NULL,
        UNIQUE (source, message))"""
    yield "CREATE INDEX waiting_stream ON waiting (stream)"
    yield """CREATE TABLE refused (
        arrival bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, digest bytea NOT NULL UNIQUE, source text,
        message text, raw bytea NOT NULL, clause text NOT NULL, field text NOT NULL, reason text NOT NULL,
        refused_at bigint NOT NULL, times bigint NOT NULL)"""
    yield f"""CREATE VIEW evidence AS SELECT
        s.leaf, s.position, e.originator_id AS stream, e.originator_version AS version, e.topic AS type,
        {_instant("(fact.state ->> 'at')::bigint")} AS occurred, {_instant("s.recorded_at")} AS recorded,
        s.contract, s.source, s.message, s.actor, fact.state, encode(s.leaf_hash, 'hex') AS leaf_hash
        FROM seal s JOIN stored_events e ON e.notification_id = s.position
        CROSS JOIN LATERAL (SELECT convert_from(e.state, 'UTF8')::jsonb AS state) fact"""
    for what, said in {
        "TABLE ledger": "Which ledger this is, and how many transactions it has recorded.",
        "TABLE stored_events": "The facts, as stored. Only ever added to.",
        "TABLE seal": "What was added to each fact when it was recorded, and the hash of both. Only ever added to.",
        "TABLE inbox": "The messages recorded: what a message sent again is answered from. Only ever added to.",
        "TABLE waiting": "Messages that wait for the incident or the contract they belong to.",
        "TABLE refused": "Messages refused, whole, with the reason.",
        "VIEW evidence": "The facts with their seals, for auditors: instants as timestamps, the fact as JSON.",
    }.items():
        yield f"COMMENT ON {what} IS '{said}'"


def _guards(place: PostgresPlace) -> Iterator[str]:
    """Nobody changes evidence; who writes does so one at a time, told where the log ends."""
    for name, said in (("refuse_change", ADDED_TO_ONLY), ("refuse_another_ledger", "a ledger keeps its name")):
        yield f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION '{said}' USING ERRCODE = 'restrict_violation'; END $$"""
    for table in EVIDENCE:
        for verb, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
            yield f"""CREATE TRIGGER {table}_{verb.lower()}_refused BEFORE {verb} ON {table}
                FOR EACH {each} EXECUTE FUNCTION refuse_change()"""
    yield """CREATE TRIGGER ledger_update_refused BEFORE UPDATE ON ledger FOR EACH ROW
        WHEN ((old.one, old.id) IS DISTINCT FROM (new.one, new.id)) EXECUTE FUNCTION refuse_another_ledger()"""
    for verb, each in (("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        yield f"""CREATE TRIGGER ledger_{verb.lower()}_refused BEFORE {verb} ON ledger
            FOR EACH {each} EXECUTE FUNCTION refuse_another_ledger()"""
    # LOCK TABLE asks for more than a writer may do: hence a function that does it in the owner's name, and only that.
    yield f"""CREATE FUNCTION begin_writing(
            OUT writes_before bigint, OUT last_leaf bigint, OUT last_position bigint, OUT last_recorded_at bigint)
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = {place.schema}, pg_temp AS $$
        BEGIN
            LOCK TABLE stored_events IN EXCLUSIVE MODE;
            UPDATE ledger SET writes = writes + 1 RETURNING writes - 1 INTO writes_before;
            SELECT leaf, position, recorded_at INTO last_leaf, last_position, last_recorded_at
                FROM seal ORDER BY leaf DESC LIMIT 1;
            IF NOT FOUND THEN
                last_leaf := -1; last_position := 0; last_recorded_at := 0;
            END IF;
            PERFORM pg_notify('{place.channel}', '');
        END $$"""
    yield "REVOKE ALL ON FUNCTION begin_writing(), refuse_change(), refuse_another_ledger() FROM PUBLIC"
    yield "COMMENT ON FUNCTION begin_writing() IS 'Takes the lock of the log, and says where the log ends.'"


def _grants(place: PostgresPlace) -> list[str]:
    """What the writer may do. The reader may do nothing here."""
    schema, writer = place.schema, place.writer
    added_to = ", ".join(f"{schema}.{table}" for table in (*EVIDENCE, "waiting", "refused"))
    return [
        f"GRANT USAGE ON SCHEMA {schema} TO {writer}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {writer}",
        f"GRANT INSERT ON {added_to} TO {writer}",
        f"GRANT DELETE ON {schema}.waiting TO {writer}",
        f"GRANT UPDATE ON {schema}.refused TO {writer}",
        f"GRANT EXECUTE ON FUNCTION {schema}.begin_writing() TO {writer}",
    ]


def _make_roles(connection: Connection[Any], place: PostgresPlace) -> None:
    """The roles belong to the whole server: they may be there already, and another database may be making them."""
    (may,) = connection.execute(
        "SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user"
    ).fetchone() or (False,)
    if may:
        for role in (place.writer, place.reader):
            make = (
                f"IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role} NOLOGIN; END IF"
            )
            unless = "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL"
            connection.execute(f"DO $$ BEGIN {make}; {unless}; END $$".encode())
    if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (place.writer,)).fetchone() is not None:
        for statement in _grants(place):
            connection.execute(statement.encode())


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
    ledger = Ledger(_Factory(place, found, now, lock_timeout), catalogue)
    ledger.store.made_new = made_new
    return ledger


def connect(place: PostgresPlace, lock_timeout: int) -> Connection[tuple[Any, ...]]:
    """A connection of its own, in autocommit. Raises NoStore, UnreachableStore, StoreError."""
    try:
        connection = psycopg.connect(**_parameters(place, lock_timeout), autocommit=True)
    except psycopg.Error as error:
        raise _not_connected(error, place) from None
    with plainly(place):
        _configure(place, lock_timeout)(connection)
    return connection


def _parameters(place: PostgresPlace, lock_timeout: int) -> dict[str, Any]:
    """What a connection is made with; a server that is gone without a word is noticed."""
    silent = {"keepalives_idle": "30", "keepalives_interval": "5", "keepalives_count": "3", "tcp_user_timeout": "30000"}
    usual = {"connect_timeout": str(max(2, lock_timeout)), "fallback_application_name": "verbale"}
    return {**usual, **silent, **place.connection, "client_encoding": "utf8"}


def _configure(place: PostgresPlace, lock_timeout: int) -> Callable[[Connection[Any]], None]:
    settings = {
        "search_path": f"{place.schema}, pg_temp",
        "lock_timeout": f"{lock_timeout}s",
        "idle_in_transaction_session_timeout": "60s",
        "jit": "off",  # every query here is short
    }
    if place.read_only:
        settings["default_transaction_read_only"] = "on"
    each = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in settings.items())
    # Evidence is on disk before a message is acknowledged, also when the power fails.
    on_disk = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"

    def configure(connection: Connection[Any]) -> None:
        connection.execute(f"SELECT {each}; {on_disk}".encode())

    return configure


def _check_server(connection: Connection[Any], place: PostgresPlace) -> None:
    version = connection.info.server_version // 10_000
    if version < OLDEST_SERVER:
        raise StoreError(f"{place}: the server is PostgreSQL {version}, which is too old: use {OLDEST_SERVER} or newer")
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StoreError(
            f"{place}: the database is in {encoding}, and texts need UTF8: create one with ENCODING 'UTF8'"
        )


def _recognise(connection: Connection[Any], place: PostgresPlace) -> str | None:
    """The id of the ledger in the schema; None where it holds nothing. Raises StoreError for everything else."""
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
        raise StoreError(f"{place}: the role {connection.info.user} may not read the evidence: "
                         f"GRANT {place.writer} TO {connection.info.user}") from None  # fmt: skip
    if found is None:
        raise DamagedStore(f"{place} does not say which ledger it is: restore it from a copy")
    ledger_id, written_format = found
    if written_format > FORMAT:
        raise NewerStore(f"{place} was written by a newer Verbale (format {written_format}, this one knows {FORMAT}): "
                         "upgrade this one")  # fmt: skip
    return str(ledger_id)


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


def _make(connection: Connection[Any], place: PostgresPlace, ledger_id: str) -> tuple[str, bool]:
    """Make the store, unless another process just did; its ledger, and whether it was made here."""
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"verbale store {place.schema}",))
    found = _recognise(connection, place)
    if found is not None:
        return found, False
    try:
        if not _exists(connection, place):  # asked, because IF NOT EXISTS wants the right to make one all the same
            connection.execute(f"CREATE SCHEMA {place.schema}".encode())
        for statement in (*_tables(), *_guards(place)):
            connection.execute(statement.encode())
    except errors.InsufficientPrivilege as error:
        raise StoreError(f"the store {place} cannot be made: {_words(error)}; have the owner of the database run: "
                         f"CREATE SCHEMA {place.schema} AUTHORIZATION {connection.info.user}") from None  # fmt: skip
    connection.execute("INSERT INTO ledger VALUES (1, %s, 0, %s)", (ledger_id, FORMAT))
    _make_roles(connection, place)
    return ledger_id, True


def _is_true(text: str) -> bool:
    try:
        return bool(text) and strtobool(text)
    except ValueError:
        return True


# --- plain words ---


def _words(error: BaseException) -> str:
    """What the server said, on one line."""
    said = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return " ".join((said or str(error)).split())


def _not_connected(error: psycopg.Error, place: PostgresPlace) -> StoreError:
    said = _words(error)
    said = said.rpartition("FATAL: ")[2].strip()
    if re.search(r'database ".*" does not exist', said):
        return NoStore(f"{place}: there is no database {place.database} on that server: create it, or name another")
    if re.search(r"password|authentication|role .* does not exist|pg_hba|permission denied", said):
        return StoreError(f"{place}: the server refused the connection ({said}): check user and password")
    return _unreachable(said, place)


def _unreachable(said: str, place: PostgresPlace) -> UnreachableStore:
    return UnreachableStore(f"the server at {place.server}, database {place.database}, cannot be reached ({said}): "
                            "what was answered is recorded; send the rest again when it is back")  # fmt: skip


_GONE = ("08", "57P01", "57P02", "57P03", "57P05", "25P03", "53300")


def _is_lost(error: psycopg.Error) -> bool:
    """Whether the connection is gone: the server, the network, or somebody ended it."""
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    return error.sqlstate is None or error.sqlstate.startswith(_GONE)


@contextmanager
def plainly(place: PostgresPlace) -> Iterator[None]:
    """Turn what psycopg raises into a StoreError that says what to do."""
    try:
        yield
    except psycopg.Error as error:
        raise _plain(error, place) from error


def _plain(error: psycopg.Error, place: PostgresPlace) -> StoreError:
    said = _words(error)
    if _is_lost(error):
        return _unreachable(said, place)
    match error:
        case errors.UniqueViolation() | errors.SerializationFailure() | errors.DeadlockDetected():
            return LostRace(f"another writer recorded something first in {place}")
        case errors.LockNotAvailable():
            return LockedStore(f"{place} is locked by another process: wait for it to finish, and try again")
        case errors.ReadOnlySqlTransaction():
            return ReadOnlyStore(f"{place} is read-only: nothing was recorded; connect to a server that can be written")
        case errors.InsufficientPrivilege():
            return ReadOnlyStore(f"{place}: this role may not record ({said}): nothing was recorded; "
                                 f"it must be a member of {place.writer}")  # fmt: skip
        case errors.DataCorrupted() | errors.IndexCorrupted() | errors.UndefinedTable() | errors.UndefinedFunction():
            return DamagedStore(f"{place} is damaged ({said}): restore it from a copy")
        case _:
            return StoreError(f"{place} cannot be used: {said}")


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
            kwargs={**_parameters(place, lock_timeout), "autocommit": True, "row_factory": dict_row},
            min_size=0,
            max_size=MOST_CONNECTIONS,
            open=False,
            configure=_configure(place, lock_timeout),
            name="verbale",
            timeout=lock_timeout,
            reconnect_timeout=lock_timeout,
            num_workers=1,
        )
        self._made_of = place, ledger_id, now, lock_timeout

    def application_recorder(self) -> ApplicationRecorder:
        return PostgresRecorder(self.datastore, *self._made_of)


class PostgresRecorder(EvidenceTables[Cursor[tuple[Any, ...]]], PostgresApplicationRecorder):
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
            raise _unreachable(_words(error), self.where) from error
        except psycopg.Error as error:
            if _is_lost(error):
                raise Unanswered(f"the server at {self.where.server} did not answer ({_words(error)}): what was being "
                                 "recorded is there whole or not at all; send it again") from error  # fmt: skip
            raise _plain(error, self.where) from error

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

    def _insert(self, c: Cursor[tuple[Any, ...]], table: str, columns: str, rows: Sequence[Sequence[Any]]) -> None:
        if rows:
            c.execute(_unnest(table, columns), [list(column) for column in zip(*rows, strict=True)])

    def _each(self, c: Cursor[tuple[Any, ...]], statement: str, rows: Sequence[Sequence[Any]]) -> None:
        if rows:
            c.executemany(_sql(statement), [list(map(_storable, row)) for row in rows])

    # --- reading ---

    def _fetch(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows, asked for again where the connection is lost, as long as one waits for another process."""
        until = time.monotonic() + self.lock_timeout
        while True:
            try:
                with self._connection() as connection, connection.cursor(binary=True, row_factory=tuple_row) as c:
                    found: list[tuple[Any, ...]] = c.execute(_sql(query), parameters).fetchall()
                    return found
            except psycopg.Error as error:
                if isinstance(error, PoolTimeout) or not _is_lost(error) or time.monotonic() > until:
                    raise _plain(error, self.where) from error
            time.sleep(SHORTEST_PAUSE)

    def _values(self, values: Sequence[str]) -> list[Any]:
        return [list(values)]

    def _pairs(self, identities: Sequence[Identity]) -> list[Any]:
        return [list(part) for part in zip(*identities, strict=True)]

    @contextmanager
    def news(self) -> Iterator[News]:
        """Hears of what is recorded from now on."""
        news = _PostgresNews(self.where, self.lock_timeout)
        try:
            yield news
        finally:
            news.close()

    def _guards(self) -> int:
        triggers = "pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        in_force = "n.nspname = ? AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')"
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
            run += _grants(self.where)
        return f"{self.place} lacks a part of its roles; have them made: {'; '.join(run)}" if run else None

    def _writer_may_write(self) -> bool:
        ((may,),) = self._fetch(
            "SELECT has_function_privilege(?, ?, 'EXECUTE')",
            (self.where.writer, f"{self.where.schema}.begin_writing()"),
        )
        return bool(may)


class _PostgresNews:
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


@lru_cache(maxsize=256)
def _sql(query: str) -> bytes:
    """The SQL of both stores in psycopg's words."""
    return query.replace("%", "%%").replace("?", "%s").encode()


@lru_cache(maxsize=64)
def _unnest(table: str, columns: str) -> bytes:
    """Inserts many rows in one statement, an array for each column."""
    types = ["bigint" if name in _INTEGERS else "bytea" if name in _BYTES else "text" for name in columns.split(", ")]
    return (
        f"INSERT INTO {table} ({columns}) SELECT * FROM unnest({', '.join(f'%b::{one}[]' for one in types)})".encode()
    )


def _storable(value: Any) -> Any:
    """PostgreSQL stores no NUL in a text: what is quoted from a refused message may hold one."""
    return value.replace("\x00", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value
