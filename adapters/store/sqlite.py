"""The embedded store: one SQLite file, in which facts, seals and inbox are written in one transaction.

The file says whose it is (application id) and in which format it is written (user version). It is made beside its
place and moved there whole, so that a store that exists is a whole store. Evidence rows cannot be changed or deleted
by accident: triggers refuse it (the proof is what refuses intent).
"""

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from eventsourcing.persistence import ApplicationRecorder, IntegrityError, PersistenceError, StoredEvent
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteFactory,
)
from eventsourcing.utils import Environment

from adapters.store.ledger import (
    Batch,
    DamagedStore,
    Identity,
    Ledger,
    LockedStore,
    LostRace,
    NewerStore,
    NoStore,
    NotAStore,
    Notifications,
    ReadOnlyStore,
    StoreError,
)
from adapters.store.sql import ADDED_TO_ONLY, EVIDENCE, FORMAT, SOURCES_SO_FAR, SqlRecorder
from domain.catalogue import FACTS, Catalogue

APPLICATION_ID = 0x56524241  # "VRBA"
LONGEST_UNHEARD = 0.2  # seconds until an append of another process is noticed


def _instant(microseconds: str) -> str:
    """SQL: an instant as text, to the microsecond, from whole microseconds; negative ones, before 1970, too."""
    rest = f"(({microseconds} % 1000000 + 1000000) % 1000000)"
    seconds = f"strftime('%Y-%m-%dT%H:%M:%S', ({microseconds} - {rest}) / 1000000, 'unixepoch')"
    return f"{seconds} || printf('.%06dZ', {rest})"


CORRESPONDENCE = (
    """CREATE TABLE sources (
        source TEXT PRIMARY KEY, first_heard INTEGER NOT NULL, last_heard INTEGER NOT NULL, heard INTEGER NOT NULL,
        done INTEGER NOT NULL, duplicate INTEGER NOT NULL, refused INTEGER NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE sequences (
        source TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (source, number)) WITHOUT ROWID""",
    "CREATE TABLE outbox (number INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT, body BLOB NOT NULL)",
    """CREATE TABLE tokens (
        digest BLOB PRIMARY KEY, source TEXT NOT NULL, issued_at INTEGER NOT NULL, revoked_at INTEGER) WITHOUT ROWID""",
    """CREATE TABLE snapshots (
        source TEXT NOT NULL, item TEXT NOT NULL, changed_at INTEGER NOT NULL, said TEXT NOT NULL,
        PRIMARY KEY (source, item, changed_at)) WITHOUT ROWID""",
    f"PRAGMA user_version = {FORMAT}",
)
"""What format 2 has beyond format 1."""

SCHEMA = (
    """CREATE TABLE ledger (
        one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL, writes INTEGER NOT NULL)""",
    # The key column must be this one, by this name: otherwise the position of a deleted tail would be used again.
    """CREATE TABLE stored_events (
        rowid INTEGER PRIMARY KEY AUTOINCREMENT, originator_id TEXT NOT NULL, originator_version INTEGER NOT NULL,
        topic TEXT NOT NULL, state BLOB NOT NULL, UNIQUE (originator_id, originator_version))""",
    """CREATE TABLE seal (
        leaf INTEGER PRIMARY KEY, position INTEGER NOT NULL UNIQUE REFERENCES stored_events (rowid),
        recorded_at INTEGER NOT NULL, contract TEXT, source TEXT NOT NULL, message TEXT NOT NULL, actor TEXT,
        leaf_hash BLOB NOT NULL)""",
    """CREATE TABLE inbox (
        source TEXT NOT NULL, message TEXT NOT NULL, digest BLOB NOT NULL, stream TEXT NOT NULL, version INTEGER,
        leaf INTEGER, PRIMARY KEY (source, message)) WITHOUT ROWID""",
    """CREATE TABLE waiting (
        arrival INTEGER PRIMARY KEY, source TEXT NOT NULL, message TEXT NOT NULL, digest BLOB NOT NULL,
        stream TEXT NOT NULL, reason TEXT NOT NULL, raw BLOB NOT NULL, since INTEGER NOT NULL,
        UNIQUE (source, message))""",
    "CREATE INDEX waiting_stream ON waiting (stream)",
    """CREATE TABLE refused (
        arrival INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, source TEXT, message TEXT, raw BLOB NOT NULL,
        clause TEXT NOT NULL, field TEXT NOT NULL, reason TEXT NOT NULL, refused_at INTEGER NOT NULL,
        times INTEGER NOT NULL)""",
    *(
        f"""CREATE TRIGGER {table}_{verb}_refused BEFORE {verb} ON {table}
            BEGIN SELECT RAISE(ABORT, '{ADDED_TO_ONLY}'); END"""
        for table in EVIDENCE
        for verb in ("UPDATE", "DELETE")
    ),
    # INSERT OR REPLACE deletes without asking the triggers above.
    *(
        f"""CREATE TRIGGER {table}_replace_refused BEFORE INSERT ON {table}
            WHEN EXISTS (SELECT 1 FROM {table} old WHERE {same})
            BEGIN SELECT RAISE(ABORT, '{ADDED_TO_ONLY}'); END"""
        for table, same in (
            (
                "stored_events",
                "old.rowid = NEW.rowid OR "
                "(old.originator_id = NEW.originator_id AND old.originator_version = NEW.originator_version)",
            ),
            ("seal", "old.leaf = NEW.leaf OR old.position = NEW.position"),
            ("inbox", "old.source = NEW.source AND old.message = NEW.message"),
        )
    ),
    f"""CREATE VIEW evidence AS SELECT
        s.leaf, s.position, e.originator_id AS stream, e.originator_version AS version, e.topic AS type,
        {_instant("json_extract(CAST(e.state AS TEXT), '$.at')")} AS occurred, {_instant("s.recorded_at")} AS recorded,
        s.contract, s.source, s.message, s.actor, CAST(e.state AS TEXT) AS state, lower(hex(s.leaf_hash)) AS leaf_hash
        FROM seal s JOIN stored_events e ON e.rowid = s.position""",
    f"PRAGMA application_id = {APPLICATION_ID}",
    *CORRESPONDENCE,
)


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
    with plainly(path), closing(sqlite3.connect(uri, uri=True, timeout=lock_timeout)) as connection:
        written_format = _recognise(connection, path)
        if written_format < FORMAT and not read_only:
            _upgrade(connection)
            written_format = FORMAT
        found = connection.execute("SELECT id FROM ledger").fetchone()
    if found is None:
        raise DamagedStore(f"{path} does not say which ledger it is: restore it from a copy")
    ledger = Ledger(_Factory(uri, path, found[0], now, lock_timeout), catalogue)
    ledger.store.made_new, ledger.store.format = made_new, written_format
    return ledger


def open_memory(*, ledger_id: str, now: Callable[[], int], catalogue: Catalogue = FACTS) -> Ledger:
    """A ledger that lives in memory, for trials: gone when closed."""
    factory = _Factory(f"file:{uuid4().hex}?mode=memory&cache=shared", Path(":memory:"), ledger_id, now, 5)
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
        with plainly(path), closing(sqlite3.connect(beside, isolation_level=None)) as connection:
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
        for statement in (*CORRESPONDENCE, SOURCES_SO_FAR):
            connection.execute(statement)
    connection.execute("COMMIT")


@contextmanager
def plainly(path: Path) -> Iterator[None]:
    """Turn what SQLite or eventsourcing raise into a StoreError that says what to do."""
    try:
        yield
    except (IntegrityError, sqlite3.IntegrityError) as error:
        raise LostRace(f"another writer recorded something first in {path}") from error
    except (PersistenceError, sqlite3.Error) as error:
        raise _plain(str(error), path) from error


def _plain(said: str, path: Path) -> StoreError:
    if "locked" in said or "busy" in said:
        return LockedStore(f"{path} is locked by another process: wait for it to finish, and try again")
    if "readonly" in said or "read-only" in said:
        return ReadOnlyStore(f"{path} is read-only: nothing was recorded; make it (and its folder) writable")
    if "malformed" in said or "corrupt" in said:
        return DamagedStore(f"{path} is damaged ({said}): restore it from a copy")
    if "not a database" in said:
        return NotAStore(f"{path} is not a Verbale store: name another file with --store")
    return StoreError(f"{path} cannot be used: {said}")


class _Pool(SQLiteConnectionPool):
    def _create_connection(self) -> SQLiteConnection:
        connection = super()._create_connection()
        with connection.cursor() as cursor:
            # Evidence is on disk before a message is acknowledged, also when the power fails.
            cursor.execute("PRAGMA synchronous = FULL")
        return connection


class _Factory(SQLiteFactory):
    def __init__(self, uri: str, path: Path, ledger_id: str, now: Callable[[], int], lock_timeout: int) -> None:
        settings = {self.SQLITE_DBNAME: uri, self.ORIGINATOR_ID_TYPE: "text", self.CREATE_TABLE: "no"}
        super().__init__(Environment("verbale", settings))
        self.datastore.pool = _Pool(db_name=uri, lock_timeout=lock_timeout)
        self._path, self._ledger_id, self._now = path, ledger_id, now

    def application_recorder(self) -> ApplicationRecorder:
        return SqliteRecorder(self.datastore, self._path, self._ledger_id, self._now)


class SqliteRecorder(SqlRecorder[SQLiteCursor], SQLiteApplicationRecorder):
    """Writes facts, their seals, receipts and kept messages in one transaction; reads them in whole."""

    KEY = "rowid"
    AMONG = "IN (SELECT value FROM json_each(?))"
    IDENTITY_AMONG = "IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))"
    GUARDS = 3 * len(EVIDENCE)

    def __init__(self, datastore: SQLiteDatastore, path: Path, ledger_id: str, now: Callable[[], int]) -> None:
        super().__init__(datastore)
        self.path, self.place = path, str(path)
        self.ledger_id = ledger_id
        self.now = now
        self.appended = _Appended()

    def _guards(self) -> int:
        query = r"SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND name LIKE '%\_refused' ESCAPE '\'"
        return int(self._fetch(query)[0][0])

    # --- writing ---

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Record a batch in one transaction; raises StoreErrors, LostRace among them."""
        with plainly(self.path):
            positions = super().insert_events(stored_events, **kwargs)
        self.appended.tell()
        return positions

    def _insert_events(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], *, batch: Batch | None = None, **_: Any
    ) -> Sequence[int] | None:
        # The first statement writes: one that read first could find, on writing, that it lost the lock for good.
        c.execute("UPDATE ledger SET writes = writes + 1")
        c.execute("SELECT writes - 1 FROM ledger")
        writes = c.fetchone()[0]
        c.execute("SELECT leaf, position, recorded_at FROM seal ORDER BY leaf DESC LIMIT 1")
        leaf, position, recorded_until = c.fetchone() or (-1, 0, 0)
        return self._record(c, stored_events, batch, (writes, leaf, position, recorded_until))

    def _insert(
        self, c: SQLiteCursor, table: str, columns: str, rows: Sequence[Sequence[Any]], otherwise: str = ""
    ) -> None:
        marks = ", ".join("?" * (columns.count(",") + 1))
        self._each(c, f"INSERT INTO {table} ({columns}) VALUES ({marks}) {otherwise}", rows)

    def _each(self, c: SQLiteCursor, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        c.executemany(statement, rows)

    def _change(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        with plainly(self.path), self.datastore.transaction(commit=True) as c:
            c.executemany(statement, rows)

    # --- reading ---

    def _fetch(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with plainly(self.path), self.datastore.transaction(commit=False) as c:
            cursor = c.sqlite_cursor
            cursor.row_factory = None
            return cursor.execute(query, parameters).fetchall()

    def _values(self, values: Sequence[str]) -> list[Any]:
        return [json.dumps(values)]

    def _pairs(self, identities: Sequence[Identity]) -> list[Any]:
        return [json.dumps(identities)]

    @contextmanager
    def notifications(self) -> Iterator[Notifications]:
        """Hears of what is recorded from now on."""
        yield _SqliteNotifications(self)


class _Appended:
    """Counts what this process appends, for those who wait for it."""

    def __init__(self) -> None:
        self.count = 0
        self.changed = threading.Condition()

    def tell(self) -> None:
        with self.changed:
            self.count += 1
            self.changed.notify_all()

    def wait(self, known: int, seconds: float) -> int:
        """The count, once it is no longer the one known or the time is over."""
        with self.changed:
            if self.count == known:
                self.changed.wait(seconds)
            return self.count


class _SqliteNotifications:
    def __init__(self, recorder: SqliteRecorder) -> None:
        self._recorder = recorder
        self._count, self._writes = recorder.appended.count, recorder.writes()

    def wait(self, seconds: float) -> bool:
        """Whether something has been recorded since last asked; waits for it that long."""
        until = time.monotonic() + seconds
        while True:
            count, writes = self._recorder.appended.count, self._recorder.writes()
            if (count, writes) != (self._count, self._writes):
                self._count, self._writes = count, writes
                return True
            left = until - time.monotonic()
            if left <= 0:
                return False
            self._recorder.appended.wait(count, min(left, LONGEST_UNHEARD))
