"""The log of facts, on eventsourcing's Application: append a batch in one transaction, read what is recorded."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, cast

from eventsourcing.application import Application
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import ApplicationRecorder, InfrastructureFactory, JSONTranscoder, Mapper
from eventsourcing.utils import Environment, EnvType

from adapters.store.mapper import FactMapper, read_entry
from adapters.store.recorder import Recorder
from adapters.store.records import Batch, Row, Sealed, SealedRow
from domain.catalogue import FACTS, Catalogue
from domain.facts import Fact
from projections.history import Entry


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

    def known_now(self, now: int, position: int | None = None) -> int:
        """The instant by which everything recorded, or all up to a position, is known, in microseconds UTC.

        That is `now`, or the instant of the last fact where the clock of whoever recorded it ran ahead.
        """
        if position is None:
            return max(now, self.store.recorded_until())
        sealed = self.store.sealed_at(position)
        return max(now, sealed[0]) if sealed else now

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
        return {stream: [entry.fact for entry in entries] for stream, entries in self.stream_entries(names).items()}

    def stream_entries(self, names: Sequence[str]) -> dict[str, list[Entry]]:
        """The facts of some streams, each with where it was recorded; a stream with none is []."""
        found: dict[str, list[Entry]] = {name: [] for name in names}
        for row in self.store.stream_rows(names):
            found[row.stream].append(self.entry(row))
        return found

    def sealed(self, stream: str) -> list[Sealed]:
        """The facts of one stream with their seals."""
        return list(map(self._sealed, self.store.sealed_rows(stream)))

    def sealed_entries(self, known_on: int | None = None) -> Iterator[Sealed]:
        """Facts with their seals in order of recording, known by `known_on`."""
        with closing(self.store.sealed_log(known_on)) as rows:
            yield from map(self._sealed, rows)

    def _sealed(self, row: SealedRow) -> Sealed:
        return Sealed(self.entry(row.row), row.leaf, row.leaf_hash, row.origin)

    def page(self, after: int, limit: int) -> list[Row]:
        """The facts recorded after a position as stored, in order of position, at most `limit`."""
        return self.store.page(after, limit)

    def entry(self, row: Row) -> Entry:
        """The fact of a row. Raises NewerStore, DamagedStore."""
        return read_entry(row, self.catalogue)
