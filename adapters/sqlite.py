"""The embedded store: one SQLite file, in which facts, seals and inbox are written in one transaction.

The file says whose it is (application id) and in which format it is written (user version). It is made beside its
place and moved there whole, so that a store that exists is a whole store. Evidence rows cannot be changed or deleted
by accident: triggers refuse it (the proof is what refuses intent).
"""

import os
import sqlite3
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar
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

from adapters.ledger import (
    Batch,
    DamagedStore,
    Identity,
    Kept,
    Ledger,
    LockedStore,
    LostRace,
    NewerStore,
    NoStore,
    NotAStore,
    ReadOnlyStore,
    Receipt,
    RefusedMessage,
    Row,
    SealedRow,
    StoreError,
)
from adapters.seal import Origin, leaf_hash
from domain.catalogue import FACTS, Catalogue

APPLICATION_ID = 0x56524241  # "VRBA"
FORMAT = 1
MOST_PARAMETERS = 400
FOREVER = 2**62

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
            BEGIN SELECT RAISE(ABORT, 'evidence is only ever added to'); END"""
        for table in ("stored_events", "seal", "inbox")
        for verb in ("UPDATE", "DELETE")
    ),
    # INSERT OR REPLACE deletes without asking the triggers above.
    *(
        f"""CREATE TRIGGER {table}_replace_refused BEFORE INSERT ON {table}
            WHEN EXISTS (SELECT 1 FROM {table} old WHERE {same})
            BEGIN SELECT RAISE(ABORT, 'evidence is only ever added to'); END"""
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
    """CREATE VIEW evidence AS SELECT
        s.leaf, s.position, e.originator_id AS stream, e.originator_version AS version, e.topic AS type,
        strftime('%Y-%m-%dT%H:%M:%SZ', json_extract(CAST(e.state AS TEXT), '$.at') / 1000000, 'unixepoch') AS occurred,
        strftime('%Y-%m-%dT%H:%M:%SZ', s.recorded_at / 1000000, 'unixepoch') AS recorded,
        s.contract, s.source, s.message, s.actor, CAST(e.state AS TEXT) AS state, lower(hex(s.leaf_hash)) AS leaf_hash
        FROM seal s JOIN stored_events e ON e.rowid = s.position""",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {FORMAT}",
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
    if not path.exists():
        if not create:
            raise NoStore(f"there is no store at {path}: record something first (verbale ingest), or name another with "
                          "--store")  # fmt: skip
        _make(path, ledger_id)
    _check_file(path)
    uri = f"file:{quote(str(path.absolute()))}?mode={'ro' if read_only else 'rw'}"
    if read_only and not os.access(path.absolute().parent, os.W_OK) and not _log_of(path).exists():
        uri += "&immutable=1"  # not even the files that SQLite shares with a writer can be made there
    with _plainly(path), closing(sqlite3.connect(uri, uri=True, timeout=lock_timeout)) as connection:
        _recognise(connection, path)
        found = connection.execute("SELECT id FROM ledger").fetchone()
    if found is None:
        raise DamagedStore(f"{path} does not say which ledger it is: restore it from a copy")
    return Ledger(_Factory(uri, path, found[0], now, lock_timeout), catalogue)


def open_memory(*, ledger_id: str, now: Callable[[], int], catalogue: Catalogue = FACTS) -> Ledger:
    """A ledger that lives in memory, for trials: gone when closed."""
    factory = _Factory(f"file:{uuid4().hex}?mode=memory&cache=shared", Path(":memory:"), ledger_id, now, 5)
    with factory.datastore.transaction(commit=True) as cursor:
        for statement in SCHEMA:
            cursor.execute(statement)
        cursor.execute("INSERT INTO ledger VALUES (1, ?, 0)", (ledger_id,))
    return Ledger(factory, catalogue)


def _make(path: Path, ledger_id: str) -> None:
    if not path.absolute().parent.is_dir():
        raise StoreError(f"the store {path} cannot be made: there is no folder {path.parent}")
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with _plainly(path), closing(sqlite3.connect(beside, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN")
            for statement in SCHEMA:
                connection.execute(statement)
            connection.execute("INSERT INTO ledger VALUES (1, ?, 0)", (ledger_id,))
            connection.execute("COMMIT")
        _move_unless_there(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _move_unless_there(beside: Path, path: Path) -> None:
    """Another process may have made the store meanwhile: then its store is the store."""
    try:
        path.hardlink_to(beside)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not path.exists():
            beside.rename(path)


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


def _recognise(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    written_format = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION_ID:
        raise NotAStore(f"{path} is a SQLite file of another program: name another file with --store")
    if written_format > FORMAT:
        raise NewerStore(f"{path} was written by a newer Verbale (format {written_format}, this one knows {FORMAT}): "
                         "upgrade this one")  # fmt: skip


@contextmanager
def _plainly(path: Path) -> Iterator[None]:
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


class SqliteRecorder(SQLiteApplicationRecorder):
    """Writes facts, their seals, receipts and kept messages in one transaction; reads them in whole."""

    def __init__(self, datastore: SQLiteDatastore, path: Path, ledger_id: str, now: Callable[[], int]) -> None:
        super().__init__(datastore)
        self.path = path
        self.ledger_id = ledger_id
        self.now = now

    # --- writing ---

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Record a batch in one transaction; raises StoreErrors, LostRace among them."""
        with _plainly(self.path):
            return super().insert_events(stored_events, **kwargs)

    def _insert_events(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], *, batch: Batch | None = None, **_: Any
    ) -> Sequence[int] | None:
        if batch is None:
            raise TypeError("facts are recorded through Ledger.append, with their seals")
        # The first statement writes: one that read first could find, on writing, that it lost the lock for good.
        c.execute("UPDATE ledger SET writes = writes + 1")
        c.execute("SELECT writes - 1 FROM ledger")
        if batch.decided_at not in (None, c.fetchone()[0]):
            raise LostRace(f"another writer recorded something in {self.path} while this was decided")
        c.execute("SELECT leaf, position, recorded_at FROM seal ORDER BY leaf DESC LIMIT 1")
        leaf, position, last = c.fetchone() or (-1, 0, 0)
        recorded_at = max(self.now(), last)
        batch.first_leaf = leaf + 1
        positions = range(position + 1, position + 1 + len(stored_events))
        c.executemany(
            "INSERT INTO stored_events VALUES (?, ?, ?, ?, ?)",
            [
                (number, str(event.originator_id), event.originator_version, event.topic, event.state)
                for number, event in zip(positions, stored_events, strict=True)
            ],
        )
        seals = self._seals(batch, stored_events, positions, recorded_at)
        c.executemany("INSERT INTO seal VALUES (?, ?, ?, ?, ?, ?, ?, ?)", seals)
        self._keep_messages(c, batch, recorded_at)
        return positions

    def _seals(
        self, batch: Batch, stored_events: Sequence[StoredEvent], positions: Sequence[int], recorded_at: int
    ) -> Iterator[tuple[Any, ...]]:
        numbered = enumerate(zip(batch.facts, stored_events, positions, strict=True), batch.first_leaf)
        for leaf, (new, stored, position) in numbered:
            hashed = leaf_hash(
                new.origin,
                ledger=self.ledger_id,
                stream=new.stream,
                version=new.version,
                stored_type=stored.topic,
                state=stored.state,
                at=new.fact.at,
                position=position,
                leaf=leaf,
                recorded_at=recorded_at,
            )
            origin = new.origin
            yield (
                leaf, position, recorded_at, origin.contract, origin.source, origin.message, origin.actor, hashed
            )  # fmt: skip

    def _keep_messages(self, c: SQLiteCursor, batch: Batch, now: int) -> None:
        c.executemany(
            "INSERT INTO inbox VALUES (?, ?, ?, ?, ?, ?)",
            [
                (*receipt.identity, receipt.digest, receipt.stream, receipt.version,
                 receipt.leaf if fact is None else batch.first_leaf + fact)
                for receipt, fact in batch.receipts
            ],
        )  # fmt: skip
        c.executemany("DELETE FROM waiting WHERE source = ? AND message = ?", batch.no_longer_waiting)
        c.executemany(
            "INSERT INTO waiting (source, message, digest, stream, reason, raw, since) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(*kept.identity, kept.digest, kept.stream, kept.reason, kept.raw, kept.since) for kept in batch.waiting],
        )
        c.executemany(
            "INSERT INTO refused (digest, source, message, raw, clause, field, reason, refused_at, times) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (digest) DO UPDATE SET clause = excluded.clause, "
            "field = excluded.field, reason = excluded.reason, refused_at = excluded.refused_at, times = times + 1",
            [
                (sha256(r.raw).digest(), *(r.identity or (None, None)), r.raw, r.clause, r.field, r.reason, now)
                for r in batch.refused
            ],
        )

    # --- reading ---

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Cursor]:
        with _plainly(self.path), self.datastore.transaction(commit=False) as c:
            yield c.sqlite_cursor

    def writes(self) -> int:
        """How many transactions have been recorded."""
        with self._reading() as c:
            return int(c.execute("SELECT writes FROM ledger").fetchone()[0])

    def recorded_until(self) -> int:
        """The instant at which the last fact was recorded; 0 where there is none."""
        with self._reading() as c:
            c.execute("SELECT recorded_at FROM seal ORDER BY leaf DESC LIMIT 1")
            return int((c.fetchone() or (0,))[0])

    def position(self, known_on: int | None = None) -> int:
        """The last position recorded (by `known_on`); 0 where there is none."""
        with self._reading() as c:
            # Instants of recording never decrease, so the last of them by `known_on` ends a prefix of the log.
            c.execute(
                "SELECT position FROM seal WHERE recorded_at <= ? ORDER BY leaf DESC LIMIT 1",
                (FOREVER if known_on is None else known_on,),
            )
            return int((c.fetchone() or (0,))[0])

    def rows(self, known_on: int | None, incident: str | None) -> Generator[Row, None, None]:
        """Facts by position, recorded by `known_on`; with `incident`, of no other incident."""
        where = ["s.recorded_at <= ?"]
        parameters: list[int | str] = [FOREVER if known_on is None else known_on]
        if incident is not None:
            where.append("(e.originator_id = ? OR e.originator_id < 'incident-')")
            parameters.append(f"incident-{incident}")
        yield from self._select(f"WHERE {' AND '.join(where)} ORDER BY e.rowid", parameters)

    def stream_rows(self, streams: Sequence[str]) -> Iterator[Row]:
        """The facts of some streams, each in order of version."""
        for some in _in_parts(streams):
            where = f"WHERE e.originator_id IN ({_marks(len(some))}) ORDER BY e.originator_id, e.originator_version"
            yield from self._select(where, some)

    def _select(self, where: str, parameters: Sequence[int | str]) -> Iterator[Row]:
        with self._reading() as c:
            c.row_factory = None
            c.execute(
                "SELECT e.rowid, e.originator_id, e.originator_version, s.recorded_at, e.topic, e.state "
                f"FROM stored_events e JOIN seal s ON s.position = e.rowid {where}",
                parameters,
            )
            yield from map(Row._make, c)

    def stream_names(self, prefix: str) -> list[str]:
        """The streams whose name starts with `prefix`."""
        with self._reading() as c:
            c.execute(
                "SELECT DISTINCT originator_id FROM stored_events WHERE originator_id >= ? AND originator_id < ?",
                (prefix, prefix + "\U0010ffff"),
            )
            return [row[0] for row in c.fetchall()]

    def sealed_rows(self, stream: str) -> Iterator[SealedRow]:
        """The facts of one stream with their seals, in order of version."""
        with self._reading() as c:
            c.execute(
                "SELECT e.rowid, e.originator_id, e.originator_version, s.recorded_at, e.topic, e.state, s.leaf, "
                "s.leaf_hash, s.contract, s.source, s.message, s.actor FROM stored_events e "
                "JOIN seal s ON s.position = e.rowid WHERE e.originator_id = ? ORDER BY e.originator_version",
                (stream,),
            )
            for row in c.fetchall():
                yield SealedRow(Row(*row[:6]), row[6], row[7], Origin(*row[8:]))

    def receipts(self, identities: Sequence[Identity]) -> dict[Identity, Receipt]:
        """What the inbox keeps of these messages."""
        columns = "source, message, digest, stream, version, leaf"
        rows = self._by_identity(f"SELECT {columns} FROM inbox", identities)
        return {(row[0], row[1]): Receipt((row[0], row[1]), *row[2:]) for row in rows}

    def waiting(self, identities: Sequence[Identity]) -> dict[Identity, Kept]:
        """Those of these messages that wait."""
        rows = self._by_identity(f"SELECT {_KEPT} FROM waiting", identities)
        return {(row[0], row[1]): _kept(row) for row in rows}

    def _by_identity(self, select: str, identities: Sequence[Identity]) -> Iterator[Sequence[Any]]:
        for some in _in_parts(identities):
            pairs = " OR ".join(["(source = ? AND message = ?)"] * len(some))
            with self._reading() as c:
                yield from c.execute(f"{select} WHERE {pairs}", [part for pair in some for part in pair]).fetchall()

    def waiting_for(self, streams: Sequence[str]) -> list[Kept]:
        """The messages that wait for one of these streams, the oldest first."""
        found: list[Any] = []
        for some in _in_parts(streams):
            with self._reading() as c:
                found += c.execute(
                    f"SELECT {_KEPT}, arrival FROM waiting WHERE stream IN ({_marks(len(some))})", some
                ).fetchall()
        return [_kept(row) for row in sorted(found, key=lambda row: (row[6], row[7]))]

    def waiting_since(self, before: int) -> list[Kept]:
        """The messages that have waited since before an instant, the oldest first."""
        with self._reading() as c:
            c.execute(f"SELECT {_KEPT} FROM waiting WHERE since < ? ORDER BY since, arrival", (before,))
            return [_kept(row) for row in c.fetchall()]

    def refused(self) -> list[RefusedMessage]:
        """The refused messages that have not succeeded since, in order of arrival."""
        with self._reading() as c:
            c.execute(
                "SELECT source, message, raw, clause, field, reason FROM refused r WHERE clause = 'R2' OR NOT EXISTS "
                "(SELECT 1 FROM inbox i WHERE i.source = r.source AND i.message = r.message) ORDER BY arrival"
            )
            return [RefusedMessage((row[0], row[1]) if row[0] is not None else None, *row[2:]) for row in c.fetchall()]

    def counts(self) -> Mapping[str, int]:
        """How many facts, streams, messages waiting and refused the store holds."""
        tables = {
            "facts": "stored_events", "messages": "inbox", "waiting": "waiting", "refused": "refused"
        }  # fmt: skip
        with self._reading() as c:
            return {
                name: int(c.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for name, table in tables.items()
            }


T = TypeVar("T")
_KEPT = "source, message, digest, stream, reason, raw, since"


def _kept(row: Sequence[Any]) -> Kept:
    return Kept((row[0], row[1]), *row[2:7])


def _marks(count: int) -> str:
    return ", ".join("?" * count)


def _in_parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), MOST_PARAMETERS):
        yield items[start : start + MOST_PARAMETERS]
