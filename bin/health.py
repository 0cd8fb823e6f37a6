"""How a store and its live tables stand, and what is wrong with them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from adapters.ledger import Ledger
from adapters.projector import Current, current, outdated
from adapters.reporting import Reporting
from domain.facts import FUTURE_TOLERANCE, SECOND, instant_text

LONGEST_LAG = 60 * SECOND
"""A projection that is further behind is not running, or cannot keep up."""


class Standing(NamedTuple):
    """The store and its live tables, at one moment. `lag_us`: for how long what is not projected has been known."""

    store: str
    ledger: str
    counts: dict[str, int]
    position: int
    recorded_until: int
    tables: str | None
    at: Current | None
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

    def told(self) -> dict[str, Any]:
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


class Remark(NamedTuple):
    """Something wrong, and what to do about it."""

    wrong: str
    do: str


def standing(ledger: Ledger, reporting: Reporting | None, now: int) -> Standing:
    """How things stand at `now` (microseconds UTC); `reporting` is None where there are no live tables."""
    at = current(reporting.live) if reporting is not None and reporting.exists() and reporting.fits else None
    unprojected = ledger.page(at.position, 1) if at else []
    known_since = [row.recorded_at for row in unprojected if row.recorded_at is not None]
    overdue = [at.next_change] if at and at.next_change is not None and at.next_change <= now else []
    return Standing(
        store=ledger.store.place,
        ledger=ledger.id,
        counts=dict(ledger.store.counts()),
        position=ledger.store.position(),
        recorded_until=ledger.store.recorded_until(),
        tables=reporting.place if reporting and at else None,
        at=at,
        lag_us=max([0, *(now - since for since in (*known_since, *overdue))]),
    )


def remarks(ledger: Ledger, reporting: Reporting | None, now: int) -> Iterator[Remark]:
    """Everything that is wrong."""
    at = standing(ledger, reporting, now)
    yield from _of_the_store(ledger, at, now)
    if at.at is None:
        yield _no_tables(reporting)
    elif at.at.stopped_at is not None:
        yield Remark(
            f"the live tables stopped before position {at.at.stopped_at}: {at.at.stopped_because}",
            "see to that fact (verbale timeline STREAM shows its stream; upgrade where a newer Verbale wrote it), "
            "then run: verbale project",
        )
    elif why := outdated(ledger, at.at):
        yield Remark(why, "run: verbale rebuild")
    elif at.at.as_of > max(now, at.recorded_until) + FUTURE_TOLERANCE:
        yield Remark(
            f"the live tables are as of {instant_text(at.at.as_of)}, which has not come: a clock ran ahead",
            "set the clock of the machine that projects, then run: verbale rebuild",
        )
    elif at.lag_us > LONGEST_LAG:
        yield Remark(
            f"the live tables are {at.lag_positions} facts and {at.lag_us // SECOND} seconds behind",
            "see that verbale project is running, for good",
        )


def _no_tables(reporting: Reporting | None) -> Remark:
    if reporting is not None and reporting.exists() and not reporting.fits:
        return Remark("the live tables are of another make than this program's", "run: verbale rebuild")
    return Remark("there are no live tables that this role may read: every report replays all facts", PROJECT)


PROJECT = "run, as the owner of the store: verbale project"


def _of_the_store(ledger: Ledger, at: Standing, now: int) -> Iterator[Remark]:
    if at.recorded_until > now + FUTURE_TOLERANCE:
        yield Remark(
            f"the last fact was recorded at {instant_text(at.recorded_until)}, and it is {instant_text(now)} here",
            "set the clocks of the machines that record, and of this one",
        )
    for wrong, do in ledger.store.wrong():
        yield Remark(wrong, do)
