"""Keeps the live tables current, and builds them anew.

A step takes a page of new facts and the time that has passed, judges anew every stream that these can touch, from all
its facts, and writes in one transaction the rows, the difference they make to the tallies, and the position reached.
"""

from collections.abc import Callable, Sequence

from adapters.live_tables.checkpoint import LIVE_READINGS, Checkpoint, checkpoint, outdated, write_stopped
from adapters.live_tables.errors import OutdatedTables, Stopped
from adapters.live_tables.read_facts import PAGE, contract_rows, contracts_of, missing_fact, readable, stopping_at
from adapters.live_tables.rebuild import build, still_built_by
from adapters.live_tables.reporting import Reporting
from adapters.live_tables.schema import LEDGERS, TIMERS
from adapters.live_tables.step import Step
from adapters.live_tables.tables import AtMost, TableSet
from adapters.reports.replay import Advance
from adapters.retries import tables_in_use
from adapters.store.errors import LockedStore, LostRace, StoreError
from adapters.store.ledger import Ledger
from projections.contracts_known import Contracts
from projections.readings import Reading

MOST_POISONS = 20
"""How many facts that cannot be projected a first build goes back behind, one after the other."""


class Projector:
    """Keeps the live tables of one ledger current. `now` gives microseconds UTC."""

    def __init__(
        self,
        ledger: Ledger,
        reporting: Reporting,
        now: Callable[[], int],
        readings: Sequence[Reading] = LIVE_READINGS,
        page: int = PAGE,
    ) -> None:
        self._ledger = ledger
        self._reporting = reporting
        self._now = now
        self._readings = tuple(readings)
        self._page = page
        self._contracts: Contracts | None = None
        self._read_to = (-1, -1)

    # --- how current ---

    def outdated(self) -> str | None:
        """Why the live tables have to be built (anew) before a step; None where they need not."""
        if not self._reporting.exists():
            return "there are no live tables yet"
        if not self._reporting.fits:
            return "the live tables are of another make than this program's"
        at = checkpoint(self._reporting.live)
        return outdated(self._ledger, at, self._readings) if at else "the live tables are not whole"

    def behind(self) -> int:
        """How many positions the live tables are behind the log."""
        at = checkpoint(self._reporting.live)
        return self._ledger.store.position() - (at.position if at else 0)

    def wakes_at(self) -> int | None:
        """When time alone will next change a row (microseconds UTC)."""
        return self._reporting.live.earliest(TIMERS, "at", {})

    # --- one step ---

    def step(self) -> bool:
        """Take the next page of facts and the time that has passed; whether there may be more at once.

        Raises Stopped where a fact cannot be projected (what is recorded before it is), OutdatedTables where they have
        to be built anew, NoTables, StoreError.
        """
        try:
            with self._reporting.transaction():
                stopped = self._step(self._reporting.live)
        except Stopped as stopped_within:
            self._project_before(stopped_within)
            raise
        if stopped:
            raise stopped
        return self.behind() > 0

    def _project_before(self, stopped: Stopped) -> None:
        """Project what is recorded before a fact that cannot be judged, and write where the tables stopped."""
        self._contracts = None
        live = self._reporting.live
        try:
            with self._reporting.transaction():
                self._step(live, before=stopped.position)
        except Stopped:
            self._contracts = None  # not even that: the tables stay where they are
        self._write_stopped(stopped)

    def _step(self, tables: TableSet, before: int | None = None) -> Stopped | None:
        """One step, with `before` only over what is recorded before a position; why it stopped, where it did."""
        at = checkpoint(tables)
        if at is None:
            raise OutdatedTables(
                f"the tables at {self._reporting.location} are not whole: verbale rebuild makes them anew"
            )
        if why := outdated(self._ledger, at, self._readings):
            raise OutdatedTables(f"{why} ({self._reporting.location}): verbale rebuild makes them anew")
        last = self._ledger.store.position()
        rows = self._ledger.page(at.position, self._page)
        if not rows and at.position < last:
            raise missing_fact(at.position + 1)
        rows = [row for row in rows if before is None or row.position < before]
        facts, stopped = readable(self._ledger, at.position, rows)
        as_of = max(self._now(), at.as_of, *(fact.recorded_at for fact in facts[-1:]))
        due = tables.values(TIMERS, "stream", {"at": AtMost(as_of)})
        if facts or due:
            position = facts[-1].position if facts else at.position
            with stopping_at(position):
                known = self._contracts_at(at, tables)
                step = Step(self._ledger, tables, known.advanced(facts, as_of), position)
                step.take(known, facts, due)
                step.sign(at.generation, self._now(), stopped)
            self._contracts, self._read_to = step.contracts_known, (position, at.generation)
        elif stopped and stopped.position != at.stopped_at:
            write_stopped(tables, at, stopped)
        return stopped

    def _contracts_at(self, at: Checkpoint, tables: TableSet) -> Contracts:
        """The contracts as the tables have them: remembered from the last step, or read anew."""
        remembered = self._contracts
        if remembered and self._read_to == (at.position, at.generation) and remembered.as_of == at.as_of:
            return remembered
        if tables is self._reporting.live and not self._reporting.fits:
            raise OutdatedTables("the live tables are of another make than this program's: verbale rebuild")
        rows = contract_rows(self._ledger, at.position)
        return contracts_of(rows, self._readings, at.as_of, self._ledger.catalogue)

    def _write_stopped(self, stopped: Stopped) -> None:
        live = self._reporting.live
        with self._reporting.transaction():
            if at := checkpoint(live):
                write_stopped(live, at, stopped)

    # --- all anew ---

    def rebuild(self, advance: Advance = lambda _: None, *, unless_current: bool = False) -> str | None:
        """Build new tables beside the live ones, catch up, and swap the names; a sentence where old ones were left.

        `unless_current`: not where another process has just done it. Raises Stopped, BeingBuilt, StoreError: then the
        live tables are as they were. Only where there are none yet, those up to a fact that cannot be projected are
        made, before Stopped is raised.
        """
        with self._reporting.alone():
            if unless_current and self.outdated() is None:
                return None
            first = not self._reporting.exists()
            stopped: Stopped | None = None
            for _ in range(MOST_POISONS):
                try:
                    kept = self._build(advance, before=stopped.position if stopped else None)
                    break
                except Stopped as found:
                    if not first or (stopped and found.position >= stopped.position):
                        raise
                    stopped = found
            if stopped:
                self._write_stopped(stopped)
                raise stopped
            return kept

    def _build(self, advance: Advance, before: int | None) -> str | None:
        last = None if before is None else before - 1
        token = build(
            self._ledger, self._reporting, self._readings, self._generation() + 1, self._now,
            position=last, advance=advance,
        )  # fmt: skip
        tables_in_use(LockedStore, LostRace)(self._catch_up_and_swap, token, before, advance)
        try:
            return self._reporting.discard_retired()
        except StoreError as error:
            return f"the old tables are kept for now ({error}): the next rebuild drops them"

    def _generation(self) -> int:
        """How many times the live tables have been built, by whatever program."""
        if not self._reporting.exists():
            return 0
        return max((int(number) for number in self._reporting.live.values(LEDGERS, "generation")), default=0)

    def _catch_up_and_swap(self, token: str, before: int | None, advance: Advance) -> None:
        self._contracts = None
        advance(self._ledger.store.position())
        building = self._reporting.building
        while True:
            with self._reporting.transaction():
                still_built_by(token, building)
                if stopped := self._step(building, before=before):
                    raise stopped
                reached = checkpoint(building)
                if before is not None or (reached and reached.position >= self._ledger.store.position()):
                    self._reporting.swap(token)
                    return
