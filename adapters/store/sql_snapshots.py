"""What help desks sent of their items, in SQL: what changed is read from it."""

from adapters.store.sql import C, SqlStore


class SqlSnapshots(SqlStore[C]):
    """The table snapshots."""

    def snapshots_around(self, source: str, item: str, changed_at: int) -> tuple[str | None, str | None]:
        """The last snapshot of an item before an instant, and the first after it."""
        of_item = "SELECT said FROM snapshots WHERE source = ? AND item = ? AND changed_at"
        before = self._fetch_newer(f"{of_item} < ? ORDER BY changed_at DESC LIMIT 1", (source, item, changed_at))
        after = self._fetch_newer(f"{of_item} > ? ORDER BY changed_at LIMIT 1", (source, item, changed_at))
        return (before[0][0] if before else None), (after[0][0] if after else None)

    def remember_snapshot(self, source: str, item: str, changed_at: int, snapshot: str) -> None:
        """Keep a snapshot of an item."""
        self._change(
            "INSERT INTO snapshots (source, item, changed_at, said) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (source, item, changed_at) DO UPDATE SET said = excluded.said",
            [(source, item, changed_at, snapshot)],
        )
