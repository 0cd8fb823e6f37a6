"""Live tables: at every moment what a rebuild would give, and what the pure fold over the facts says (design §7)."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from messages_examples import Clock, memory, stored
from servers import fresh_schema, owner, shared_server
from worlds import World, worlds

from adapters import tables
from adapters.desk import Desk
from adapters.ledger import Ledger
from adapters.postgres import postgres_place
from adapters.projector import Projector, build, current
from adapters.reporting import Reporting, TableSet
from adapters.reporting_postgres import PostgresReporting
from adapters.reporting_sqlite import SqliteReporting
from adapters.tables import CASES, CREDITS, INCIDENTS, PENALTIES, QUEUE, TABLES, WINDOWS, Values
from projections.breach import breach, by_window, share
from projections.compliance import compliance
from projections.credit_balance import credit_balance
from projections.engine import Standing
from projections.history import History, Telling
from projections.penalty import penalty
from projections.queue import queue
from projections.readings import LITERAL, Reading

OTHER = Reading.parse("unit=clock,population=handled,window=quarter,base=purchased_in_window,rate=words")
STRICT = Reading.parse("one_sided=agreed,reassessment=latest,suspensions=counted")
MINUTE = 60_000_000

Dump = dict[str, list[list[Any]]]


def dump(of: TableSet) -> Dump:
    """Every row of every table that facts and time alone determine."""
    return {
        table.name: sorted(([_plain(value) for value in row] for row in of.read(table)), key=repr)
        for table in TABLES
        if table.name != "ledgers"
    }


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def told_purely(ledger: Ledger, position: int, as_of: int, readings: tuple[Reading, ...]) -> Dump:
    """The public rows as the pure folds over the first facts say, written by nobody."""
    history = History.of(entry for entry in ledger.entries() if entry.position <= position)
    found: dict[str, list[Values]] = {
        table.name: [] for table in (INCIDENTS, CASES, WINDOWS, PENALTIES, CREDITS, QUEUE)
    }
    for reading in readings:
        telling = Telling(history, reading, as_of)
        rows = compliance(telling)
        inside = by_window(telling, rows)
        window_of = {row.incident: key for key, some in inside.items() for row in some}
        queued = {row.incident: row for row in queue(telling, rows)}
        ratios = breach(telling, rows)
        windows = {(row.contract, row.window.start): row.window for row in ratios}
        for row in rows:
            told = telling.incident(row.incident)
            assert told is not None
            window = windows.get(window_of.get(row.incident, ("", 0)))
            standing = Standing(told.opened, row, window, share(row, reading), queued.get(row.incident))
            found["incidents"].append(tables.incident_values("main", reading.name, standing))
            if window is not None and row.contract is not None:
                found["cases"] += tables.case_values(
                    "main", reading.name, row.contract, window.start, standing.share.cases
                )
        found["queue"] += [tables.queue_values("main", reading.name, row) for row in queued.values()]
        found["windows"] += [tables.window_values("main", reading.name, row) for row in ratios]
        found["penalties"] += [tables.penalty_values("main", reading.name, row) for row in penalty(telling, ratios)]
        found["credits"] += [tables.credit_values("main", reading.name, row) for row in credit_balance(telling)]
    return {name: sorted(([_plain(value) for value in row] for row in rows), key=repr) for name, rows in found.items()}


def public(dumped: Dump) -> Dump:
    return {name: rows for name, rows in dumped.items() if name not in ("alarms", "days")}


@contextmanager
def office(kind: str, folder: Path) -> Iterator[tuple[Ledger, Reporting, Clock]]:
    """A ledger, the place of its reporting tables, and the clock of both; nothing is recorded yet."""
    clock = Clock()
    with ExitStack() as stack:
        if kind == "sqlite":
            ledger = stack.enter_context(memory(clock))
            reporting: Reporting = SqliteReporting(folder / f"{uuid4().hex}.db", create=True)
        else:
            url = stack.enter_context(fresh_schema(shared_server()))
            ledger = stack.enter_context(stored(url, clock))
            reporting = PostgresReporting(postgres_place(url), create=True)
            stack.callback(drop_unfinished, url, reporting.schema)
        stack.callback(reporting.close)
        yield ledger, reporting, clock


def drop_unfinished(url: str, schema: str) -> None:
    with owner(url) as connection:
        connection.execute(f"SET client_min_messages = error; DROP SCHEMA IF EXISTS {schema}_next CASCADE".encode())


def live_through(
    world: World, ledger: Ledger, reporting: Reporting, clock: Clock, readings: tuple[Reading, ...], page: int
) -> None:
    """Record a world batch by batch, the projection running behind, and compare at every pause and in the end."""
    desk = Desk(ledger, clock)
    projector = Projector(ledger, reporting, clock, readings, page)
    clock.now = world.batches[0][0][0].at if world.batches[0][0] else clock.now
    projector.rebuild()
    for arrivals, pauses in world.batches:
        for arrival in arrivals:
            clock.now = max(clock.now, arrival.at)
        desk.handle([arrival.raw for arrival in arrivals])
        for minutes in pauses:
            clock.now += minutes * MINUTE
            projector.step()
            same_as_told(ledger, reporting, readings)
    while projector.step():
        same_as_told(ledger, reporting, readings)
    same_as_told(ledger, reporting, readings)
    at = current(reporting.live)
    assert at is not None
    assert at.position == ledger.store.position()
    build(ledger, reporting, readings, at.generation + 1, clock, position=at.position, as_of=at.as_of)
    assert dump(reporting.building) == dump(reporting.live)


def same_as_told(ledger: Ledger, reporting: Reporting, readings: tuple[Reading, ...]) -> None:
    at = current(reporting.live)
    assert at is not None
    assert public(dump(reporting.live)) == told_purely(ledger, at.position, at.as_of, readings)


QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]


@given(world=worlds(), page=st.sampled_from([1, 3, 1000]))
@settings(max_examples=100, suppress_health_check=QUIET)
def test_live_rows_are_the_rebuilt_rows_and_those_of_the_pure_fold(tmp_path: Path, world: World, page: int) -> None:
    with office("sqlite", tmp_path) as (ledger, reporting, clock):
        live_through(world, ledger, reporting, clock, (LITERAL,), page)


@given(world=worlds(most_incidents=4))
@settings(max_examples=40, suppress_health_check=QUIET)
def test_two_more_readings_live_beside_the_literal_one(tmp_path: Path, world: World) -> None:
    with office("sqlite", tmp_path) as (ledger, reporting, clock):
        live_through(world, ledger, reporting, clock, (LITERAL, OTHER, STRICT), 5)


@given(world=worlds(), page=st.sampled_from([1, 3, 1000]))
@settings(max_examples=20, suppress_health_check=QUIET)
def test_so_are_those_of_postgresql(tmp_path: Path, world: World, page: int) -> None:
    with office("postgres", tmp_path) as (ledger, reporting, clock):
        live_through(world, ledger, reporting, clock, (LITERAL, STRICT), page)
