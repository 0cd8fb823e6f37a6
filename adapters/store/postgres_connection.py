"""Connections to a PostgreSQL server, and in plain words what goes wrong with them."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import Connection, errors

from adapters.store.ledger import (
    DamagedStore,
    LockedStore,
    LostRace,
    NoStore,
    ReadOnlyStore,
    StoreError,
    UnreachableStore,
)
from adapters.store.postgres_url import PostgresPlace


def connect(place: PostgresPlace, lock_timeout: int) -> Connection[tuple[Any, ...]]:
    """A connection of its own, in autocommit. Raises NoStore, UnreachableStore, StoreError."""
    try:
        connection = psycopg.connect(**parameters(place, lock_timeout), autocommit=True)
    except psycopg.Error as error:
        raise _not_connected(error, place) from None
    with plainly(place):
        configuration(place, lock_timeout)(connection)
    return connection


def parameters(place: PostgresPlace, lock_timeout: int) -> dict[str, Any]:
    """What a connection is made with; a server that is gone without a word is noticed."""
    silent = {"keepalives_idle": "30", "keepalives_interval": "5", "keepalives_count": "3", "tcp_user_timeout": "30000"}
    usual = {"connect_timeout": str(max(2, lock_timeout)), "fallback_application_name": "verbale"}
    return {**usual, **silent, **place.connection, "client_encoding": "utf8"}


def configuration(place: PostgresPlace, lock_timeout: int) -> Callable[[Connection[Any]], None]:
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


def words(error: BaseException) -> str:
    """What the server said, on one line."""
    said = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return " ".join((said or str(error)).split())


def _not_connected(error: psycopg.Error, place: PostgresPlace) -> StoreError:
    said = words(error)
    said = said.rpartition("FATAL: ")[2].strip()
    if re.search(r'database ".*" does not exist', said):
        return NoStore(f"{place}: there is no database {place.database} on that server: create it, or name another")
    if re.search(r"password|authentication|role .* does not exist|pg_hba|permission denied", said):
        return StoreError(f"{place}: the server refused the connection ({said}): check user and password")
    return unreachable(said, place)


def unreachable(said: str, place: PostgresPlace) -> UnreachableStore:
    return UnreachableStore(f"the server at {place.server}, database {place.database}, cannot be reached ({said}): "
                            "what was answered is recorded; send the rest again when it is back")  # fmt: skip


_GONE = ("08", "57P01", "57P02", "57P03", "57P05", "25P03", "53300")


def is_lost(error: psycopg.Error) -> bool:
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
        raise in_words(error, place) from error


def in_words(error: psycopg.Error, place: PostgresPlace) -> StoreError:
    said = words(error)
    if is_lost(error):
        return unreachable(said, place)
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


@lru_cache(maxsize=256)
def marked(query: str) -> bytes:
    """The SQL of both kinds of store, with its ? in psycopg's words."""
    return query.replace("%", "%%").replace("?", "%s").encode()
