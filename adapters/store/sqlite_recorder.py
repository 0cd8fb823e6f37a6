"""The recorder of a SQLite store, on eventsourcing's."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eventsourcing.persistence import ApplicationRecorder, StoredEvent
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteFactory,
)
from eventsourcing.utils import Environment

from adapters.store.recorder import Notifications
from adapters.store.records import Batch, Identity
from adapters.store.sql import EVIDENCE
from adapters.store.sql_recorder import EndOfLog, SqlRecorder
from adapters.store.sqlite_errors import translated_errors
from adapters.store.sqlite_notifications import Appended, SqliteNotifications


class _Pool(SQLiteConnectionPool):
    def _create_connection(self) -> SQLiteConnection:
        connection = super()._create_connection()
        with connection.cursor() as cursor:
            # Evidence is on disk before a message is acknowledged, also when the power fails.
            cursor.execute("PRAGMA synchronous = FULL")
        return connection


class SqliteRecorderFactory(SQLiteFactory):
    """Makes the recorder of the store at a URI of SQLite; `lock_timeout` is in seconds."""

    def __init__(self, uri: str, path: Path, ledger_id: str, now: Callable[[], int], lock_timeout: int) -> None:
        settings = {self.SQLITE_DBNAME: uri, self.ORIGINATOR_ID_TYPE: "text", self.CREATE_TABLE: "no"}
        super().__init__(Environment("verbale", settings))
        self.datastore.pool = _Pool(db_name=uri, lock_timeout=lock_timeout)
        self._path, self._ledger_id, self._now = path, ledger_id, now

    def application_recorder(self) -> ApplicationRecorder:
        """The recorder."""
        return SqliteRecorder(self.datastore, self._path, self._ledger_id, self._now)


class SqliteRecorder(SqlRecorder[SQLiteCursor], SQLiteApplicationRecorder):
    """Records a batch in one transaction of SQLite; reads what is recorded."""

    KEY = "rowid"
    AMONG = "IN (SELECT value FROM json_each(?))"
    IDENTITY_AMONG = "IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))"
    ITS_SEAL = "LEFT JOIN seal s ON s.position = e.rowid"
    GUARDS = 3 * len(EVIDENCE)

    def __init__(self, datastore: SQLiteDatastore, path: Path, ledger_id: str, now: Callable[[], int]) -> None:
        super().__init__(datastore)
        self.path, self.location = path, str(path)
        self.ledger_id = ledger_id
        self.now = now
        self.appended = Appended()

    def _guards(self) -> int:
        query = r"SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND name LIKE '%\_refused' ESCAPE '\'"
        return int(self._fetch(query)[0][0])

    # --- writing ---

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Record a batch in one transaction; raises StoreErrors, LostRace among them."""
        with translated_errors(self.path):
            positions = super().insert_events(stored_events, **kwargs)
        self.appended.add()
        return positions

    def _insert_events(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], *, batch: Batch | None = None, **_: Any
    ) -> Sequence[int] | None:
        # The first statement writes: one that read first could find, on writing, that it lost the lock for good.
        c.execute("UPDATE ledger SET writes = writes + 1")
        c.execute("SELECT writes - 1 FROM ledger")
        revision = c.fetchone()[0]
        c.execute("SELECT leaf, position, recorded_at FROM seal ORDER BY leaf DESC LIMIT 1")
        return self._record(c, stored_events, batch, EndOfLog(revision, *(c.fetchone() or (-1, 0, 0))))

    def _insert(
        self, c: SQLiteCursor, table: str, columns: str, rows: Sequence[Sequence[Any]], otherwise: str = ""
    ) -> None:
        marks = ", ".join("?" * (columns.count(",") + 1))
        self._each(c, f"INSERT INTO {table} ({columns}) VALUES ({marks}) {otherwise}", rows)

    def _each(self, c: SQLiteCursor, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        c.executemany(statement, rows)

    def _change(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        with translated_errors(self.path), self.datastore.transaction(commit=True) as c:
            c.executemany(statement, rows)

    # --- reading ---

    def _fetch(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with translated_errors(self.path), self.datastore.transaction(commit=False) as c:
            cursor = c.sqlite_cursor
            cursor.row_factory = None
            return cursor.execute(query, parameters).fetchall()

    def _values(self, values: Sequence[str]) -> list[Any]:
        return [json.dumps(values)]

    def _pairs(self, identities: Sequence[Identity]) -> list[Any]:
        return [json.dumps(identities)]

    @contextmanager
    def notifications(self) -> Iterator[Notifications]:
        """Hears of what is recorded from now on, by whatever process."""
        yield SqliteNotifications(self.appended, self.revision)
