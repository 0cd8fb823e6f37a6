"""What goes wrong with a PostgreSQL server, as StoreErrors."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from adapters.store.errors import (
    DamagedStore,
    LockedStore,
    LostRace,
    NoStore,
    ReadOnlyStore,
    StoreError,
    UnreachableStore,
)
from adapters.store.postgres_url import PostgresLocation

_LOST = ("08", "57P01", "57P02", "57P03", "57P05", "25P03", "53300")
"""How the codes of errors begin that mean: there is no connection any more."""


@contextmanager
def translated_errors(location: PostgresLocation) -> Iterator[None]:
    """Raises what psycopg raises as a StoreError that says what to do."""
    try:
        yield
    except psycopg.Error as error:
        raise translated(error, location) from error


def translated(error: psycopg.Error, location: PostgresLocation) -> StoreError:
    """What psycopg raised, as a StoreError that says what to do."""
    reason = reason_of(error)
    if is_lost(error):
        return unreachable(reason, location)
    match error:
        case errors.UniqueViolation() | errors.SerializationFailure() | errors.DeadlockDetected():
            return LostRace(f"another writer recorded something first in {location}")
        case errors.LockNotAvailable():
            return LockedStore(f"{location} is locked by another process: wait for it to finish, and try again")
        case errors.ReadOnlySqlTransaction():
            return ReadOnlyStore(
                f"{location} is read-only: nothing was recorded; connect to a server that can be written"
            )
        case errors.InsufficientPrivilege():
            return ReadOnlyStore(f"{location}: this role may not record ({reason}): nothing was recorded; "
                                 f"it must be a member of {location.writer}")  # fmt: skip
        case errors.DataCorrupted() | errors.IndexCorrupted() | errors.UndefinedTable() | errors.UndefinedFunction():
            return DamagedStore(f"{location} is damaged ({reason}): restore it from a copy")
        case _:
            return StoreError(f"{location} cannot be used: {reason}")


def not_connected(error: psycopg.Error, location: PostgresLocation) -> StoreError:
    """Why no connection could be made."""
    reason = reason_of(error).rpartition("FATAL: ")[2].strip()
    if re.search(r'database ".*" does not exist', reason):
        return NoStore(
            f"{location}: there is no database {location.database} on that server: create it, or name another"
        )
    if re.search(r"password|authentication|role .* does not exist|pg_hba|permission denied", reason):
        return StoreError(f"{location}: the server refused the connection ({reason}): check user and password")
    return unreachable(reason, location)


def unreachable(reason: str, location: PostgresLocation) -> UnreachableStore:
    """The server does not answer, for that reason."""
    return UnreachableStore(
        f"the server at {location.server}, database {location.database}, cannot be reached ({reason}): "
        "what was answered is recorded; send the rest again when it is back"
    )


def is_lost(error: psycopg.Error) -> bool:
    """Whether the connection is gone: the server, the network, or somebody ended it."""
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    return error.sqlstate is None or error.sqlstate.startswith(_LOST)


def reason_of(error: BaseException) -> str:
    """What the server gives as the reason, on one line."""
    reason = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return " ".join((reason or str(error)).split())
