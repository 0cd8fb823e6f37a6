"""Live tables: at every moment what a rebuild would give, and what the pure fold over the facts says."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.messages import INCIDENT, contract_in_force, message, opening
from support.offices import Dump, Office, dump, office, ordered
from support.worlds import World, worlds

from adapters.inbox.handler import CommandHandler
from adapters.live_tables.rebuild import build
from adapters.live_tables.report_from_tables import from_live
from adapters.live_tables.schema import LEDGERS, PUBLIC
from adapters.reports.breach import CASES, WINDOWS, cases_of
from adapters.reports.commitments import COMMITMENTS, NumberedRow
from adapters.reports.compliance import INCIDENTS
from adapters.reports.credits import CREDITS
from adapters.reports.live_table import Values
from adapters.reports.penalty import PENALTIES
from adapters.reports.question import Question
from adapters.reports.queue import QUEUE
from adapters.reports.report import LIVE_TABLES, ReportName, make
from adapters.reports.systems import CONNECTED_SYSTEMS, EFFECTS
from adapters.store.ledger import Ledger
from domain.values import microseconds
from projections.breach import breach, by_window
from projections.commitments import commitment_rows
from projections.compliance import compliance
from projections.connected_systems import effects, systems
from projections.contracts_known import JudgedIncident
from projections.credit_balance import credit_balance
from projections.history import Entry, History
from projections.penalty import penalty
from projections.queue import queue
from projections.readings import LITERAL, Reading
from projections.replay import Replay
from projections.tally import WindowShare, share

OTHER = Reading.parse("unit=clock,population=handled,window=quarter,base=purchased_in_window,one_off=term,rate=words")
LATEST = Reading.parse("reassessment=latest")
STRICT = Reading.parse("one_sided=agreed,reassessment=latest,suspensions=counted,undisclosed=excluded")
MINUTE = 60_000_000


def folded(facts: Sequence[Entry], as_of: int, readings: tuple[Reading, ...]) -> Dump:
    """The public rows that the pure folds over some facts give."""
    history = History.of(facts)
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
            incident = replay.incident(row.incident)
            assert incident is not None
            window = windows.get(window_of.get(row.incident, ("", 0)))
            name, counted = row.incident, share(row, reading, window) if window else WindowShare()
            judged = JudgedIncident(incident.opened, row, window, counted, queued.get(name), affecting.get(name))
            found["incidents"].append(INCIDENTS.values("main", reading.name, judged))
            found["cases"] += [CASES.values("main", reading.name, case) for case in cases_of(judged)]
        found["commitments"] += [
            COMMITMENTS.values("main", reading.name, NumberedRow(number, row))
            for contract in replay.signed_contracts
            for number, row in enumerate(commitment_rows(contract, as_of), 1)
        ]
        found["connected_systems"] += [CONNECTED_SYSTEMS.values("main", reading.name, row) for row in systems(replay)]
        found["effects"] += [EFFECTS.values("main", reading.name, row) for row in affecting.values()]
        found["queue"] += [QUEUE.values("main", reading.name, row) for row in queued.values()]
        found["windows"] += [WINDOWS.values("main", reading.name, row) for row in ratios]
        found["penalties"] += [PENALTIES.values("main", reading.name, row) for row in penalty(replay, ratios)]
        found["credits"] += [CREDITS.values("main", reading.name, row) for row in credit_balance(replay)]
    return {name: ordered(rows) for name, rows in found.items()}


@dataclass
class Expected:
    """What live tables have to hold: every fact is read once, and folded anew for each position and instant."""

    ledger: Ledger
    readings: tuple[Reading, ...]
    facts: list[Entry] = field(default_factory=list)
    _known: tuple[tuple[int, int], Dump] = ((-1, -1), {})

    def at(self, position: int, as_of: int) -> Dump:
        """The public rows from the facts up to a position, as of an instant."""
        if self._known[0] != (position, as_of):
            self.facts += map(self.ledger.entry, self.ledger.page(len(self.facts), 100_000))
            self._known = (position, as_of), folded(self.facts[:position], as_of, self.readings)
        return self._known[1]


def public(dumped: Dump) -> Dump:
    return {name: rows for name, rows in dumped.items() if name not in ("timers", "days")}


def live_through(world: World, here: Office, readings: tuple[Reading, ...], page: int) -> None:
    """Record a world batch by batch, the projection running behind, and compare at every pause and in the end."""
    handler, projector = CommandHandler(here.ledger, here.clock), here.projector(readings, page)
    expected = Expected(here.ledger, readings)
    here.clock.now = world.batches[0][0][0].at
    projector.rebuild()
    for arrivals, pauses in world.batches:
        here.clock.now = max([here.clock.now, *(arrival.at for arrival in arrivals)])
        handler.handle([arrival.raw for arrival in arrivals])
        for minutes in pauses:
            here.clock.now += minutes * MINUTE
            projector.step()
            same_as_folded(here, expected)
    while projector.step():
        same_as_folded(here, expected)
    same_as_folded(here, expected)
    assert here.at.position == here.ledger.store.position()
    for _ in range(TIMERS):  # nothing more is recorded, and time alone changes what it means
        if (wakes_at := projector.wakes_at()) is None:
            break
        here.clock.now = max(here.clock.now, wakes_at)
        projector.step()
        same_as_folded(here, expected)
    answers_as_a_replay_does(here, readings)
    at = here.at
    build(here.ledger, here.reporting, readings, at.generation + 1, here.clock, position=at.position, as_of=at.as_of)
    assert dump(here.reporting.building) == dump(here.reporting.live)


def same_as_folded(here: Office, expected: Expected) -> None:
    at = here.at
    assert public(dump(here.reporting.live)) == expected.at(at.position, at.as_of)


def answers_as_a_replay_does(here: Office, readings: tuple[Reading, ...]) -> None:
    """Reports read from the live tables say what a replay says, until time alone changes a row."""
    change = here.projector(readings).wakes_at()
    first = here.at.as_of
    last = first + 30 * 24 * 60 * MINUTE if change is None else change - 1
    between = (first + last) // 2
    for as_of, contract in {(first, None), (between, None), (last, None), (between, "a")}:
        for reading in readings:
            asked = Question(reading, as_of, here.ledger.known_now(as_of), contract)
            for name in get_args(ReportName):
                live = from_live(name, here.ledger, here.reporting, asked)
                assert live is not None
                replayed = make(name, here.ledger, asked)
                assert live.rows == replayed.rows
                assert live.manifest == {**replayed.manifest, "made_from": LIVE_TABLES}
    if change is not None:
        asked = Question(readings[0], change, here.ledger.known_now(change))
        assert from_live("breach", here.ledger, here.reporting, asked) is None


WORLDS = int(os.environ.get("VERBALE_WORLDS", "12"))
"""How many worlds the first property tries; the others, which take longer for each, try fewer."""
TIMERS = 6
"""How many timers run out after everything is recorded."""
QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]


@pytest.mark.slow
@given(world=worlds(), page=st.sampled_from([1, 3, 1000]))
@settings(max_examples=WORLDS, suppress_health_check=QUIET)
def test_live_rows_are_the_rebuilt_rows_and_those_of_the_pure_fold(tmp_path: Path, world: World, page: int) -> None:
    with office("sqlite", tmp_path) as here:
        live_through(world, here, (LITERAL,), page)


@pytest.mark.slow
@given(world=worlds(most_incidents=4))
@settings(max_examples=max(1, WORLDS * 2 // 5), suppress_health_check=QUIET)
def test_two_more_readings_live_beside_the_literal_one(tmp_path: Path, world: World) -> None:
    with office("sqlite", tmp_path) as here:
        live_through(world, here, (LITERAL, OTHER, STRICT), 5)


@pytest.mark.integration
@pytest.mark.slow
@given(world=worlds(), page=st.sampled_from([1, 3, 1000]))
@settings(max_examples=max(1, WORLDS // 5), suppress_health_check=QUIET)
def test_so_are_those_of_postgresql(tmp_path: Path, world: World, page: int) -> None:
    with office("postgres", tmp_path) as here:
        live_through(world, here, (LITERAL, STRICT), page)


@pytest.mark.parametrize("readings", [(LITERAL, LATEST), (LATEST, LITERAL)])
def test_the_earliest_timer_under_any_reading_is_kept(tmp_path: Path, readings: tuple[Reading, ...]) -> None:
    with office("sqlite", tmp_path) as here:
        here.clock.now = microseconds(datetime(2026, 3, 2, 8, 10, tzinfo=UTC))
        projector = here.projector(readings)
        projector.rebuild()
        lowered = {"impact": "low", "urgency": "low"}
        reassessed = message("incident.reassess", f"incident-{INCIDENT}", "2026-03-02T08:10:00Z", lowered)
        here.tell(*contract_in_force(), opening(time="2026-03-02T08:00:00Z"), reassessed)
        projector.step()
        wakes_at = projector.wakes_at()
        # Just after the target of the first assessment, literally; under the other reading not before Tuesday.
        assert wakes_at == microseconds(datetime(2026, 3, 2, 10, 0, tzinfo=UTC)) + 1
