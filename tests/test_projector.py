"""Live tables: at every moment what a rebuild would give, and what the pure fold over the facts says (design §7)."""

from pathlib import Path
from typing import get_args

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.offices import Dump, Office, dump, office, ordered
from support.worlds import World, worlds

from adapters.inbox.handler import CommandHandler
from adapters.live_tables.answer import from_live
from adapters.live_tables.projector import build
from adapters.live_tables.schema import LEDGERS, PUBLIC
from adapters.reports.breach import CASES, WINDOWS, cases_of
from adapters.reports.commitments import COMMITMENTS, NumberedRow
from adapters.reports.compliance import INCIDENTS
from adapters.reports.credits import CREDITS
from adapters.reports.penalty import PENALTIES
from adapters.reports.question import Question
from adapters.reports.queue import QUEUE
from adapters.reports.report import LIVE_TABLES, ReportName, make
from adapters.reports.systems import CONNECTED_SYSTEMS, EFFECTS
from adapters.reports.table import Values
from adapters.store.ledger import Ledger
from projections.affected import JudgedIncident
from projections.as_of import Replay
from projections.breach import breach, by_window, share
from projections.commitments import commitment_rows
from projections.compliance import compliance
from projections.connected_systems import effects, systems
from projections.credit_balance import credit_balance
from projections.history import History
from projections.penalty import penalty
from projections.queue import queue
from projections.readings import LITERAL, Reading

OTHER = Reading.parse("unit=clock,population=handled,window=quarter,base=purchased_in_window,rate=words")
STRICT = Reading.parse("one_sided=agreed,reassessment=latest,suspensions=counted,undisclosed=excluded")
MINUTE = 60_000_000


def told_purely(ledger: Ledger, position: int, as_of: int, readings: tuple[Reading, ...]) -> Dump:
    """The public rows as the pure folds over the first facts say, written by nobody."""
    history = History.of(entry for entry in ledger.entries() if entry.position <= position)
    found: dict[str, list[Values]] = {table.name: [] for table in PUBLIC if table is not LEDGERS}
    for reading in readings:
        replay = Replay(history, reading, as_of)
        rows = compliance(replay)
        inside = by_window(replay, rows)
        window_of = {row.incident: key for key, some in inside.items() for row in some}
        queued = {row.incident: row for row in queue(replay, rows)}
        affecting = {row.incident: row for row in effects(replay, rows)}
        ratios = breach(replay, rows)
        windows = {(row.contract, row.window.start): row.window for row in ratios}
        for row in rows:
            told = replay.incident(row.incident)
            assert told is not None
            window = windows.get(window_of.get(row.incident, ("", 0)))
            name, counted = row.incident, share(row, reading)
            standing = JudgedIncident(told.opened, row, window, counted, queued.get(name), affecting.get(name))
            found["incidents"].append(INCIDENTS.values("main", reading.name, standing))
            found["cases"] += [CASES.values("main", reading.name, case) for case in cases_of(standing)]
        found["commitments"] += [
            COMMITMENTS.values("main", reading.name, NumberedRow(number, row))
            for told_contract in replay.signed_contracts
            for number, row in enumerate(commitment_rows(told_contract, as_of), 1)
        ]
        found["connected_systems"] += [CONNECTED_SYSTEMS.values("main", reading.name, row) for row in systems(replay)]
        found["effects"] += [EFFECTS.values("main", reading.name, row) for row in affecting.values()]
        found["queue"] += [QUEUE.values("main", reading.name, row) for row in queued.values()]
        found["windows"] += [WINDOWS.values("main", reading.name, row) for row in ratios]
        found["penalties"] += [PENALTIES.values("main", reading.name, row) for row in penalty(replay, ratios)]
        found["credits"] += [CREDITS.values("main", reading.name, row) for row in credit_balance(replay)]
    return {name: ordered(rows) for name, rows in found.items()}


def public(dumped: Dump) -> Dump:
    return {name: rows for name, rows in dumped.items() if name not in ("timers", "days")}


def live_through(world: World, here: Office, readings: tuple[Reading, ...], page: int) -> None:
    """Record a world batch by batch, the projection running behind, and compare at every pause and in the end."""
    desk, projector = CommandHandler(here.ledger, here.clock), here.projector(readings, page)
    here.clock.now = world.batches[0][0][0].at
    projector.rebuild()
    for arrivals, pauses in world.batches:
        here.clock.now = max([here.clock.now, *(arrival.at for arrival in arrivals)])
        desk.handle([arrival.raw for arrival in arrivals])
        for minutes in pauses:
            here.clock.now += minutes * MINUTE
            projector.step()
            same_as_told(here, readings)
    while projector.step():
        same_as_told(here, readings)
    same_as_told(here, readings)
    assert here.at.position == here.ledger.store.position()
    answers_as_a_replay_does(here, readings)
    at = here.at
    build(here.ledger, here.reporting, readings, at.generation + 1, here.clock, position=at.position, as_of=at.as_of)
    assert dump(here.reporting.building) == dump(here.reporting.live)


def same_as_told(here: Office, readings: tuple[Reading, ...]) -> None:
    at = here.at
    assert public(dump(here.reporting.live)) == told_purely(here.ledger, at.position, at.as_of, readings)


def answers_as_a_replay_does(here: Office, readings: tuple[Reading, ...]) -> None:
    """Reports read from the live tables say what a replay says, until time alone changes a row."""
    change = here.projector(readings).wakes_at()
    last = here.at.as_of + 30 * 24 * 60 * MINUTE if change is None else change - 1
    for as_of in {here.at.as_of, (here.at.as_of + last) // 2, last}:
        for reading in readings:
            for contract in (None, "a"):
                asked = Question(reading, as_of, max(as_of, here.ledger.store.recorded_until()), contract)
                for name in get_args(ReportName):
                    live = from_live(name, here.ledger, here.reporting, asked)
                    assert live is not None
                    replayed = make(name, here.ledger, asked)
                    assert live.rows == replayed.rows
                    assert live.manifest == {**replayed.manifest, "made_from": LIVE_TABLES}
    if change is not None:
        asked = Question(readings[0], change, max(change, here.ledger.store.recorded_until()))
        assert from_live("breach", here.ledger, here.reporting, asked) is None


QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]


@given(world=worlds(), page=st.sampled_from([1, 3, 1000]))
@settings(max_examples=100, suppress_health_check=QUIET)
def test_live_rows_are_the_rebuilt_rows_and_those_of_the_pure_fold(tmp_path: Path, world: World, page: int) -> None:
    with office("sqlite", tmp_path) as here:
        live_through(world, here, (LITERAL,), page)


@given(world=worlds(most_incidents=4))
@settings(max_examples=40, suppress_health_check=QUIET)
def test_two_more_readings_live_beside_the_literal_one(tmp_path: Path, world: World) -> None:
    with office("sqlite", tmp_path) as here:
        live_through(world, here, (LITERAL, OTHER, STRICT), 5)


@given(world=worlds(), page=st.sampled_from([1, 3, 1000]))
@settings(max_examples=20, suppress_health_check=QUIET)
def test_so_are_those_of_postgresql(tmp_path: Path, world: World, page: int) -> None:
    with office("postgres", tmp_path) as here:
        live_through(world, here, (LITERAL, STRICT), page)
