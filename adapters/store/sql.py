"""What the two stores have in common: which tables there are, what a transaction writes, what can be read.

One SQL for both, with ? for parameters. A store says how it runs a query, inserts rows and tells that something is
new; the few words in which the two differ are class attributes.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, ClassVar, Generic, TypeVar

from eventsourcing.persistence import StoredEvent

from adapters.store.leaf import Origin, leaf_hash
from adapters.store.ledger import (
    Batch,
    Deferred,
    Gap,
    Identity,
    LostRace,
    OlderStore,
    OutboxEntry,
    OutboxMessage,
    Receipt,
    RefusedMessage,
    RefusedRow,
    Row,
    SealedRow,
    SourceHeard,
    Token,
)

PAGE = 2000
FOREVER = 2**62
ADDED_TO_ONLY = "evidence is only ever added to"
EVIDENCE = ("stored_events", "seal", "inbox")
ADDED_TO = (*EVIDENCE, "waiting", "refused", "sources", "sequences", "outbox", "tokens", "snapshots")
CHANGED = ("refused", "sources", "tokens", "snapshots")
TAKEN_FROM = ("waiting", "outbox")
FORMAT = 2
"""Of the tables; 1 had none of sources, sequences, outbox, tokens and snapshots."""

SOURCES_SO_FAR = """
    INSERT INTO sources (source, first_heard, last_heard, heard, done, duplicate, refused)
    SELECT source, min(at), max(at), sum(times), sum(done), sum(duplicate), sum(refused) FROM (
        SELECT i.source, s.recorded_at AS at, 1 AS times, CASE WHEN i.leaf IS NULL THEN 0 ELSE 1 END AS done,
            CASE WHEN i.leaf IS NULL THEN 1 ELSE 0 END AS duplicate, 0 AS refused
            FROM inbox i LEFT JOIN seal s ON s.leaf = i.leaf
        UNION ALL SELECT coalesce(source, ''), refused_at, times, 0, 0, times FROM refused
        UNION ALL SELECT source, since, 1, 0, 0, 0 FROM waiting) AS kept
    GROUP BY source HAVING max(at) IS NOT NULL"""
"""What a store of format 1 still knows of who has written; duplicates that it answered from its inbox are forgotten."""

C = TypeVar("C")
_EVENT = "originator_id, originator_version, topic, state"
_SEAL = "leaf, position, recorded_at, contract, source, message, actor, leaf_hash"
_RECEIPT = "source, message, digest, stream, version, leaf"
_KEPT = "source, message, digest, stream, reason, raw, since"
_REFUSED = "source, message, raw, clause, field, reason"
_COUNTED = ("heard", "done", "duplicate", "refused")
_HEARD = f"source, first_heard, last_heard, {', '.join(_COUNTED)}"
_TOKEN = "digest, source, issued_at, revoked_at"


class SqlRecorder(ABC, Generic[C]):
    """The tables of a store, written and read; `C` is what its transactions write with."""

    KEY: ClassVar[str]
    """The column of stored_events that holds the position."""
    AMONG: ClassVar[str]
    """Compares one column with a list of values."""
    IDENTITY_AMONG: ClassVar[str]
    """Compares source and message with a list of pairs."""

    ledger_id: str
    place: str
    """Where the store is, for people."""
    now: Callable[[], int]
    made_new = False
    """Whether opening it made it."""
    format = FORMAT
    """Of its tables: an older one where it is only read."""

    # --- what a store does its own way ---

    @abstractmethod
    def _fetch(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query. Raises StoreErrors."""

    @abstractmethod
    def _insert(self, c: C, table: str, columns: str, rows: Sequence[Sequence[Any]], otherwise: str = "") -> None:
        """Insert many rows; `otherwise` says what to do where a row is there already."""

    @abstractmethod
    def _each(self, c: C, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each of some rows of parameters."""

    @abstractmethod
    def _change(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each of some rows of parameters, in a transaction of its own. Raises StoreErrors."""

    @abstractmethod
    def _values(self, values: Sequence[str]) -> list[Any]:
        """The parameters of AMONG."""

    @abstractmethod
    def _pairs(self, identities: Sequence[Identity]) -> list[Any]:
        """The parameters of IDENTITY_AMONG."""

    @abstractmethod
    def _guards(self) -> int:
        """How many of the triggers that refuse a change of evidence are in force."""

    # --- health ---

    GUARDS: ClassVar[int]
    """How many triggers there have to be."""

    def wrong(self) -> list[tuple[str, str]]:
        """What is wrong with the store, each with what to do about it."""
        found = []
        counts = "(SELECT count(*) FROM stored_events), (SELECT count(*) FROM seal)"
        ((facts, seals, last),) = self._fetch(f"SELECT {counts}, (SELECT coalesce(max(leaf), -1) FROM seal)")
        if not facts == seals == last + 1:
            told = f"{facts} facts, {seals} seals, the last one number {last}: facts were taken away or put in by hand"
            found.append((told, f"restore {self.place} from a copy, and find out who did it"))
        if (there := self._guards()) < self.GUARDS:
            told = f"{self.GUARDS - there} of the triggers that keep evidence from being changed are gone or off"
            found.append((told, "find out who did it, compare the store with a copy, and restore it"))
        return found

    # --- writing ---

    def _record(
        self, c: C, stored_events: Sequence[StoredEvent], batch: Batch | None, last: tuple[int, int, int, int]
    ) -> Sequence[int]:
        """Write a batch under the lock. `last`: transactions before; leaf, position, instant of the last fact."""
        if batch is None:
            raise TypeError("facts are recorded through Ledger.append, with their seals")
        writes, leaf, position, recorded_until = last
        if batch.decided_at not in (None, writes):
            raise LostRace(f"another writer recorded something in {self.place} while this was decided")
        recorded_at = max(self.now(), recorded_until)
        batch.first_leaf = leaf + 1
        positions = range(position + 1, position + 1 + len(stored_events))
        events = [
            (number, str(event.originator_id), event.originator_version, event.topic, event.state)
            for number, event in zip(positions, stored_events, strict=True)
        ]
        self._insert(c, "stored_events", f"{self.KEY}, {_EVENT}", events)
        self._insert(c, "seal", _SEAL, self._seals(batch, stored_events, positions, recorded_at))
        self._keep_messages(c, batch, recorded_at)
        return positions

    def _seals(
        self, batch: Batch, stored_events: Sequence[StoredEvent], positions: Sequence[int], recorded_at: int
    ) -> list[tuple[Any, ...]]:
        seals: list[tuple[Any, ...]] = []
        numbered = enumerate(zip(batch.facts, stored_events, positions, strict=True), batch.first_leaf)
        for leaf, (new, stored, position) in numbered:
            origin = new.origin
            hashed = leaf_hash(
                origin,
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
            told = (origin.contract, origin.source, origin.message, origin.actor)
            seals.append((leaf, position, recorded_at, *told, hashed))
        return seals

    def _keep_messages(self, c: C, batch: Batch, now: int) -> None:
        receipts = [
            (*receipt.identity, receipt.digest, receipt.stream, receipt.version,
             receipt.leaf if fact is None else batch.first_leaf + fact)
            for receipt, fact in batch.receipts
        ]  # fmt: skip
        self._insert(c, "inbox", _RECEIPT, receipts)
        self._each(c, "DELETE FROM waiting WHERE source = ? AND message = ?", batch.no_longer_waiting)
        kept = [(*kept.identity, *kept[1:]) for kept in batch.waiting]
        self._insert(c, "waiting", _KEPT, kept)
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
        self._keep_heard(c, batch, now)
        letters = [(letter.source, letter.body) for letter in batch.outbox()]
        self._insert(c, "outbox", "source, body", letters)

    def _keep_heard(self, c: C, batch: Batch, now: int) -> None:
        """What has been heard of each source: integrity is not completeness."""
        counts = [(source, now, now, *(batch.heard[source, word] for word in _COUNTED)) for source in _sources(batch)]
        added = ", ".join(f"{word} = sources.{word} + excluded.{word}" for word in _COUNTED)
        self._each(
            c,
            f"INSERT INTO sources ({_HEARD}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source) DO UPDATE SET "
            f"last_heard = CASE WHEN excluded.heard > 0 THEN excluded.last_heard ELSE sources.last_heard END, {added}",
            counts,
        )
        self._insert(c, "sequences", "source, number", sorted(batch.sequences), "ON CONFLICT DO NOTHING")

    # --- reading ---

    def writes(self) -> int:
        """How many transactions have been recorded."""
        ((writes,),) = self._fetch("SELECT writes FROM ledger")
        return int(writes)

    def recorded_until(self) -> int:
        """The instant at which the last fact was recorded; 0 where there is none."""
        found = self._fetch("SELECT recorded_at FROM seal ORDER BY leaf DESC LIMIT 1")
        return int(found[0][0]) if found else 0

    def position(self, known_on: int | None = None) -> int:
        """The last position recorded (by `known_on`); 0 where there is none."""
        # Instants of recording never decrease, so the last of them by `known_on` ends a prefix of the log.
        found = self._fetch(
            "SELECT position FROM seal WHERE recorded_at <= ? ORDER BY leaf DESC LIMIT 1",
            (FOREVER if known_on is None else known_on,),
        )
        return int(found[0][0]) if found else 0

    def page(self, after: int, limit: int) -> list[Row]:
        """The facts recorded after a position, in order of position, at most `limit`."""
        return self._rows(f"e.{self.KEY} > ?", f"e.{self.KEY}", [after], limit)

    def sealed_at(self, position: int) -> tuple[int, str] | None:
        """When the fact at a position was recorded, and its leaf hash in hex; None where there is none."""
        found = self._fetch("SELECT recorded_at, leaf_hash FROM seal WHERE position = ?", (position,))
        return (int(found[0][0]), bytes(found[0][1]).hex()) if found else None

    def rows(self, known_on: int | None, incident: str | None) -> Generator[Row, None, None]:
        """Facts by position, recorded by `known_on`; with `incident`, of no other incident."""
        key, until = f"e.{self.KEY}", self.position(known_on)
        if incident is not None:  # these are few: looked up by name, rather than sought in the whole log
            where = f"(e.originator_id = ? OR e.originator_id < 'incident-') AND {key} <= ?"
            yield from self._rows(where, key, [f"incident-{incident}", until])
            return
        after = 0
        while found := self._rows(f"{key} > ? AND {key} <= ?", key, [after, until], PAGE):
            yield from found
            after = found[-1].position

    def rows_by_stream(self, kind: str, until: int) -> Generator[Row, None, None]:
        """The facts up to a position of the streams whose name starts with `kind`, by stream and version."""
        where = f"(e.originator_id, e.originator_version) > (?, ?) AND e.originator_id < ? AND e.{self.KEY} <= ?"
        after: tuple[str, int] = (kind, 0)
        while found := self._rows(where, _BY_STREAM, [*after, _end_of(kind), until], PAGE):
            yield from found
            after = found[-1].stream, found[-1].version

    def stream_rows(self, streams: Sequence[str]) -> Iterator[Row]:
        """The facts of some streams, each in order of version."""
        if streams:
            yield from self._rows(f"e.originator_id {self.AMONG}", _BY_STREAM, self._values(streams))

    def _rows(self, where: str, order: str, parameters: Sequence[Any], limit: int | None = None) -> list[Row]:
        # Each fact finds its seal by position: where the two are joined, PostgreSQL may read every seal for one page.
        query = (
            f"SELECT e.{self.KEY}, e.originator_id, e.originator_version, "
            f"(SELECT s.recorded_at FROM seal s WHERE s.position = e.{self.KEY}), e.topic, e.state "
            f"FROM stored_events e WHERE {where} ORDER BY {order}"
        )
        if limit is not None:
            query, parameters = f"{query} LIMIT ?", [*parameters, limit]
        return list(map(Row._make, self._fetch(query, parameters)))

    def stream_names(self, prefix: str) -> list[str]:
        """The streams whose name starts with `prefix`."""
        query = "SELECT DISTINCT originator_id FROM stored_events WHERE originator_id >= ? AND originator_id < ?"
        return [row[0] for row in self._fetch(query, (prefix, _end_of(prefix)))]

    def sealed_rows(self, stream: str) -> Iterator[SealedRow]:
        """The facts of one stream with their seals, in order of version."""
        found = self._fetch(
            f"SELECT e.{self.KEY}, e.originator_id, e.originator_version, s.recorded_at, e.topic, e.state, s.leaf, "
            "s.leaf_hash, s.contract, s.source, s.message, s.actor FROM stored_events e "
            f"JOIN seal s ON s.position = e.{self.KEY} WHERE e.originator_id = ? ORDER BY e.originator_version",
            (stream,),
        )
        for row in found:
            yield SealedRow(Row(*row[:6]), row[6], row[7], Origin(*row[8:]))

    def receipts(self, identities: Sequence[Identity]) -> dict[Identity, Receipt]:
        """What the inbox keeps of these messages."""
        found = self._by_identity(f"SELECT {_RECEIPT} FROM inbox", identities)
        return {(row[0], row[1]): Receipt((row[0], row[1]), *row[2:]) for row in found}

    def waiting(self, identities: Sequence[Identity]) -> dict[Identity, Deferred]:
        """Those of these messages that wait."""
        return {(row[0], row[1]): _kept(row) for row in self._by_identity(f"SELECT {_KEPT} FROM waiting", identities)}

    def _by_identity(self, select: str, identities: Sequence[Identity]) -> list[tuple[Any, ...]]:
        if not identities:
            return []
        return self._fetch(f"{select} WHERE (source, message) {self.IDENTITY_AMONG}", self._pairs(identities))

    def waiting_for(self, streams: Sequence[str]) -> list[Deferred]:
        """The messages that wait for one of these streams, the oldest first."""
        if not streams:
            return []
        query = f"SELECT {_KEPT} FROM waiting WHERE stream {self.AMONG} ORDER BY since, arrival"
        return [_kept(row) for row in self._fetch(query, self._values(streams))]

    def waiting_since(self, before: int) -> list[Deferred]:
        """The messages that have waited since before an instant, the oldest first."""
        found = self._fetch(f"SELECT {_KEPT} FROM waiting WHERE since < ? ORDER BY since, arrival", (before,))
        return [_kept(row) for row in found]

    def all_waiting(self) -> list[Deferred]:
        """Every message that waits, the oldest first."""
        return [_kept(row) for row in self._fetch(f"SELECT {_KEPT} FROM waiting ORDER BY since, arrival")]

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

    # --- correspondence: who has written, and what is still to be answered ---

    def _fetch_newer(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query of tables that format 1 had not. Raises OlderStore where they are not there."""
        if self.format < FORMAT:
            raise OlderStore(
                f"{self.place} is as an older Verbale made it (format {self.format}), and says nothing of sources, "
                "tokens and outcomes to be published: have its owner run, once and without mode=ro: verbale status"
            )
        return self._fetch(query, parameters)

    def sources(self) -> list[SourceHeard]:
        """What has been heard of each source, by name; "" is what named no source that could be read."""
        waiting = "(SELECT count(*) FROM waiting w WHERE w.source = s.source)"
        found = self._fetch_newer(f"SELECT {_HEARD}, {waiting} FROM sources s ORDER BY source")
        return list(map(SourceHeard._make, found))

    def gaps(self, source: str) -> list[Gap]:
        """The sequence numbers between the first and the last heard of a source that have not been heard."""
        found = self._fetch_newer(
            "SELECT number + 1, following - 1 FROM (SELECT number, lead(number) OVER (ORDER BY number) AS following "
            "FROM sequences WHERE source = ?) AS heard WHERE following > number + 1 ORDER BY number",
            (source,),
        )
        return [Gap(source, *row) for row in found]

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

    def tokens(self) -> list[Token]:
        """Every token ever issued, the oldest first."""
        found = self._fetch_newer(f"SELECT {_TOKEN} FROM tokens ORDER BY issued_at, source, digest")
        return [Token(bytes(row[0]), *row[1:]) for row in found]

    def issue_token(self, digest: bytes, source: str) -> None:
        """Let the bearer of a token write as a source."""
        self._change(f"INSERT INTO tokens ({_TOKEN}) VALUES (?, ?, ?, NULL)", [(digest, source, self.now())])

    def revoke_token(self, digest: bytes) -> None:
        """No longer let its bearer write."""
        statement = "UPDATE tokens SET revoked_at = ? WHERE digest = ? AND revoked_at IS NULL"
        self._change(statement, [(self.now(), digest)])

    def snapshots_around(self, source: str, item: str, changed_at: int) -> tuple[str | None, str | None]:
        """What the snapshots of an item heard just before and just after an instant said."""
        of_item = "SELECT said FROM snapshots WHERE source = ? AND item = ? AND changed_at"
        before = self._fetch_newer(f"{of_item} < ? ORDER BY changed_at DESC LIMIT 1", (source, item, changed_at))
        after = self._fetch_newer(f"{of_item} > ? ORDER BY changed_at LIMIT 1", (source, item, changed_at))
        return (before[0][0] if before else None), (after[0][0] if after else None)

    def remember_snapshot(self, source: str, item: str, changed_at: int, said: str) -> None:
        """Keep what a snapshot of an item said."""
        self._change(
            "INSERT INTO snapshots (source, item, changed_at, said) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (source, item, changed_at) DO UPDATE SET said = excluded.said",
            [(source, item, changed_at, said)],
        )

    def counts(self) -> Mapping[str, int]:
        """How many facts, messages recorded, waiting and refused the store holds."""
        tables = {"facts": "stored_events", "messages": "inbox", "waiting": "waiting", "refused": "refused"}
        each = ", ".join(f"(SELECT count(*) FROM {table})" for table in tables.values())
        (found,) = self._fetch(f"SELECT {each}")
        return dict(zip(tables, map(int, found), strict=True))


_BY_STREAM = "e.originator_id, e.originator_version"


def _end_of(prefix: str) -> str:
    """What comes after every name that starts with `prefix`, in the order of bytes."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _kept(row: Sequence[Any]) -> Deferred:
    return Deferred((row[0], row[1]), *row[2:7])


def _refused(row: Sequence[Any]) -> RefusedMessage:
    return RefusedMessage((row[0], row[1]) if row[0] is not None else None, bytes(row[2]), *row[3:])


def _sources(batch: Batch) -> list[str]:
    return sorted({source for source, _ in batch.heard})
