"""How a store and its live tables stand, at one moment."""

from typing import Any, NamedTuple

from adapters.live_tables.checkpoint import Checkpoint, checkpoint
from adapters.live_tables.reporting import Reporting
from adapters.store.ledger import Ledger
from domain.values import SECOND, instant_text


class StoreStatus(NamedTuple):
    """The store and its live tables, at one moment. `lag_us`: for how long what is not projected has been known."""

    store: str
    ledger: str
    counts: dict[str, int]
    position: int
    recorded_until: int
    tables: str | None
    at: Checkpoint | None
    lag_us: int

    @property
    def projected(self) -> int:
        """The position that the live tables hold; 0 where there are none."""
        return self.at.position if self.at else 0

    @property
    def lag_positions(self) -> int:
        """How many facts are recorded and not in the live tables."""
        return self.position - self.projected

    @property
    def generation(self) -> int:
        """How many times the live tables have been built."""
        return self.at.generation if self.at else 0

    def shown(self) -> dict[str, Any]:
        """As every format shows it."""
        at = self.at
        return {
            "store": self.store,
            "ledger": self.ledger,
            **self.counts,
            "position": self.position,
            "recorded_until": instant_text(self.recorded_until) if self.position else None,
            "live_tables": self.tables,
            "projected": at.position if at else None,
            "as_of": instant_text(at.as_of) if at else None,
            "lag_positions": self.lag_positions if at else None,
            "lag_seconds": self.lag_us // SECOND if at else None,
            "readings": list(at.readings) if at else [],
            "generation": at.generation if at else None,
            "next_change_at": instant_text(at.next_change) if at and at.next_change is not None else None,
            "stopped_at_position": at.stopped_at if at else None,
            "stopped_because": at.stopped_because if at else None,
        }


def status_of(ledger: Ledger, reporting: Reporting | None, now: int) -> StoreStatus:
    """How things stand at `now` (microseconds UTC); `reporting` is None where there are no live tables."""
    at = checkpoint(reporting.live) if reporting is not None and reporting.exists() and reporting.fits else None
    unprojected = ledger.page(at.position, 1) if at else []
    known_since = [row.recorded_at for row in unprojected if row.recorded_at is not None]
    overdue = [at.next_change] if at and at.next_change is not None and at.next_change <= now else []
    return StoreStatus(
        store=ledger.store.location,
        ledger=ledger.id,
        counts=dict(ledger.store.counts()),
        position=ledger.store.position(),
        recorded_until=ledger.store.recorded_until(),
        tables=reporting.location if reporting and at else None,
        at=at,
        lag_us=max([0, *(now - since for since in (*known_since, *overdue))]),
    )
