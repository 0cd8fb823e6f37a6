"""Hears of what is recorded in a SQLite store: at once of what this process records, soon of what others do."""

import threading
import time
from collections.abc import Callable

LONGEST_UNHEARD = 0.2
"""Seconds until an append of another process is noticed."""


class Appended:
    """Counts what this process appends, for those who wait for it."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = threading.Condition()

    def add(self) -> None:
        """One more is recorded: whoever waits goes on."""
        with self._changed:
            self.count += 1
            self._changed.notify_all()

    def wait(self, known: int, seconds: float) -> None:
        """Wait until the count is no longer the one known, or the time is over."""
        with self._changed:
            if self.count == known:
                self._changed.wait(seconds)


class SqliteNotifications:
    """Compares what is recorded with what was when last asked."""

    def __init__(self, appended: Appended, revision: Callable[[], int]) -> None:
        self._appended, self._revision = appended, revision
        self._known = self._now()

    def _now(self) -> tuple[int, int]:
        return self._appended.count, self._revision()

    def wait(self, seconds: float) -> bool:
        """Whether something has been recorded since the last call; waits for it at most so long."""
        until = time.monotonic() + seconds
        while True:
            now = self._now()
            if now != self._known:
                self._known = now
                return True
            left = until - time.monotonic()
            if left <= 0:
                return False
            self._appended.wait(now[0], min(left, LONGEST_UNHEARD))
