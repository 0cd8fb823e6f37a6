"""The recorder of both stores: what one transaction writes, and what the store says of itself."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple

from eventsourcing.persistence import StoredEvent

from adapters.store.errors import LostRace
from adapters.store.records import Batch
from adapters.store.sql import C
from adapters.store.sql_events import SqlEvents
from adapters.store.sql_inbox import SqlInbox
from adapters.store.sql_outbox import SqlOutbox
from adapters.store.sql_snapshots import SqlSnapshots
from adapters.store.sql_sources import SqlSources
from adapters.store.sql_tokens import SqlTokens


class EndOfLog(NamedTuple):
    """Where the log ends: transactions recorded; leaf, position and instant of the last fact (-1, 0 and 0 for none)."""

    revision: int
    leaf: int
    position: int
    recorded_until: int


class SqlRecorder(SqlEvents[C], SqlInbox[C], SqlSources[C], SqlOutbox[C], SqlTokens[C], SqlSnapshots[C]):
    """Every table of a store."""

    GUARDS: ClassVar[int]
    """How many triggers have to refuse a change of evidence."""

    @abstractmethod
    def _guards(self) -> int:
        """How many of them are in force."""

    def _record(self, c: C, stored_events: Sequence[StoredEvent], batch: Batch | None, end: EndOfLog) -> Sequence[int]:
        """Write a batch under the lock, after the end of the log; the positions of its facts."""
        if batch is None:
            raise TypeError("facts are recorded through Ledger.append, with their seals")
        if batch.decided_at not in (None, end.revision):
            raise LostRace(f"another writer recorded something in {self.location} while this was decided")
        recorded_at = max(self.now(), end.recorded_until)
        batch.first_leaf = end.leaf + 1
        positions = range(end.position + 1, end.position + 1 + len(stored_events))
        self._record_facts(c, batch, stored_events, positions, recorded_at)
        self._record_messages(c, batch, recorded_at)
        return positions

    def _record_messages(self, c: C, batch: Batch, now: int) -> None:
        self._record_inbox(c, batch, now)
        self._record_sources(c, batch, now)
        self._record_outbox(c, batch)

    def revision(self) -> int:
        """How many transactions have been recorded."""
        ((writes,),) = self._fetch("SELECT writes FROM ledger")
        return int(writes)

    def counts(self) -> Mapping[str, int]:
        """How many facts, messages recorded, waiting and refused the store holds."""
        tables = {"facts": "stored_events", "messages": "inbox", "waiting": "waiting", "refused": "refused"}
        each = ", ".join(f"(SELECT count(*) FROM {table})" for table in tables.values())
        (found,) = self._fetch(f"SELECT {each}")
        return dict(zip(tables, map(int, found), strict=True))

    def wrong(self) -> list[tuple[str, str]]:
        """What is wrong with the store, each with what to do about it."""
        found: list[tuple[str, str]] = []
        counts = "(SELECT count(*) FROM stored_events), (SELECT count(*) FROM seal)"
        ((facts, seals, last),) = self._fetch(f"SELECT {counts}, (SELECT coalesce(max(leaf), -1) FROM seal)")
        if not facts == seals == last + 1:
            numbers = f"{facts} facts, {seals} seals, the last one number {last}"
            found.append(
                (
                    f"{numbers}: facts were taken away or put in by hand",
                    f"restore {self.location} from a copy, and find out who did it",
                )
            )
        if (there := self._guards()) < self.GUARDS:
            found.append(
                (
                    f"{self.GUARDS - there} of the triggers that keep evidence from being changed are gone or off",
                    "find out who did it, compare the store with a copy, and restore it",
                )
            )
        return found
