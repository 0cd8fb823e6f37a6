"""The log of facts, on eventsourcing's Application: append a batch in one transaction, read what is recorded.

StoreError                 the store cannot be used as asked; the message says why and what to do
 ├── NoStore               there is none at that place
 ├── NotAStore             what is there is not a Verbale store
 ├── NewerStore            a newer Verbale wrote it
 ├── OlderStore            an older Verbale wrote it, it is only read, and it has no room for what is asked
 ├── DamagedStore          it is truncated or malformed
 ├── LockedStore           another process holds it
 ├── ReadOnlyStore         it cannot be written
 ├── UnreachableStore      its server cannot be reached
 ├── Unanswered            its server did not say whether it recorded: look again and decide again
 └── LostRace              another writer was faster: load again and decide again
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, cast

from eventsourcing.application import Application
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import (
    ApplicationRecorder,
    InfrastructureFactory,
    JSONTranscoder,
    Mapper,
    StoredEvent,
)
from eventsourcing.utils import Environment, EnvType

from adapters.errors import UserError
from adapters.store.leaf import Origin
from domain.catalogue import FACTS, Catalogue, UnknownFactType
from domain.facts import Fact
from projections.history import Entry


class StoreError(UserError):
    """The store cannot be used as asked."""


class NoStore(StoreError):
    """There is no store at that place."""


class NotAStore(StoreError):
    """What is there is not a Verbale store."""


class NewerStore(StoreError):
    """A newer Verbale wrote the store."""


class OlderStore(StoreError):
    """An older Verbale wrote the store, which is only read: it does not hold what is asked."""


class DamagedStore(StoreError):
    """The store is truncated or malformed."""


class LockedStore(StoreError):
    """Another process holds the store."""


class ReadOnlyStore(StoreError):
    """The store cannot be written."""


class UnreachableStore(StoreError):
    """The server of the store cannot be reached."""


class Unanswered(StoreError):
    """The server was lost before it said whether a batch is recorded: it is, whole, or it is not."""


class LostRace(StoreError):
    """Another writer recorded something first."""


Identity = tuple[str, str]
"""Source and id of a message: its name for ever."""


@dataclass(frozen=True, slots=True)
class NewFact:
    """A fact to be recorded as `version` of `stream`."""

    stream: str
    version: int
    fact: Fact
    origin: Origin

    @property
    def originator_id(self) -> str:
        """The stream, in the library's word."""
        return self.stream

    @property
    def originator_version(self) -> int:
        """The version, in the library's word."""
        return self.version


class Receipt(NamedTuple):
    """What the inbox keeps of a message: the digest of its content and where its facts are (if it added any)."""

    identity: Identity
    digest: bytes
    stream: str
    version: int | None
    leaf: int | None


class Deferred(NamedTuple):
    """A message that waits for `stream` to grow, whole, and since when (microseconds UTC)."""

    identity: Identity
    digest: bytes
    stream: str
    reason: str
    raw: bytes
    since: int


class RefusedMessage(NamedTuple):
    """A refused message, whole, with its reason; the identity is None where it could not be read."""

    identity: Identity | None
    raw: bytes
    clause: str
    field: str
    reason: str


class OutboxMessage(NamedTuple):
    """An outcome to be published: for which source (None where it could not be read), and what it says (JSON)."""

    source: str | None
    body: bytes


class OutboxEntry(NamedTuple):
    """A letter in the outbox."""

    number: int
    letter: OutboxMessage


class SourceHeard(NamedTuple):
    """What the record knows of a source: counts of messages, instants in microseconds UTC.

    `heard` counts what it sent; `done`, `duplicate` and `refused` count outcomes, those of messages tried again too;
    `waiting` are those that wait now.
    """

    source: str
    first_heard: int
    last_heard: int
    heard: int
    done: int
    duplicate: int
    refused: int
    waiting: int


class Gap(NamedTuple):
    """Sequence numbers that a source has passed over, from `first` to `last`."""

    source: str
    first: int
    last: int


class RefusedRow(NamedTuple):
    """A refused message by its number, with the instant (microseconds UTC) and the count of its refusals."""

    number: int
    message: RefusedMessage
    refused_at: int
    times: int


class Token(NamedTuple):
    """Who may post over HTTP: the SHA-256 of a bearer token, the one source it may write as, and for how long."""

    digest: bytes
    source: str
    issued_at: int
    revoked_at: int | None


@dataclass
class Batch:
    """What one transaction records: facts with their seals, receipts, and messages kept or no longer kept.

    `receipts` pairs a receipt with the index of its first fact in `facts`, from which its leaf follows; the store
    sets `first_leaf` when it has recorded the facts. `decided_at`: the number of transactions recorded when the batch
    was decided; where another came since, the store refuses the batch, because what it rests on may have changed.
    `heard` counts messages by source and what became of them, `sequences` are numbers that sources gave themselves;
    `outbox` is asked, when the leaves are known, for the outcomes that nobody is waiting to hear.
    """

    facts: list[NewFact] = field(default_factory=list)
    receipts: list[tuple[Receipt, int | None]] = field(default_factory=list)
    waiting: list[Deferred] = field(default_factory=list)
    no_longer_waiting: list[Identity] = field(default_factory=list)
    refused: list[RefusedMessage] = field(default_factory=list)
    heard: Counter[tuple[str, str]] = field(default_factory=Counter)
    sequences: set[tuple[str, int]] = field(default_factory=set)
    outbox: Callable[[], Sequence[OutboxMessage]] = tuple
    first_leaf: int = 0
    decided_at: int | None = None

    def __bool__(self) -> bool:
        kept = self.waiting or self.no_longer_waiting or self.refused
        return bool(self.facts or self.receipts or kept or self.heard)


class Sealed(NamedTuple):
    """A recorded fact with its whole seal, as an auditor reads it."""

    entry: Entry
    leaf: int
    leaf_hash: bytes
    origin: Origin


class Row(NamedTuple):
    """A recorded fact as stored."""

    position: int
    stream: str
    version: int
    recorded_at: int | None
    stored_type: str
    state: bytes


class SealedRow(NamedTuple):
    """A recorded fact and its seal as stored."""

    row: Row
    leaf: int
    leaf_hash: bytes
    origin: Origin


class Notifications(Protocol):
    """Hears of what is recorded."""

    def wait(self, seconds: float) -> bool:
        """Whether something has (perhaps) been recorded since last asked; waits for it that long at the most."""


class Recorder(Protocol):
    """What the ledger asks of a store, beyond eventsourcing's own recorder."""

    ledger_id: str
    place: str
    made_new: bool
    format: int

    def writes(self) -> int:
        """How many transactions have been recorded."""

    def recorded_until(self) -> int:
        """The instant at which the last fact was recorded; 0 where there is none."""

    def position(self, known_on: int | None = None) -> int:
        """The last position recorded (by `known_on`); 0 where there is none."""

    def sealed_at(self, position: int) -> tuple[int, str] | None:
        """When the fact at a position was recorded, and its leaf hash in hex; None where there is none."""

    def rows(self, known_on: int | None, incident: str | None) -> Generator[Row, None, None]:
        """Facts by position, recorded by `known_on`; with `incident`, of no other incident."""

    def page(self, after: int, limit: int) -> list[Row]:
        """The facts recorded after a position, in order of position, at most `limit`."""

    def rows_by_stream(self, kind: str, until: int) -> Generator[Row, None, None]:
        """The facts up to a position of the streams whose name starts with `kind`, by stream and version."""

    def stream_rows(self, streams: Sequence[str]) -> Iterator[Row]:
        """The facts of some streams, each in order of version."""

    def stream_names(self, prefix: str) -> list[str]:
        """The streams whose name starts with `prefix`."""

    def sealed_rows(self, stream: str) -> Iterator[SealedRow]:
        """The facts of one stream with their seals, in order of version."""

    def receipts(self, identities: Sequence[Identity]) -> dict[Identity, Receipt]:
        """What the inbox keeps of these messages."""

    def waiting(self, identities: Sequence[Identity]) -> dict[Identity, Deferred]:
        """Those of these messages that wait."""

    def waiting_for(self, streams: Sequence[str]) -> list[Deferred]:
        """The messages that wait for one of these streams, the oldest first."""

    def waiting_since(self, before: int) -> list[Deferred]:
        """The messages that have waited since before an instant, the oldest first."""

    def refused(self) -> list[RefusedRow]:
        """The refused messages that are not recorded since, and do not wait, in order of arrival."""

    def last_refusal(self, identity: Identity) -> RefusedMessage | None:
        """The last refusal of a message of that identity, even if it has succeeded since; None where there is none."""

    def all_waiting(self) -> list[Deferred]:
        """Every message that waits, the oldest first."""

    def sources(self) -> list[SourceHeard]:
        """What has been heard of each source, by name; "" is what named no source that could be read."""

    def gaps(self, source: str) -> list[Gap]:
        """The sequence numbers between the first and the last heard of a source that have not been heard."""

    def outbox(self, limit: int) -> list[OutboxEntry]:
        """The oldest outcomes still to be published."""

    def unpublished(self) -> int:
        """How many outcomes are still to be published."""

    def published(self, numbers: Sequence[int]) -> None:
        """These outcomes are published."""

    def tokens(self) -> list[Token]:
        """Every token ever issued, the oldest first."""

    def issue_token(self, digest: bytes, source: str) -> None:
        """Let the bearer of a token write as a source."""

    def revoke_token(self, digest: bytes) -> None:
        """No longer let its bearer write."""

    def snapshots_around(self, source: str, item: str, changed_at: int) -> tuple[str | None, str | None]:
        """What the snapshots of an item heard just before and just after an instant said."""

    def remember_snapshot(self, source: str, item: str, changed_at: int, said: str) -> None:
        """Keep what a snapshot of an item said."""

    def counts(self) -> Mapping[str, int]:
        """How many facts, messages recorded, waiting and refused the store holds."""

    def wrong(self) -> list[tuple[str, str]]:
        """What is wrong with the store, each with what to do about it."""

    def notifications(self) -> AbstractContextManager[Notifications]:
        """Hears of what is recorded from now on."""


class FactMapper(Mapper[str]):
    """Stores facts under their own type names, as their own JSON; reads and validates them through the catalogue."""

    catalogue: Catalogue = FACTS

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        """The stored form of a NewFact."""
        new = cast(NewFact, domain_event)
        return StoredEvent(new.stream, new.version, new.fact.TYPE, self.catalogue.write(new.fact))

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[str]:
        """The fact on record; its seal is read beside it, not through the library."""
        fact = self.catalogue.read(stored_event.topic, stored_event.state)
        new = NewFact(str(stored_event.originator_id), stored_event.originator_version, fact, _READ_BACK)
        return cast(DomainEventProtocol[str], new)


_READ_BACK = Origin(None, "", "", None)


class Ledger(Application[str]):
    """One log, one store. Appends whole batches; reads facts, receipts and what waits."""

    name = "verbale"

    def __init__(self, factory: InfrastructureFactory[Any], catalogue: Catalogue = FACTS) -> None:
        self._given_factory = factory
        self.catalogue = catalogue
        super().__init__()

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        """Only what is given here: no variable of the process may change how evidence is stored."""
        return Environment(name, dict(env or {}))

    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:  # noqa: ARG002 (the library's name)
        """The factory this ledger was composed with."""
        return self._given_factory

    def construct_mapper(self) -> Mapper[str]:
        """Our mapper, over this ledger's catalogue."""
        mapper = FactMapper(JSONTranscoder())
        mapper.catalogue = self.catalogue
        return mapper

    def construct_recorder(self) -> ApplicationRecorder:
        """The recorder of the store."""
        return self._given_factory.application_recorder()

    @property
    def store(self) -> Recorder:
        """The recorder, for what eventsourcing does not ask of one."""
        return cast(Recorder, self.recorder)

    @property
    def id(self) -> str:
        """The name of this ledger."""
        return self.store.ledger_id

    def append(self, batch: Batch) -> list[int]:
        """Record a batch in one transaction, and return the positions of its facts.

        Raises LostRace where another writer came first (nothing is then recorded), Unanswered where the connection
        was lost before it was known to be recorded, and other StoreErrors.
        """
        # Past `save`, which would look at each fact's methods again and again; there is nothing of ours that it does.
        facts = cast(list[DomainEventProtocol[str]], batch.facts)
        return list(self.recorder.insert_events(list(map(self.mapper.to_stored_event, facts)), batch=batch) or ())

    def entries(self, known_on: int | None = None, incident: str | None = None) -> Iterator[Entry]:
        """Facts in order of recording, known by `known_on`; with `incident`, no other incident's."""
        with closing(self.store.rows(known_on, incident)) as rows:
            yield from map(self.entry, rows)

    def streams(self, names: Sequence[str]) -> dict[str, list[Fact]]:
        """The facts of some streams, from version 1; a stream with none is []."""
        found: dict[str, list[Fact]] = {name: [] for name in names}
        for row in self.store.stream_rows(names):
            found[row.stream].append(self.entry(row).fact)
        return found

    def sealed(self, stream: str) -> list[Sealed]:
        """The facts of one stream with their seals."""
        rows = self.store.sealed_rows(stream)
        return [Sealed(self.entry(row.row), row.leaf, row.leaf_hash, row.origin) for row in rows]

    def page(self, after: int, limit: int) -> list[Row]:
        """The facts recorded after a position as stored, in order of position, at most `limit`."""
        return self.store.page(after, limit)

    def notifications(self) -> AbstractContextManager[Notifications]:
        """Hears of what is recorded from now on, by whatever process."""
        return self.store.notifications()

    def entry(self, row: Row) -> Entry:
        """The fact of a row. Raises NewerStore, DamagedStore."""
        return read_entry(row, self.catalogue)


def read_entry(row: Row, catalogue: Catalogue = FACTS) -> Entry:
    """The fact of a row as stored. Raises NewerStore, DamagedStore, which say where it is."""
    if row.recorded_at is None:
        raise DamagedStore(f"{_where(row)} has no seal: it was put in by hand; restore the store from a copy")
    try:
        fact = catalogue.read(row.stored_type, row.state)
    except UnknownFactType as error:
        raise NewerStore(f"{_where(row)}: {error}; upgrade this one") from None
    except ValueError:
        told = f"{_where(row)} cannot be read as {row.stored_type}"
        raise DamagedStore(f"{told}: restore the store from a copy") from None
    return Entry(row.position, row.stream, row.version, row.recorded_at, fact)


def _where(row: Row) -> str:
    return f"position {row.position}, version {row.version} of {row.stream}"
