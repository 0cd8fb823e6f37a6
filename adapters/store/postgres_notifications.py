"""Hears of what is recorded in a PostgreSQL store, through NOTIFY."""

import time
from typing import Any

import psycopg
from psycopg import Connection

from adapters.store.errors import UnreachableStore
from adapters.store.postgres_connection import connect
from adapters.store.postgres_errors import translated_errors
from adapters.store.postgres_url import PostgresLocation

SHORTEST_PAUSE = 0.05
"""Seconds between two attempts to connect."""


class PostgresNotifications:
    """Listens on a connection of its own, and connects again when that is lost."""

    def __init__(self, location: PostgresLocation, lock_timeout: int) -> None:
        self._location, self._lock_timeout = location, lock_timeout
        self._connection: Connection[Any] | None = self._listening(lock_timeout)

    def _listening(self, patience: float) -> Connection[Any]:
        connection = connect(self._location, min(self._lock_timeout, int(patience) + 1))
        with translated_errors(self._location):
            connection.execute(f"LISTEN {self._location.channel}".encode())
        return connection

    def wait(self, seconds: float) -> bool:
        """Whether something has (perhaps) been recorded since the last call; waits for it at most so long."""
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
