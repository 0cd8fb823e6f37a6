"""The server store: a schema of a PostgreSQL database, in which a batch is written in one transaction.

Three roles: the owner, who made the tables; a writer, who can only add evidence; a reader, who sees the reporting
schema and nothing here. One writer at a time, under the lock of the events table, so that positions are in order of
commit; readers never wait. Evidence rows cannot be changed or deleted by accident: triggers refuse it, the owner too.
"""

import os
from collections.abc import Callable
from contextlib import closing
from typing import Any, NamedTuple

from eventsourcing.utils import strtobool
from psycopg import Connection, errors

from adapters.store.errors import DamagedStore, NewerStore, NoStore, NotAStore, StoreError
from adapters.store.ledger import Ledger
from adapters.store.postgres_connection import connect
from adapters.store.postgres_errors import reason_of, translated_errors
from adapters.store.postgres_recorder import PostgresRecorderFactory
from adapters.store.postgres_schema import format_2, guards, make_roles, tables
from adapters.store.postgres_url import PostgresLocation
from adapters.store.sql import EVIDENCE, FORMAT
from adapters.store.sql_sources import SOURCES_SO_FAR
from domain.catalogue import FACTS, Catalogue

OLDEST_SERVER = 15
DB_FUNCTIONS = "POSTGRES_ENABLE_DB_FUNCTIONS"
DB_FUNCTIONS_ARE_UNSAFE = "takes no lock, so that readers miss facts, and writes no seals"


def open_postgres(
    location: PostgresLocation,
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
    with closing(connect(location, lock_timeout)) as connection, translated_errors(location):
        _check_server(connection, location)
        found = _recognise(connection, location)
        if found is None:
            if not create or location.read_only:
                raise NoStore(f"there is no store at {location}: record something first (verbale ingest), or name "
                              "another with --store")  # fmt: skip
            with connection.transaction():
                found, made_new = _make(connection, location, ledger_id)
        elif found.format < FORMAT and not _only_reads(connection):
            with connection.transaction():
                _upgrade(connection, location, found.format)
            found = _Found(found.ledger, FORMAT)
    ledger = Ledger(PostgresRecorderFactory(location, found.ledger, now, lock_timeout), catalogue)
    ledger.store.made_new, ledger.store.format = made_new, found.format
    return ledger


def _check_server(connection: Connection[Any], location: PostgresLocation) -> None:
    version = connection.info.server_version // 10_000
    if version < OLDEST_SERVER:
        raise StoreError(
            f"{location}: the server is PostgreSQL {version}, which is too old: use {OLDEST_SERVER} or newer"
        )
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StoreError(
            f"{location}: the database is in {encoding}, and texts need UTF8: create one with ENCODING 'UTF8'"
        )


class _Found(NamedTuple):
    """A store that is there: which ledger it is, and the format of its tables."""

    ledger: str
    format: int


def _recognise(connection: Connection[Any], location: PostgresLocation) -> _Found | None:
    """The store in the schema; None where it holds nothing. Raises StoreError for everything else."""
    relations, functions = _held(connection, location)
    if not relations and not functions:
        return None
    unsafe = functions & {"es_insert_events_text", "es_insert_events_uuid"}
    if unsafe:
        raise StoreError(
            f"{location} holds the function {min(unsafe)}, which {DB_FUNCTIONS_ARE_UNSAFE}: drop it, or use "
            "another schema"
        )
    if not relations >= {"ledger", *EVIDENCE} or "begin_writing" not in functions:
        raise NotAStore(f"{location} is a schema of another program: name another with ?schema=NAME")
    try:
        found = connection.execute(f"SELECT id, format FROM {location.schema}.ledger".encode()).fetchone()
    except errors.UndefinedColumn:
        raise NotAStore(f"{location} is a schema of another program: name another with ?schema=NAME") from None
    except errors.InsufficientPrivilege:
        raise StoreError(f"{location}: the role {connection.info.user} may not read the evidence, which commands do; "
                         f"members of {location.writer} may, and the owner") from None  # fmt: skip
    if found is None:
        raise DamagedStore(f"{location} does not say which ledger it is: restore it from a copy")
    ledger_id, written_format = found
    if written_format > FORMAT:
        raise NewerStore(
            f"{location} was written by a newer Verbale (format {written_format}, this one knows {FORMAT}): "
            "upgrade this one"
        )
    return _Found(str(ledger_id), int(written_format))


def _held(connection: Connection[Any], location: PostgresLocation) -> tuple[set[str], set[str]]:
    """The names of the relations and of the functions in the schema."""
    # In one query: of a store that another process is just making, either both are seen or neither.
    found = connection.execute(
        "SELECT true, relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = %(schema)s "
        "UNION ALL SELECT false, proname FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace "
        "WHERE nspname = %(schema)s",
        {"schema": location.schema},
    ).fetchall()
    return {name for relation, name in found if relation}, {name for relation, name in found if not relation}


def _exists(connection: Connection[Any], location: PostgresLocation) -> bool:
    # Asked of the table, not of to_regnamespace: it may return a cached answer from before another
    # process created the schema.
    return connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", (location.schema,)).fetchone() is not None


def _only_reads(connection: Connection[Any]) -> bool:
    """Whether we asked to only read, or the server takes nothing else: a copy that follows another."""
    return connection.execute("SHOW transaction_read_only").fetchone() == ("on",)


def _lock_tables(connection: Connection[Any], location: PostgresLocation) -> None:
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"verbale store {location.schema}",))


def _upgrade(connection: Connection[Any], location: PostgresLocation, old: int) -> None:
    """Add what an older format lacks; nothing of what is there changes."""
    _lock_tables(connection, location)
    found = _recognise(connection, location)
    if found is None or found.format >= FORMAT:  # another process was faster
        return
    try:
        # As the owner, where this role may act as the owner: the new tables belong to it, as the others do.
        owner = "SELECT set_config('role', tableowner, true) FROM pg_tables WHERE schemaname = %s AND tablename = %s"
        connection.execute(owner, (location.schema, "ledger"))
        for statement in (*format_2(), SOURCES_SO_FAR):
            connection.execute(statement.encode())
        connection.execute("UPDATE ledger SET format = %s", (FORMAT,))
        make_roles(connection, location)
    except errors.InsufficientPrivilege as error:
        raise StoreError(
            f"{location} is in format {old}, and this Verbale writes format {FORMAT} ({reason_of(error)}): have the "
            "owner of the store run, once: verbale status; until then, it can be read with mode=ro"
        ) from None


def _make(connection: Connection[Any], location: PostgresLocation, ledger_id: str) -> tuple[_Found, bool]:
    """Make the store, unless another process just did; what is there, and whether it was made here."""
    _lock_tables(connection, location)
    found = _recognise(connection, location)
    if found is not None:
        return found, False
    try:
        if not _exists(connection, location):  # asked, because IF NOT EXISTS wants the right to make one all the same
            connection.execute(f"CREATE SCHEMA {location.schema}".encode())
        for statement in (*tables(), *format_2(), *guards(location)):
            connection.execute(statement.encode())
    except errors.InsufficientPrivilege as error:
        raise StoreError(
            f"the store {location} cannot be made: {reason_of(error)}; have the owner of the database run: "
            f"CREATE SCHEMA {location.schema} AUTHORIZATION {connection.info.user}"
        ) from None
    connection.execute("INSERT INTO ledger VALUES (1, %s, 0, %s)", (ledger_id, FORMAT))
    make_roles(connection, location)
    return _Found(ledger_id, FORMAT), True


def _is_true(text: str) -> bool:
    try:
        return bool(text) and strtobool(text)
    except ValueError:
        return True
