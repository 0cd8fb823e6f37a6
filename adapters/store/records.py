"""What a store holds: facts with their seals, and beside them messages, outcomes to publish, sources and tokens.

Instants are microseconds UTC.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from adapters.store.leaf import Origin
from domain.facts import Fact
from projections.history import Entry

Identity = tuple[str, str]
"""Source and id of a message: its name for ever."""


# --- facts ---


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


class Row(NamedTuple):
    """A recorded fact as stored; `recorded_at` is None where it has no seal.

    `source` and `contract` are those of its seal.
    """

    position: int
    stream: str
    version: int
    recorded_at: int | None
    stored_type: str
    state: bytes
    source: str | None = None
    contract: str | None = None


class SealedRow(NamedTuple):
    """A recorded fact and its seal as stored."""

    row: Row
    leaf: int
    leaf_hash: bytes
    origin: Origin


class Sealed(NamedTuple):
    """A recorded fact with its whole seal, as an auditor reads it."""

    entry: Entry
    leaf: int
    leaf_hash: bytes
    origin: Origin


# --- messages that came ---


class Receipt(NamedTuple):
    """What the inbox keeps of a message: the digest of its content and where its facts are (if it added any)."""

    identity: Identity
    digest: bytes
    stream: str
    version: int | None
    leaf: int | None


class Deferred(NamedTuple):
    """A whole message that waits, since an instant, for `stream` to grow."""

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


class RefusedRow(NamedTuple):
    """A refused message by its number, with the instant of its last refusal and the count of them all."""

    number: int
    message: RefusedMessage
    refused_at: int
    times: int


class SourceHeard(NamedTuple):
    """What the record knows of a source, in counts of messages.

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


# --- messages that go out ---


class OutboxMessage(NamedTuple):
    """An outcome to be published: for which source (None where it could not be read), and its content (JSON)."""

    source: str | None
    body: bytes


class OutboxEntry(NamedTuple):
    """A message in the outbox."""

    number: int
    message: OutboxMessage


# --- who may write ---


class Token(NamedTuple):
    """Who may post over HTTP: the SHA-256 of a bearer token, the one source it may write as, and for how long."""

    digest: bytes
    source: str
    issued_at: int
    revoked_at: int | None


# --- one transaction ---


@dataclass
class Batch:
    """What one transaction records: facts with their seals, receipts, and messages kept or no longer kept.

    `receipts` pairs a receipt with the index of its first fact in `facts`, from which its leaf follows; the store
    sets `first_leaf` when it has recorded the facts. `decided_at`: the revision of the store when the batch was
    decided; where it has another by now, the store refuses the batch, because what it rests on may have changed.
    `heard` counts messages by source and by what became of them, `sequences` are numbers that sources gave their own
    messages; `outbox` is called once the leaves are known, for the outcomes that are to be published.
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
