"""Messages in SQL: recorded, waiting, refused."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from adapters.store.records import Batch, Deferred, Identity, Receipt, RefusedMessage, RefusedRow
from adapters.store.sql import C, SqlStore

_RECEIPT = "source, message, digest, stream, version, leaf"
_DEFERRED = "source, message, digest, stream, reason, raw, since"
_REFUSED = "source, message, raw, clause, field, reason"


class SqlInbox(SqlStore[C]):
    """The tables inbox, waiting and refused."""

    # --- writing ---

    def _record_inbox(self, c: C, batch: Batch, now: int) -> None:
        receipts = [
            (*receipt.identity, receipt.digest, receipt.stream, receipt.version,
             receipt.leaf if fact is None else batch.first_leaf + fact)
            for receipt, fact in batch.receipts
        ]  # fmt: skip
        self._insert(c, "inbox", _RECEIPT, receipts)
        self._each(c, "DELETE FROM waiting WHERE source = ? AND message = ?", batch.no_longer_waiting)
        self._insert(c, "waiting", _DEFERRED, [(*one.identity, *one[1:]) for one in batch.waiting])
        refused = [
            (sha256(one.raw).digest(), *(one.identity or (None, None)), *one[1:], now) for one in batch.refused
        ]  # fmt: skip
        self._each(
            c,
            f"INSERT INTO refused (digest, {_REFUSED}, refused_at, times) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1) "
            "ON CONFLICT (digest) DO UPDATE SET clause = excluded.clause, field = excluded.field, "
            "reason = excluded.reason, refused_at = excluded.refused_at, times = refused.times + 1",
            refused,
        )

    # --- reading ---

    def receipts(self, identities: Sequence[Identity]) -> dict[Identity, Receipt]:
        """What the inbox keeps of these messages."""
        found = self._by_identity(f"SELECT {_RECEIPT} FROM inbox", identities)
        return {(row[0], row[1]): Receipt((row[0], row[1]), *row[2:]) for row in found}

    def waiting(self, identities: Sequence[Identity]) -> dict[Identity, Deferred]:
        """Those of these messages that wait."""
        found = self._by_identity(f"SELECT {_DEFERRED} FROM waiting", identities)
        return {(row[0], row[1]): _deferred(row) for row in found}

    def _by_identity(self, select: str, identities: Sequence[Identity]) -> list[tuple[Any, ...]]:
        if not identities:
            return []
        return self._fetch(f"{select} WHERE (source, message) {self.IDENTITY_AMONG}", self._pairs(identities))

    def waiting_for(self, streams: Sequence[str]) -> list[Deferred]:
        """The messages that wait for one of these streams, the oldest first."""
        return self._waiting(f"WHERE stream {self.AMONG}", self._values(streams)) if streams else []

    def waiting_since(self, before: int) -> list[Deferred]:
        """The messages that have waited since before an instant, the oldest first."""
        return self._waiting("WHERE since < ?", (before,))

    def all_waiting(self) -> list[Deferred]:
        """Every message that waits, the oldest first."""
        return self._waiting()

    def _waiting(self, where: str = "", parameters: Sequence[Any] = ()) -> list[Deferred]:
        query = f"SELECT {_DEFERRED} FROM waiting {where} ORDER BY since, arrival"
        return list(map(_deferred, self._fetch(query, parameters)))

    def refused(self) -> list[RefusedRow]:
        """The refused messages that are not recorded since, and do not wait, in order of arrival."""
        found = self._fetch(
            f"SELECT arrival, refused_at, times, {_REFUSED} FROM refused r WHERE clause = 'R2' OR NOT (EXISTS "
            "(SELECT 1 FROM inbox i WHERE i.source = r.source AND i.message = r.message) OR EXISTS "
            "(SELECT 1 FROM waiting w WHERE w.source = r.source AND w.message = r.message)) ORDER BY arrival"
        )
        return [RefusedRow(row[0], _refused(row[3:]), row[1], row[2]) for row in found]

    def last_refusal(self, identity: Identity) -> RefusedMessage | None:
        """The last refusal of a message of that identity, even if it has succeeded since; None where there is none."""
        found = self._fetch(
            f"SELECT {_REFUSED} FROM refused WHERE source = ? AND message = ? ORDER BY refused_at DESC, arrival DESC "
            "LIMIT 1",
            identity,
        )
        return _refused(found[0]) if found else None


def _deferred(row: Sequence[Any]) -> Deferred:
    return Deferred((row[0], row[1]), *row[2:7])


def _refused(row: Sequence[Any]) -> RefusedMessage:
    return RefusedMessage((row[0], row[1]) if row[0] is not None else None, bytes(row[2]), *row[3:])
