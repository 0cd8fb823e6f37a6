"""What is asked of a store beyond eventsourcing's own recorder, grouped by purpose; `Recorder` joins all groups.

Every method raises StoreErrors. Instants are microseconds UTC.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from adapters.store.records import (
    Deferred,
    Gap,
    Identity,
    OutboxEntry,
    Receipt,
    RefusedMessage,
    RefusedRow,
    Row,
    SealedRow,
    SourceHeard,
    Token,
)


class Notifications(Protocol):
    """Hears of what is recorded."""

    def wait(self, seconds: float) -> bool:
        """Whether something has (perhaps) been recorded since the last call; waits for it at most so long."""


class Events(Protocol):
    """The facts, in the order in which they were recorded or by stream."""

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

    def incidents_under(self, contract: str) -> list[str]:
        """The streams of requests of which some fact was recorded under a contract."""

    def sealed_rows(self, stream: str) -> Iterator[SealedRow]:
        """The facts of one stream with their seals, in order of version."""

    def sealed_log(self, known_on: int | None) -> Generator[SealedRow, None, None]:
        """Facts with their seals by position, recorded by `known_on`."""

    def notifications(self) -> AbstractContextManager[Notifications]:
        """Hears of what is recorded from now on, by whatever process."""


class Inbox(Protocol):
    """The messages that came: recorded, waiting, or refused."""

    def receipts(self, identities: Sequence[Identity]) -> dict[Identity, Receipt]:
        """What the inbox keeps of these messages."""

    def waiting(self, identities: Sequence[Identity]) -> dict[Identity, Deferred]:
        """Those of these messages that wait."""

    def waiting_for(self, streams: Sequence[str]) -> list[Deferred]:
        """The messages that wait for one of these streams, the oldest first."""

    def waiting_since(self, before: int) -> list[Deferred]:
        """The messages that have waited since before an instant, the oldest first."""

    def all_waiting(self) -> list[Deferred]:
        """Every message that waits, the oldest first."""

    def refused(self) -> list[RefusedRow]:
        """The refused messages that are not recorded since, and do not wait, in order of arrival."""

    def last_refusal(self, identity: Identity) -> RefusedMessage | None:
        """The last refusal of a message of that identity, even if it has succeeded since; None where there is none."""


class Sources(Protocol):
    """Who has written, and which of their messages never came. Raises OlderStore where the store does not know."""

    def sources(self) -> list[SourceHeard]:
        """What has been heard of each source, by name; "" is what named no source that could be read."""

    def gaps(self, source: str) -> list[Gap]:
        """The sequence numbers between the first and the last heard of a source that have not been heard."""


class Outbox(Protocol):
    """The outcomes that are still to be published. Raises OlderStore where the store has no outbox."""

    def outbox(self, limit: int) -> list[OutboxEntry]:
        """The oldest outcomes still to be published."""

    def unpublished(self) -> int:
        """How many outcomes are still to be published."""

    def published(self, numbers: Sequence[int]) -> None:
        """These outcomes are published."""


class Tokens(Protocol):
    """Who may post messages over HTTP. Raises OlderStore where the store has no tokens."""

    def tokens(self) -> list[Token]:
        """Every token ever issued, the oldest first."""

    def issue_token(self, digest: bytes, source: str) -> None:
        """Let the bearer of a token write as a source."""

    def revoke_token(self, digest: bytes) -> None:
        """No longer let its bearer write."""


class Snapshots(Protocol):
    """What help desks sent of their items, from which the next snapshot's changes are read."""

    def snapshots_around(self, source: str, item: str, changed_at: int) -> tuple[str | None, str | None]:
        """The last snapshot of an item before an instant, and the first after it."""

    def remember_snapshot(self, source: str, item: str, changed_at: int, snapshot: str) -> None:
        """Keep a snapshot of an item."""


class Description(Protocol):
    """What a store says of itself."""

    ledger_id: str
    location: str
    """Where the store is, for people."""
    made_new: bool
    """Whether opening it made it."""
    format: int
    """Of its tables: an older one where it is only read."""

    def revision(self) -> int:
        """How many transactions have been recorded."""

    def counts(self) -> Mapping[str, int]:
        """How many facts, messages recorded, waiting and refused the store holds."""

    def wrong(self) -> list[tuple[str, str]]:
        """What is wrong with the store, each with what to do about it."""


class Recorder(Events, Inbox, Sources, Outbox, Tokens, Snapshots, Description, Protocol):
    """Everything that the ledger asks of a store."""
