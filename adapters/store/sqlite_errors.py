"""What goes wrong with a SQLite file, as StoreErrors."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eventsourcing.persistence import IntegrityError, PersistenceError

from adapters.store.errors import DamagedStore, LockedStore, LostRace, NotAStore, ReadOnlyStore, StoreError


@contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Raises what SQLite or eventsourcing raise as a StoreError that says what to do."""
    try:
        yield
    except (IntegrityError, sqlite3.IntegrityError) as error:
        raise LostRace(f"another writer recorded something first in {path}") from error
    except (PersistenceError, sqlite3.Error) as error:
        raise _translated(str(error), path) from error


def _translated(reason: str, path: Path) -> StoreError:
    if "locked" in reason or "busy" in reason:
        return LockedStore(f"{path} is locked by another process: wait for it to finish, and try again")
    if "readonly" in reason or "read-only" in reason:
        return ReadOnlyStore(f"{path} is read-only: nothing was recorded; make it (and its folder) writable")
    if "malformed" in reason or "corrupt" in reason:
        return DamagedStore(f"{path} is damaged ({reason}): restore it from a copy")
    if "not a database" in reason:
        return NotAStore(f"{path} is not a Verbale store: name another file with --store")
    return StoreError(f"{path} cannot be used: {reason}")
