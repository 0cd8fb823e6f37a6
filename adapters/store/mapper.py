"""Between facts and their stored form, which is our own JSON under our own type names."""

from typing import cast

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, StoredEvent

from adapters.store.errors import DamagedStore, NewerStore
from adapters.store.leaf import Origin
from adapters.store.records import NewFact, Row
from domain.catalogue import FACTS, Catalogue, UnknownFactType
from projections.history import Entry

_READ_BACK = Origin(None, "", "", None)


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


def read_entry(row: Row, catalogue: Catalogue = FACTS) -> Entry:
    """The fact of a row as stored. Raises NewerStore, DamagedStore, which say where it is."""
    if row.recorded_at is None:
        raise DamagedStore(f"{_position(row)} has no seal: it was put in by hand; restore the store from a copy")
    try:
        fact = catalogue.read(row.stored_type, row.state)
    except UnknownFactType as error:
        raise NewerStore(f"{_position(row)}: {error}; upgrade this one") from None
    except ValueError:
        raise DamagedStore(
            f"{_position(row)} cannot be read as {row.stored_type}: restore the store from a copy"
        ) from None
    return Entry(row.position, row.stream, row.version, row.recorded_at, fact, row.source or "", row.contract)


def _position(row: Row) -> str:
    return f"position {row.position}, version {row.version} of {row.stream}"
