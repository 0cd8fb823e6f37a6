"""The embedded store: one SQLite file, in which facts, seals and inbox are written in one transaction.

The file says whose it is (application id) and in which format it is written (user version). It is made beside its
path and moved there whole, so that a store that exists is a whole store. Evidence rows cannot be changed or deleted
by accident: triggers refuse it (intentional changes are found by comparing hashes).
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from adapters.store.errors import DamagedStore, NewerStore, NoStore, NotAStore, StoreError
from adapters.store.ledger import Ledger
from adapters.store.sql import FORMAT
from adapters.store.sql_sources import SOURCES_SO_FAR
from adapters.store.sqlite_errors import translated_errors
from adapters.store.sqlite_recorder import SqliteRecorderFactory
from adapters.store.sqlite_schema import APPLICATION_ID, FORMAT_2, SCHEMA
from domain.catalogue import FACTS, Catalogue


def open_store(
    path: Path,
    *,
    ledger_id: str,
    now: Callable[[], int],
    create: bool = False,
    read_only: bool = False,
    lock_timeout: int = 10,
    catalogue: Catalogue = FACTS,
) -> Ledger:
    """The ledger in the file at `path`, made new where `create` says so and there is none.

    `now` gives microseconds UTC, `lock_timeout` is in seconds. Raises the StoreErrors, each a sentence to act on.
    """
    made_new = False
    if not path.exists():
        if not create:
            raise NoStore(f"there is no store at {path}: record something first (verbale ingest), or name another with "
                          "--store")  # fmt: skip
        made_new = _make(path, ledger_id)
    _check_file(path)
    uri = f"file:{quote(str(path.absolute()))}?mode={'ro' if read_only else 'rw'}"
    if read_only and not os.access(path.absolute().parent, os.W_OK) and not _log_of(path).exists():
        uri += "&immutable=1"  # not even the files that SQLite shares with a writer can be made there
    with translated_errors(path), closing(sqlite3.connect(uri, uri=True, timeout=lock_timeout)) as connection:
        written_format = _recognise(connection, path)
        if written_format < FORMAT and not read_only:
            _upgrade(connection)
            written_format = FORMAT
        found = connection.execute("SELECT id FROM ledger").fetchone()
    if found is None:
        raise DamagedStore(f"{path} does not say which ledger it is: restore it from a copy")
    ledger = Ledger(SqliteRecorderFactory(uri, path, found[0], now, lock_timeout), catalogue)
    ledger.store.made_new, ledger.store.format = made_new, written_format
    return ledger


def open_memory(*, ledger_id: str, now: Callable[[], int], catalogue: Catalogue = FACTS) -> Ledger:
    """A ledger that lives in memory, for trials: gone when closed."""
    factory = SqliteRecorderFactory(f"file:{uuid4().hex}?mode=memory&cache=shared", Path(":memory:"), ledger_id, now, 5)
    with factory.datastore.transaction(commit=True) as cursor:
        for statement in SCHEMA:
            cursor.execute(statement)
        cursor.execute("INSERT INTO ledger VALUES (1, ?, 0)", (ledger_id,))
    return Ledger(factory, catalogue)


def _make(path: Path, ledger_id: str) -> bool:
    """Make the store at `path`; False where another process was faster."""
    if not path.absolute().parent.is_dir():
        raise StoreError(f"the store {path} cannot be made: there is no folder {path.parent}")
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with translated_errors(path), closing(sqlite3.connect(beside, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN")
            for statement in SCHEMA:
                connection.execute(statement)
            connection.execute("INSERT INTO ledger VALUES (1, ?, 0)", (ledger_id,))
            connection.execute("COMMIT")
        return _move_unless_there(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _move_unless_there(beside: Path, path: Path) -> bool:
    """Another process may have made the store meanwhile: then its store is the store."""
    try:
        path.hardlink_to(beside)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        if path.exists():
            return False
        beside.rename(path)
    return True


def _check_file(path: Path) -> None:
    """Refuse, before SQLite opens it, what would otherwise be taken for a new or a smaller store."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            header = file.read(100)
    except OSError as error:
        raise StoreError(f"the store {path} cannot be read: {error.strerror}") from None
    if size == 0:
        raise DamagedStore(
            f"{path} is empty, which a store never is: restore it from a copy, or remove it to start anew"
        )
    if len(header) < 100 or not header.startswith(b"SQLite format 3\0"):
        raise NotAStore(f"{path} is not a Verbale store: name another file with --store")
    page = int.from_bytes(header[16:18], "big")
    pages = int.from_bytes(header[28:32], "big")
    log = _log_of(path)
    log_holds_pages = log.exists() and log.stat().st_size > 0
    if not log_holds_pages and size < (65_536 if page == 1 else page) * pages:
        raise DamagedStore(f"{path} is truncated: {size} bytes of {page * pages}; restore it from a copy")


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _recognise(connection: sqlite3.Connection, path: Path) -> int:
    """The format of the store. Raises NotAStore, NewerStore."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    written_format = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION_ID:
        raise NotAStore(f"{path} is a SQLite file of another program: name another file with --store")
    if written_format > FORMAT:
        raise NewerStore(f"{path} was written by a newer Verbale (format {written_format}, this one knows {FORMAT}): "
                         "upgrade this one")  # fmt: skip
    return int(written_format)


def _upgrade(connection: sqlite3.Connection) -> None:
    """Add what an older format lacks; nothing of what is there changes."""
    connection.isolation_level = None
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("PRAGMA user_version").fetchone()[0] < FORMAT:  # another process may have been faster
        for statement in (*FORMAT_2, SOURCES_SO_FAR):
            connection.execute(statement)
    connection.execute("COMMIT")
