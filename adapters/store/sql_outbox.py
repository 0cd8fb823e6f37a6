"""Outcomes to be published, in SQL."""

from collections.abc import Sequence

from adapters.store.records import Batch, OutboxEntry, OutboxMessage
from adapters.store.sql import C, SqlStore


class SqlOutbox(SqlStore[C]):
    """The table outbox."""

    def _record_outbox(self, c: C, batch: Batch) -> None:
        self._insert(c, "outbox", "source, body", [(message.source, message.body) for message in batch.outbox()])

    def outbox(self, limit: int) -> list[OutboxEntry]:
        """The oldest outcomes still to be published."""
        found = self._fetch_newer("SELECT number, source, body FROM outbox ORDER BY number LIMIT ?", (limit,))
        return [OutboxEntry(row[0], OutboxMessage(row[1], bytes(row[2]))) for row in found]

    def unpublished(self) -> int:
        """How many outcomes are still to be published."""
        return int(self._fetch_newer("SELECT count(*) FROM outbox")[0][0])

    def published(self, numbers: Sequence[int]) -> None:
        """These outcomes are published."""
        self._change("DELETE FROM outbox WHERE number = ?", [(number,) for number in numbers])
