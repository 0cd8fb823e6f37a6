"""Keeps reporting tables current, and builds them anew: one set of steps for both, and for a replay elsewhere.

A step takes a page of new facts and the time that has passed, has every touched stream told anew from all its facts,
judges it, and writes the rows, the difference they make to the tallies and the position reached in one transaction.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import uuid4

from adapters.live_tables.contracts import ContractTallies, Moved
from adapters.live_tables.incidents import (
    Rows,
    Stopped,
    contracts_of,
    entries,
    judges,
    rows_of,
    standings,
    timers,
    whole_streams,
)
from adapters.live_tables.schema import BUILDER, LEDGERS, TIMERS
from adapters.live_tables.tables import AtMost, BeingBuilt, Between, OutdatedTables, Reporting, TableSet
from adapters.reports.breach import CASES, case_of
from adapters.reports.compliance import INCIDENTS
from adapters.reports.queue import QUEUE
from adapters.reports.systems import EFFECTS
from adapters.store.ledger import Ledger, LockedStore, LostRace, NewerStore, Row, StoreError
from projections import RULES_VERSION
from projections.affected import ALWAYS, Affected, Contracts, streams_of
from projections.history import Entry
from projections.readings import LITERAL, Reading

MOST_POISONS = 20
MOST_SWAPS = 100
SWAP_PAUSE = 1.0
"""Seconds between two attempts to swap, in which readers of the old tables go on."""
PAGE = 5000
CHUNK = 1000
LIVE_READINGS = (LITERAL,)

Advance = Callable[[int], None]


class Checkpoint(NamedTuple):
    """How current a set of tables is."""

    ledger: str
    position: int
    leaf_hash: str | None
    as_of: int
    recorded_at: int | None
    readings: Sequence[str]
    rules: str
    generation: int
    projected_at: int
    stopped_at: int | None
    stopped_because: str | None
    next_change: int | None


def current(tables_of: TableSet) -> Checkpoint | None:
    """How current a set of tables is; None where it was not finished."""
    row = next(iter(tables_of.read(LEDGERS)), None)
    return None if row is None else Checkpoint(*row)


def outdated(ledger: Ledger, at: Checkpoint, readings: Sequence[Reading] = LIVE_READINGS) -> str | None:
    """Why tables have to be built anew to be live ones of this log and program; None where they need not.

    Raises NewerStore where a newer program made them: two programs would build them in turn, for ever.
    """
    if not made_from(ledger, at):
        return "the live tables were made from another log than this one"
    if at.rules.isdecimal() and RULES_VERSION.isdecimal() and int(at.rules) > int(RULES_VERSION):
        raise NewerStore(f"the live tables follow rules {at.rules} of a newer Verbale: upgrade this one")
    if at.rules != RULES_VERSION:
        return f"the live tables follow rules {at.rules}, this program rules {RULES_VERSION}"
    names = [reading.name for reading in readings]
    return None if list(at.readings) == names else f"the live tables hold other readings than {', '.join(names)}"


def made_from(ledger: Ledger, at: Checkpoint) -> bool:
    """Whether tables were made from this log: the fact at their position is the one that they know."""
    sealed = ledger.store.sealed_at(at.position)
    return (ledger.id, sealed[1] if sealed else None) == (at.ledger, at.leaf_hash)


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

    def step(self) -> bool:
        """Take the next page of facts and the time that has passed; whether there may be more at once.

        Raises Stopped where a fact cannot be projected (what is recorded before it is), OutdatedTables where they have
        to be built anew, NoTables, StoreError.
        """
        try:
            with self._reporting.transaction():
                poison = self._step(self._reporting.live)
        except Stopped as stopped:
            self._up_to(stopped)
            raise
        if poison:
            raise poison
        return self.behind() > 0

    def _up_to(self, stopped: Stopped) -> None:
        """Project what is recorded before a fact that cannot be judged, and have the tables say where they stopped."""
        self._contracts = None
        live = self._reporting.live
        try:
            with self._reporting.transaction():
                self._step(live, before=stopped.position)
        except Stopped:
            self._contracts = None  # not even that: the tables stay where they are
        self._mark(stopped)

    def outdated(self) -> str | None:
        """Why the live tables have to be built (anew) before a step; None where they need not."""
        if not self._reporting.exists():
            return "there are no live tables yet"
        if not self._reporting.fits:
            return "the live tables are of another make than this program's"
        at = current(self._reporting.live)
        return outdated(self._ledger, at, self._readings) if at else "the live tables are not whole"

    def behind(self) -> int:
        """How many positions the live tables are behind the log."""
        at = current(self._reporting.live)
        return self._ledger.store.position() - (at.position if at else 0)

    def wakes_at(self) -> int | None:
        """When time alone will next change a row (microseconds UTC)."""
        return self._reporting.live.earliest(TIMERS, "at", {})

    def rebuild(self, advance: Advance = lambda _: None, *, unless_current: bool = False) -> str | None:
        """Build new tables beside the live ones, catch up, and swap the names; a sentence where old ones were left.

        `advance` hears how many facts are done. `unless_current`: not where another process has just done it. Raises
        Stopped, BeingBuilt, StoreError: then the live tables are as they were. Only where there are none yet, those up
        to a fact that cannot be projected are made, before Stopped is raised.
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
                self._mark(stopped)
                raise stopped
            return kept

    def _mark(self, stopped: Stopped) -> None:
        """Have the live tables say where they stopped."""
        live = self._reporting.live
        with self._reporting.transaction():
            if at := current(live):
                live.write(LEDGERS, [at._replace(stopped_at=stopped.position, stopped_because=stopped.because)])

    def _generation(self) -> int:
        """How many times the live tables have been built, whatever made them."""
        if not self._reporting.exists():
            return 0
        return max((int(number) for number in self._reporting.live.values(LEDGERS, "generation")), default=0)

    def _build(self, advance: Advance, before: int | None) -> str | None:
        last = None if before is None else before - 1
        token = build(
            self._ledger, self._reporting, self._readings, self._generation() + 1, self._now,
            position=last, advance=advance,
        )  # fmt: skip
        for attempt in range(MOST_SWAPS):
            self._contracts = None
            advance(self._ledger.store.position())
            try:
                self._swap_when_caught_up(token, before)
                break
            except (LockedStore, LostRace):
                # Somebody reads the old tables: let them finish, and others begin, before asking again.
                if attempt == MOST_SWAPS - 1:
                    raise
                time.sleep(SWAP_PAUSE)
        try:
            return self._reporting.discard_retired()
        except StoreError as error:
            return f"the old tables are kept for now ({error}): the next rebuild drops them"

    def _swap_when_caught_up(self, token: str, before: int | None) -> None:
        building = self._reporting.building
        while True:
            with self._reporting.transaction():
                still_built_by(token, building)
                if poison := self._step(building, before=before):
                    raise poison
                reached = current(building)
                if before is not None or (reached and reached.position >= self._ledger.store.position()):
                    self._reporting.swap(token)
                    return

    def _step(self, live: TableSet, before: int | None = None) -> Stopped | None:
        """One step; with `before`, only over what is recorded before a position."""
        at = current(live)
        if at is None:
            raise OutdatedTables(
                f"the tables at {self._reporting.place} are not whole: verbale rebuild makes them anew"
            )
        if why := outdated(self._ledger, at, self._readings):
            raise OutdatedTables(f"{why} ({self._reporting.place}): verbale rebuild makes them anew")
        last = self._ledger.store.position()
        rows = self._ledger.page(at.position, self._page)
        if not rows and at.position < last:
            raise gone(at.position + 1)
        facts, poison = _readable(self._ledger, at.position, [r for r in rows if before is None or r.position < before])
        as_of = max(self._now(), at.as_of, *(fact.recorded_at for fact in facts[-1:]))
        rang = live.values(TIMERS, "stream", {"at": AtMost(as_of)})
        if facts or rang:
            position = facts[-1].position if facts else at.position
            with _naming(position):
                known = self._contracts_at(at, live)
                work = Step(self._ledger, live, known.advanced(facts, as_of), position)
                work.take(known, facts, rang)
                work.sign(at.generation, self._now(), poison)
            self._contracts, self._read_to = work.contracts_known, (position, at.generation)
        elif poison and poison.position != at.stopped_at:
            live.write(LEDGERS, [at._replace(stopped_at=poison.position, stopped_because=poison.because)])
        return poison

    def _contracts_at(self, at: Checkpoint, tables_of: TableSet) -> Contracts:
        """The contracts as the tables have them: remembered from the last step, or read anew."""
        if (
            self._contracts is None
            or self._read_to != (at.position, at.generation)
            or self._contracts.as_of != at.as_of
        ):
            if tables_of is self._reporting.live and not self._reporting.fits:
                raise OutdatedTables("the live tables are of another make than this program's: verbale rebuild")
            rows = contract_rows(self._ledger, at.position)
            self._contracts = contracts_of(rows, self._readings, at.as_of, self._ledger.catalogue)
        return self._contracts


@contextmanager
def _naming(position: int) -> Iterator[None]:
    """Whatever else goes wrong over the facts up to a position stops the projection there."""
    try:
        yield
    except StoreError:
        raise
    except Exception as error:
        because = f"it cannot be projected ({type(error).__name__}: {error}); please report it"
        raise Stopped(position, because) from error


def _readable(ledger: Ledger, after: int, rows: Sequence[Row]) -> tuple[list[Entry], Stopped | None]:
    """The facts of some rows that follow a position, up to the first that is not there or cannot be read, and why."""
    stopped: Stopped | None = None
    for expected, row in enumerate(rows, after + 1):
        if row.position != expected:
            stopped, rows = gone(expected), rows[: expected - after - 1]
            break
    try:
        return entries(rows, ledger.catalogue), stopped
    except Stopped as unreadable:
        readable = [row for row in rows if row.position < unreadable.position]
        return entries(readable, ledger.catalogue), unreadable


def gone(position: int) -> Stopped:
    """What to say of a position at which there is no fact, though there are later ones."""
    return Stopped(position, "the fact at this position is gone: it was taken away; restore the store from a copy")


def still_built_by(token: str, building: TableSet) -> None:
    """Raises BeingBuilt where the set being built is, by now, another builder's."""
    if building.values(BUILDER, "token") != [token]:
        raise BeingBuilt("another process has begun to build the same tables: this one leaves them to it")


def contract_rows(ledger: Ledger, position: int) -> list[Row]:
    """The facts of every contract and account, as stored, up to a position."""
    return [row for kind in ("contract-", "credits-") for row in ledger.store.rows_by_stream(kind, position)]


def build(
    ledger: Ledger,
    reporting: Reporting,
    readings: Sequence[Reading],
    generation: int,
    now: Callable[[], int],
    *,
    position: int | None = None,
    as_of: int | None = None,
    advance: Advance = lambda _: None,
    processes: int | None = None,
) -> str:
    """Fill a new set of tables from every stream up to a position (the last), as of an instant (now); its token.

    The set is whole once its row in `ledgers` is there, which is written last; it has not taken the names yet.
    `processes` says how many judge, instead of one for each core where the log is large.
    """
    last = ledger.store.position() if position is None else position
    sealed = ledger.store.sealed_at(last)
    token, building = uuid4().hex[:8], reporting.building
    with reporting.transaction():
        reporting.create()
        building.load(BUILDER, [(token,)])
    told = contract_rows(ledger, last)
    with _naming(last):
        at = max(now(), sealed[0] if sealed else 0) if as_of is None else as_of
        contracts_known = contracts_of(told, readings, at, ledger.catalogue)
    work, done = Step(ledger, building, contracts_known, last), len(told)
    parts = whole_streams(ledger.store.rows_by_stream("incident-", last), CHUNK)
    with judges(ledger, told, contracts_known, last, processes) as judging:
        for rows in judging.rows(parts):
            with reporting.transaction():
                still_built_by(token, building)
                work.begin(rows)
            done += rows.facts
            advance(done)
    if done != last:
        raise gone(_first_gap(ledger, last))
    with reporting.transaction():
        still_built_by(token, building)
        reporting.index(token)
    for name in contracts_known.names:  # each in its own: nobody waits long for a place that others share
        with reporting.transaction():
            still_built_by(token, building)
            work.count_anew(name)
        advance(done)
    with reporting.transaction():
        still_built_by(token, building)
        reporting.analyse()
        work.sign(generation, now(), None)
    return token


def _first_gap(ledger: Ledger, last: int) -> int:
    """The first position up to the last at which there is no fact."""
    after = 0
    while rows := ledger.page(after, PAGE):
        missing = next((n for n, row in enumerate(rows, after + 1) if row.position != n), None)
        if missing is not None:
            return missing
        after = rows[-1].position
    return min(after + 1, last)


@dataclass
class Step:
    """What one step writes into one set of tables, within one transaction."""

    ledger: Ledger
    tables: TableSet
    contracts_known: Contracts
    position: int
    _moved: dict[tuple[str, str, int], Moved] = field(default_factory=lambda: defaultdict(Moved))

    def take(self, before: Contracts, facts: Sequence[Entry], rang: Iterable[str]) -> None:
        """Judge again whatever these facts, or the time that has passed, can touch; then count."""
        rung: dict[str, list[str]] = defaultdict(list)
        for stream in rang:
            kind, _, name = stream.partition("-")
            rung[kind].append(name)
        contracts = {*streams_of(facts, "contract"), *streams_of(facts, "credits"), *rung["contract"]}
        reaches = self.contracts_known.reach(before, sorted(contracts))
        incidents = {*streams_of(facts, "incident"), *rung["incident"], *self._reached(reaches)}
        for some in _parts(sorted(incidents), CHUNK):
            self._judge(self._facts_of(some, facts))
        anew = {reach.contract for reach in reaches if reach.openings == ALWAYS}
        for name in sorted(anew):
            self.count_anew(name)
        moved = {contract for _, contract, _ in self._moved}
        for name in sorted((contracts | moved) - anew):
            self._move(name, whole=name in contracts)
        for name in sorted(contracts - anew):
            self._of_its_own(name)

    def begin(self, rows: Rows) -> None:
        """Add the rows of incidents of which the tables hold nothing yet."""
        for table in (INCIDENTS, CASES, QUEUE, EFFECTS, TIMERS):
            self.tables.load(table, rows.to(table))

    def sign(self, generation: int, now: int, poison: Stopped | None) -> None:
        """Write how current the tables are."""
        sealed = self.ledger.store.sealed_at(self.position)
        signed = Checkpoint(
            ledger=self.ledger.id,
            position=self.position,
            leaf_hash=sealed[1] if sealed else None,
            as_of=self.contracts_known.as_of,
            recorded_at=sealed[0] if sealed else None,
            readings=[reading.name for reading in self.contracts_known.readings],
            rules=RULES_VERSION,
            generation=generation,
            projected_at=now,
            stopped_at=poison.position if poison else None,
            stopped_because=poison.because if poison else None,
            next_change=self.tables.earliest(TIMERS, "at", {}),
        )
        self.tables.write(LEDGERS, [signed])

    # --- incidents ---

    def _facts_of(self, incidents: Sequence[str], new: Sequence[Entry]) -> dict[str, list[Entry]]:
        """Every fact of some incidents up to this position; rows after it are another step's.

        `new` are the facts of this step: those of a stream that begins with them are all there are.
        """
        found: dict[str, list[Entry]] = {name: [] for name in incidents}
        for fact in new:
            kind, _, name = fact.stream.partition("-")
            if kind == "incident" and name in found and fact.version == len(found[name]) + 1:
                found[name].append(fact)
        older = [name for name in incidents if not found[name]]
        for row in self.ledger.store.stream_rows([f"incident-{name}" for name in older]):
            if row.position <= self.position:
                found[row.stream.partition("-")[2]] += entries([row], self.ledger.catalogue)
        return found

    def _reached(self, reaches: Iterable[Affected]) -> set[str]:
        """The incidents in the tables that a change of contracts can touch: their rows say under which they are."""
        found: set[str] = set()
        for reach in reaches:
            for opened in reach.openings:
                span = {} if reach.openings == ALWAYS else {"opened_at": Between(*opened)}
                found.update(self.tables.values(INCIDENTS, "incident", {"contract": reach.contract, **span}))
            for column, names in (("customer", reach.customers), ("system", reach.systems)):
                if names:
                    found.update(self.tables.values(INCIDENTS, "incident", {column: sorted(names)}))
        return found

    def _judge(self, incidents: Mapping[str, Sequence[Entry]]) -> None:
        ledger, names = self.ledger.id, list(incidents)
        self.tables.remove(TIMERS, {"stream": [f"incident-{name}" for name in names]})
        for told in self.contracts_known.told:
            reading, found = told.replay.reading.name, standings(told, incidents)
            self._take_away(reading, names)
            some = [standing for standing in found.values() if standing]
            gone = [name for name, standing in found.items() if standing is None]
            done = [s.row.incident for s in some if not s.queued]
            unaffecting = [s.row.incident for s in some if not s.effect]
            for table, rows in rows_of(ledger, reading, some).items():
                self.tables.write(table, rows)
            self.tables.remove(INCIDENTS, {"ledger": ledger, "reading": reading, "incident": gone})
            self.tables.remove(QUEUE, {"ledger": ledger, "reading": reading, "incident": gone + done})
            self.tables.remove(EFFECTS, {"ledger": ledger, "reading": reading, "incident": gone + unaffecting})
            for standing in some:
                if standing.window and standing.row.contract is not None:
                    key = (reading, standing.row.contract, standing.window.start)
                    self._moved[key].by(standing.share.cases, standing.share.undecided, 1)
            self._ring(list(timers(told, found, incidents)))

    def _take_away(self, reading: str, names: list[str]) -> None:
        """Take out of the tallies what these incidents counted for until now."""
        where = {"ledger": self.ledger.id, "reading": reading, "incident": names}
        for stored in self.tables.rows(CASES, where):
            self._moved[reading, stored["contract"], stored["window_from"]].by([case_of(stored)], 0, -1)
        columns = ("contract", "window_from", "undecided")
        for contract, window, undecided in self.tables.pick(INCIDENTS, columns, where):
            if window is not None:
                self._moved[reading, contract, window].by((), undecided, -1)
        self.tables.remove(CASES, where)

    def _ring(self, at: Sequence[tuple[str, int]]) -> None:
        """Keep the earliest alarm of each stream, over all readings."""
        known: dict[str, int] = {}
        if len(self.contracts_known.told) > 1:
            known = dict(map(tuple, self.tables.read(TIMERS, {"stream": [stream for stream, _ in at]})))
        self.tables.write(TIMERS, [(stream, min(then, known.get(stream, then))) for stream, then in at])

    # --- contracts ---

    def count_anew(self, name: str) -> None:
        """Count every window of a contract from its incidents as they stand in the tables; and its other figures."""
        with self._named(name):
            for figures in self._figures(name):
                figures.count_anew()
                figures.write_penalty()
        self._of_its_own(name)

    def _move(self, name: str, *, whole: bool) -> None:
        """Move the tallies of a contract by the difference; all its windows where something is new of itself."""
        with self._named(name):
            for figures in self._figures(name):
                key = (figures.reading, name)
                moved = {start: by for (*of, start), by in self._moved.items() if tuple(of) == key}
                figures.move(moved, whole=whole)
                figures.write_penalty()

    def _of_its_own(self, name: str) -> None:
        """What of a contract hangs on no incident: credits, connected systems, other services; its next change."""
        with self._named(name):
            for figures in self._figures(name):
                figures.write_credits(has_account=name in self.contracts_known.accounts)
                figures.write_systems()
                figures.write_commitments()
            at = self.contracts_known.changes_at(name)
        self.tables.remove(TIMERS, {"stream": f"contract-{name}"})
        if at is not None:
            self.tables.write(TIMERS, [(f"contract-{name}", at)])

    def _figures(self, name: str) -> list[ContractTallies]:
        return [ContractTallies(self.ledger.id, self.tables, told, name) for told in self.contracts_known.told]

    @contextmanager
    def _named(self, contract: str) -> Iterator[None]:
        """Raises Stopped, naming the last fact of a contract whose figures cannot be told."""
        try:
            yield
        except StoreError:
            raise
        except Exception as error:
            told = (*self.contracts_known.contracts.get(contract, ()), *self.contracts_known.accounts.get(contract, ()))
            position = max((entry.position for entry in told), default=self.position)
            because = f"contract {contract} cannot be counted ({type(error).__name__}: {error}); please report it"
            raise Stopped(position, because) from error


def _parts(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
