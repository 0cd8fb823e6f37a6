"""Live tables on both stores: current after a step, built anew beside the live ones, stopped by what cannot be read."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from support.messages import CONTRACT, INCIDENT, NOON, buy, change, charge, contract_in_force, message, opening, rows
from support.offices import KINDS, Office, dump, office
from support.servers import owner

from adapters.diagnosis import remarks
from adapters.live_tables import checkpoint as checkpoints
from adapters.live_tables import rebuild as rebuilding
from adapters.live_tables.checkpoint import checkpoint
from adapters.live_tables.errors import BeingBuilt, ForeignTables, NoTables, OutdatedTables, Stopped
from adapters.live_tables.incident_rows import Rows
from adapters.live_tables.postgres import PostgresReporting
from adapters.live_tables.projector import Projector
from adapters.live_tables.rebuild import build
from adapters.live_tables.report_from_tables import from_live
from adapters.live_tables.reporting import NEXT, Reporting
from adapters.live_tables.schema import BUILDER, LEDGERS, PUBLIC, TABLES
from adapters.live_tables.sqlite import SqliteReporting
from adapters.live_tables.step import Step
from adapters.reports.breach import CASES, WINDOWS
from adapters.reports.breach import row_of as window_of
from adapters.reports.columns import ColumnKind
from adapters.reports.compliance import INCIDENTS
from adapters.reports.credits import CREDITS
from adapters.reports.penalty import PENALTIES
from adapters.reports.question import Question
from adapters.reports.queue import QUEUE
from adapters.reports.report import make
from adapters.store.errors import NewerStore, StoreError
from adapters.store.postgres_url import postgres_location
from domain.values import read_instant
from projections import RULES_VERSION
from projections.contracts_known import ContractsUnder
from projections.readings import LITERAL, Reading
from projections.tolerance import Passing

MINUTE = 60_000_000
HOUR = 60 * MINUTE


@pytest.fixture(params=KINDS)
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """An office at noon of 2 November 2026, with a contract in force and one request open since 08:00 UTC."""
    with office(request.param, tmp_path) as found:
        found.tell(*contract_in_force(customers=["acme"]), opening(time="2026-11-02T08:00:00Z"))
        found.projector().rebuild()
        yield found


def incident(here: Office, name: str = INCIDENT) -> dict[str, Any]:
    (row,) = here.reporting.live.read(INCIDENTS, {"incident": name})
    return dict(zip((column.name for column in INCIDENTS.written), row, strict=True))


def catch_up(here: Office, page: int = 5000) -> None:
    projector = here.projector(page=page)
    while projector.step():
        pass


# --- what a step does -------------------------------------------------------------------------------------------


def test_a_new_fact_is_in_the_tables_after_a_step(here: Office) -> None:
    assert incident(here)["charge_verdict"] == "breached"
    here.tell(charge(time="2026-11-02T08:30:00Z"))
    assert here.projector().behind() == 1
    assert not here.projector().step()
    row = incident(here)
    assert (row["charge_verdict"], row["charge_net_us"], row["charge_state"]) == ("met", 30 * MINUTE, "ended")
    assert (here.at.position, here.projector().behind()) == (6, 0)


def test_time_alone_changes_rows_at_their_changes_at(here: Office) -> None:
    due = read_instant("2026-11-02T16:00:00Z")
    assert incident(here)["intervention_verdict"] == "running"
    (window,) = here.reporting.live.read(WINDOWS)
    assert (
        incident(here)["changes_at"]
        == window[-1]
        == here.projector().wakes_at()
        == read_instant("2026-11-02T16:00:00.000001Z")
    )
    here.clock.now = due
    here.projector().step()
    assert incident(here)["intervention_verdict"] == "running"
    here.clock.now = read_instant("2026-11-02T16:00:00.000001Z")
    here.projector().step()
    assert incident(here)["intervention_verdict"] == "breached"


def used_for(request: str, work: str, account: str = CONTRACT) -> bytes:
    said = {"work": work, "incident": request, "minutes": 60}
    return message("credits.consume", f"credits-{account}", "2026-11-02T10:00:00Z", said)


def told_of_credits(here: Office) -> dict[str, list[str]]:
    """The findings on the work of each account: their texts, by contract."""
    found = {row["contract"]: row["findings"] for row in here.reporting.live.rows(CREDITS)}
    texts = {
        contract: [finding["text"] for finding in findings if finding["code"] != "one_sided"]
        for contract, findings in found.items()
    }
    return {contract: some for contract, some in texts.items() if some}


def test_minutes_of_one_contract_for_the_requests_of_another_are_told_and_so_are_those_for_unknown_ones(
    here: Office,
) -> None:
    beta = contract_in_force("beta-2026", customers=["beta"])
    here.tell(*beta, opening("X2", "2026-11-02T09:00:00Z", contract=None, customer="beta"))
    here.tell(used_for("X2", "W1"), used_for("NOSUCH", "W2"), used_for(INCIDENT, "W3"))
    catch_up(here)
    unknown, of_another = "60 min for NOSUCH, which nobody opened", "60 min for X2, which comes under beta-2026"
    assert told_of_credits(here) == {CONTRACT: [unknown, of_another]}
    wrong = [remark.wrong for remark in remarks(here.ledger, here.reporting, here.clock.now)]
    assert f"credits of {CONTRACT}: {unknown} (consumed_for_unknown_request, G2)" in wrong


def test_a_request_that_appears_or_moves_has_the_credits_used_for_it_written_again(here: Office) -> None:
    here.tell(*contract_in_force("beta-2026", customers=["beta"]), used_for("X2", "W1"))
    catch_up(here)
    assert told_of_credits(here) == {CONTRACT: ["60 min for X2, which nobody opened"]}
    here.tell(opening("X2", "2026-11-02T09:00:00Z", contract=None, customer="beta"))
    catch_up(here)
    assert told_of_credits(here) == {CONTRACT: ["60 min for X2, which comes under beta-2026"]}
    right = {"version": 1, "field": "customer", "value": "acme", "why": "a slip"}
    here.tell(message("record.rectify", "incident-X2", "2026-11-02T11:00:00Z", right))
    catch_up(here)
    assert told_of_credits(here) == {}
    # A request that the contract routes no longer moves too, though nothing is recorded of it.
    gone = {"version": 1, "field": "customers", "value": ["delta"], "why": "a slip"}
    here.tell(message("record.rectify", f"contract-{CONTRACT}", "2026-11-02T11:00:00Z", gone))
    catch_up(here)
    assert told_of_credits(here) == {CONTRACT: ["60 min for X2, which comes under no contract"]}


def test_work_rectified_to_another_request_follows_that_one(here: Office) -> None:
    here.tell(used_for(INCIDENT, "W1"))
    right = {"version": 2, "field": "incident", "value": "X2", "why": "a slip"}
    here.tell(message("record.rectify", f"credits-{CONTRACT}", "2026-11-02T11:00:00Z", right))
    catch_up(here)
    assert told_of_credits(here) == {CONTRACT: ["60 min for X2, which nobody opened"]}
    here.tell(opening("X2", "2026-11-02T09:00:00Z"))
    catch_up(here)
    assert told_of_credits(here) == {}


def test_a_request_that_leaves_its_contract_is_named_by_the_ratio_that_it_leaves(here: Office) -> None:
    moved = {"version": 1, "field": "contract", "value": "nobody", "why": "a slip"}
    here.tell(message("record.rectify", f"incident-{INCIDENT}", "2026-11-02T11:00:00Z", moved))
    catch_up(here)
    asked = Question(LITERAL, here.at.as_of, here.ledger.known_now(here.at.as_of))
    live, replayed = from_live("breach", here.ledger, here.reporting, asked), make("breach", here.ledger, asked)
    assert live is not None
    assert [row["evidence"]["left"] for row in replayed.rows] == [[INCIDENT]]
    assert live.rows == replayed.rows


def test_a_fact_dated_a_little_ahead_is_told_when_its_time_comes(here: Office) -> None:
    ahead = read_instant(NOON) + 3 * MINUTE
    here.tell(buy(package="B", time="2026-11-02T12:03:00Z"), opening("INC2", time="2026-11-02T12:03:00Z"))
    catch_up(here)

    def shown() -> tuple[int, list[str]]:
        (credits,) = here.reporting.live.read(CREDITS)
        return credits[3], sorted(here.reporting.live.values(INCIDENTS, "incident"))

    assert shown() == (600, [INCIDENT])
    assert here.projector().wakes_at() == ahead
    here.clock.now = ahead
    here.projector().step()
    assert shown() == (1200, [INCIDENT, "INC2"])


def rectify(incident: str, version: int, field: str, value: object) -> bytes:
    """A correction of a fact of an incident, made at noon."""
    data = {"version": version, "field": field, "value": value, "why": "a slip"}
    return message("record.rectify", f"incident-{incident}", NOON, data)


def test_an_opening_rectified_to_a_little_ahead_is_out_of_the_tables_until_then(here: Office) -> None:
    here.tell(rectify(INCIDENT, 1, "at", "2026-11-02T12:03:00Z"))
    catch_up(here)
    for table in (INCIDENTS, QUEUE, CASES):
        assert here.reporting.live.count(table) == 0
    same_as_built(here)
    here.clock.now += 3 * MINUTE
    catch_up(here)
    assert incident(here)["opened_at"] == here.clock.now
    same_as_built(here)


def test_a_case_that_becomes_the_supplier_s_breach_weeks_later_counts_on_both_days(here: Office) -> None:
    """Late in taking charge by the customer's fault, then suspended, then late in intervening by the supplier's."""
    stream = f"incident-{INCIDENT}"
    blame = {"party": "customer", "clock": "charge", "why": "the line was engaged"}
    here.tell(message("incident.attribute_responsibility", stream, NOON, blame))
    here.tell(message("incident.suspend", stream, NOON, {"cause": "customer"}))
    catch_up(here)
    here.clock.now = read_instant("2026-11-25T12:00:00Z")
    here.tell(message("incident.resume", stream, "2026-11-23T08:00:00Z"))
    catch_up(here)
    (window,) = map(window_of, here.reporting.live.rows(WINDOWS))
    assert (window.cases, window.breaches) == (1, 1)
    assert window.passing == Passing(read_instant("2026-11-23T12:00:00.000001Z"), INCIDENT)
    same_as_built(here)


def test_a_step_with_nothing_new_writes_nothing(here: Office) -> None:
    before = here.at
    here.clock.now += MINUTE
    assert not here.projector().step()
    assert here.at == before


def test_a_contract_signed_after_its_requests_takes_them(here: Office) -> None:
    here.tell(opening("NAMES", contract="late", time="2026-11-02T09:00:00Z"))
    here.tell(opening("KEY", contract=None, customer="late", time="2026-11-02T09:00:00Z"))
    catch_up(here)
    assert [incident(here, name)["coverage_reason"] for name in ("NAMES", "KEY")] == ["no_contract"] * 2
    here.tell(*contract_in_force("late", customers=["late"]))
    catch_up(here)
    assert [incident(here, name)["coverage"] for name in ("NAMES", "KEY")] == ["guaranteed"] * 2
    assert set(here.reporting.live.values(WINDOWS, "contract")) == {CONTRACT, "late"}


def test_a_system_changes_hands_with_what_contracts_declare(here: Office) -> None:
    """Declared by one contract, by both, and told to have been another system's name all along."""

    def routed(command: str, contract: str, data: dict[str, Any]) -> tuple[str | None, str | None]:
        here.tell(message(command, f"contract-{contract}", NOON, data))
        catch_up(here)
        same_as_built(here)
        return incident(here, "ERP")["contract"], incident(here, "CRM")["contract"]

    for name in ("erp", "crm"):
        here.tell(opening(name.upper(), contract=None, system=name, time="2026-11-02T12:00:00Z"))
    here.tell(*contract_in_force("late"))
    catch_up(here)
    declare, withdraw = "contract.declare_connected_system", "contract.withdraw_connected_system"
    assert routed(declare, "late", {"system": "erp"}) == ("late", None)
    assert routed(declare, CONTRACT, {"system": "erp"}) == (None, None)
    renamed = {"version": 4, "field": "system", "value": "crm", "why": "a slip"}
    assert routed("record.rectify", CONTRACT, renamed) == ("late", CONTRACT)
    assert routed(withdraw, "late", {"system": "erp"}) == (None, CONTRACT)


def test_why_a_request_leads_nowhere_changes_with_the_contracts(here: Office) -> None:
    here.tell(opening("EARLY", contract=None, customer="acme", time="2025-01-02T09:00:00Z"))
    catch_up(here)
    assert "in force then" in str(incident(here, "EARLY")["findings"])
    struck = {"version": 1, "field": "customers", "value": [], "why": "a slip"}
    here.tell(message("record.rectify", f"contract-{CONTRACT}", NOON, struck))
    catch_up(here)
    assert "whom no contract lists" in str(incident(here, "EARLY")["findings"])
    same_as_built(here)


def test_credits_bought_late_touch_only_the_requests_opened_without(
    here: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.tell(opening("BEFORE", time="2026-01-02T08:30:00Z"), opening("AFTER", time="2026-01-02T09:30:00Z"))
    catch_up(here)
    judged: list[str] = []
    standings = ContractsUnder.judged

    def watched(under: ContractsUnder, incidents: Any) -> Any:
        judged.extend(incidents)
        return standings(under, incidents)

    monkeypatch.setattr(ContractsUnder, "judged", watched)
    here.tell(buy(package="EARLY", time="2026-01-02T08:00:00Z"))
    catch_up(here)
    assert judged == ["BEFORE"]
    assert incident(here, "BEFORE")["coverage"] == "guaranteed"


@pytest.mark.parametrize("hour", [pytest.param(7, id="within its tolerance"), pytest.param(16, id="beyond it")])
def test_one_more_fact_reads_no_more_of_a_contract_that_has_more(
    here: Office, monkeypatch: pytest.MonkeyPatch, hour: int
) -> None:
    """Not the statements; nor the rows they give, but for the days of a window whose tolerance is passed."""
    run, many = type(here.reporting).run, 0
    given: list[int] = []

    def counted(reporting: Reporting, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        found = run(reporting, sql, parameters)
        given.append(len(found))
        return found

    costs = []
    for size, monday in ((30, "2026-10-05"), (240, "2026-10-12")):
        for number in range(many, size):
            name, day = f"M{number}", date(2026, 2, 2) + timedelta(days=number)
            here.tell(
                opening(name, time=f"{day}T06:00:00Z"),
                message("incident.resolve", f"incident-{name}", f"{day}T{hour:02}:00:00Z"),
            )
        many = size
        here.tell(opening(f"NEW{size}", time=f"{monday}T08:00:00Z"))
        catch_up(here)
        here.tell(charge(f"NEW{size}", time=f"{monday}T08:10:00Z"))
        with monkeypatch.context() as patched:
            patched.setattr(type(here.reporting), "run", counted)
            given.clear()
            here.projector().step()
            costs.append((len(given), sum(given)))
    (window,) = here.reporting.live.rows(WINDOWS)
    assert window_of(window).passed == (hour == 16)
    assert costs[0][0] == costs[1][0]
    assert costs[1][1] - costs[0][1] <= (240 if hour == 16 else 0)


def instructions(reporting: SqliteReporting, work: Callable[[], object]) -> int:
    """How many instructions SQLite's own machine runs for some work."""
    ticks = count()

    def tick() -> int:
        next(ticks)
        return 0

    reporting._connection.set_progress_handler(tick, 1)
    work()
    reporting._connection.set_progress_handler(None, 0)
    return next(ticks)


def test_one_more_fact_takes_sqlite_no_more_work_in_a_contract_that_has_more(tmp_path: Path) -> None:
    """What a query walks over counts, not only what it gives."""
    with office("sqlite", tmp_path) as here:
        here.tell(*contract_in_force())
        here.projector().rebuild()
        assert isinstance(here.reporting, SqliteReporting)
        many, costs = 0, []
        for size, monday in ((30, "2026-10-05"), (600, "2026-10-12")):
            for number in range(many, size):
                name, day = f"M{number}", date(2026, 2, 2) + timedelta(days=number % 200)
                here.tell(
                    opening(name, time=f"{day}T06:00:00Z"),
                    message("incident.resolve", f"incident-{name}", f"{day}T07:00:00Z"),
                )
            many = size
            here.tell(opening(f"NEW{size}", time=f"{monday}T08:00:00Z"))
            catch_up(here)
            here.tell(charge(f"NEW{size}", time=f"{monday}T08:10:00Z"))
            costs.append(instructions(here.reporting, here.projector().step))
        assert 0 < costs[1] < 1.2 * costs[0]


def test_facts_come_in_pages(here: Office) -> None:
    here.tell(*(opening(f"P{number}", time="2026-11-02T09:00:00Z") for number in range(7)))
    projector = here.projector(page=3)
    assert [projector.step() for _ in range(3)] == [True, True, False]


def test_two_projectors_of_the_same_tables_do_no_harm(here: Office) -> None:
    other = here.another()
    first = here.projector(page=2)
    second = Projector(here.ledger, other, here.clock, page=3)
    for number in range(12):
        here.tell(opening(f"T{number}", time="2026-11-02T09:00:00Z"), charge(f"T{number}", time="2026-11-02T11:30:00Z"))
        (first, second)[number % 2].step()
    while first.step() or second.step():
        pass
    other.close()
    same_as_built(here)


def same_as_built(here: Office) -> None:
    """The live tables are what building them anew gives."""
    at = here.at
    assert at.position == here.ledger.store.position()
    build(here.ledger, here.reporting, (LITERAL,), 99, here.clock, position=at.position, as_of=at.as_of)
    assert dump(here.reporting.building) == dump(here.reporting.live)


# --- what cannot be projected -----------------------------------------------------------------------------------


def spoil(here: Office, position: int, state: str) -> str:
    """Put something else in the place of a fact, past every guard; what was there."""
    key = "rowid" if isinstance(here.place, Path) else "notification_id"
    cast = "CAST(state AS TEXT)" if isinstance(here.place, Path) else "convert_from(state, 'UTF8')"
    ((was,),) = rows(here.place, f"SELECT {cast} FROM stored_events WHERE {key} = {position}")
    literal = f"CAST('{state}' AS BLOB)" if isinstance(here.place, Path) else f"convert_to('{state}', 'UTF8')"
    if isinstance(here.place, Path):
        change(here.place, "DROP TRIGGER IF EXISTS stored_events_UPDATE_refused")
    else:
        change(here.place, "ALTER TABLE stored_events DISABLE TRIGGER USER")
    change(here.place, f"UPDATE stored_events SET state = {literal} WHERE {key} = {position}")
    return str(was)


def test_a_fact_that_cannot_be_read_stops_the_projection_at_its_position(here: Office) -> None:
    here.tell(opening("GOOD", time="2026-11-02T09:00:00Z"), opening("BAD", time="2026-11-02T09:00:00Z"))
    here.tell(opening("AFTER", time="2026-11-02T09:00:00Z"))
    was = spoil(here, 7, "{}")
    with pytest.raises(Stopped, match="position 7") as stopped:
        here.projector().step()
    assert stopped.value.position == 7
    assert here.reporting.live.values(INCIDENTS, "incident", {"incident": ["GOOD", "BAD", "AFTER"]}) == ["GOOD"]
    assert (here.at.position, here.at.stopped_at) == (6, 7)
    with pytest.raises(Stopped):
        here.projector().step()
    with pytest.raises(StoreError, match="position 7"):
        here.projector().rebuild()
    assert (here.at.position, here.at.generation) == (6, 1)
    spoil(here, 7, was)
    assert not here.projector().step()
    assert (here.at.position, here.at.stopped_at, here.at.stopped_because) == (8, None, None)
    same_as_built(here)


def test_an_incident_that_cannot_be_judged_stops_the_projection_and_is_named(
    here: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.tell(opening("GOOD", time="2026-11-02T09:00:00Z"), opening("BAD", time="2026-11-02T09:00:00Z"))
    standings = ContractsUnder.judged

    def fails(under: ContractsUnder, incidents: Any) -> Any:
        if "BAD" in incidents:
            raise ArithmeticError("no such sum")
        return standings(under, incidents)

    with monkeypatch.context() as patched:
        patched.setattr(ContractsUnder, "judged", fails)
        with pytest.raises(Stopped, match=r"incident-BAD cannot be judged .*no such sum") as stopped:
            here.projector().step()
        assert stopped.value.position == 7
        assert (here.at.position, here.at.stopped_at) == (6, 7)
        assert here.reporting.live.values(INCIDENTS, "incident", {"incident": ["GOOD", "BAD"]}) == ["GOOD"]
    assert not here.projector().step()
    assert (here.at.position, here.at.stopped_at) == (7, None)


@pytest.mark.parametrize("step", ["_judge", "_figures", "sign"])
def test_a_step_that_fails_half_way_leaves_the_tables_as_they_were(
    here: Office, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    here.tell(charge(time="2026-11-02T08:30:00Z"), buy(package="B", time="2026-11-02T09:00:00Z"))
    before = dump(here.reporting.live)
    projector = here.projector()
    whole = getattr(Step, step)

    def fails(work: Step, *arguments: Any) -> None:
        whole(work, *arguments)
        raise StoreError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(Step, step, fails)
        with pytest.raises(StoreError, match="the disk is full"):
            projector.step()
    assert dump(here.reporting.live) == before
    assert not projector.step()
    same_as_built(here)


# --- building anew ----------------------------------------------------------------------------------------------


def test_a_rebuild_gives_the_same_rows_in_a_new_generation(here: Office) -> None:
    here.tell(charge(time="2026-11-02T08:30:00Z"))
    catch_up(here)
    before, at = dump(here.reporting.live), here.at
    assert here.projector().rebuild() is None
    assert dump(here.reporting.live) == before
    assert (here.at.generation, here.at.position) == (at.generation + 1, at.position)


def test_a_rebuild_that_was_interrupted_is_discarded_whole_by_the_next(
    here: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.tell(*(opening(f"R{number}", time="2026-11-02T09:00:00Z") for number in range(9)))
    catch_up(here)
    before, at = dump(here.reporting.live), here.at
    monkeypatch.setattr(rebuilding, "STREAMS_AT_ONCE", 4)
    begin, begun = Step.begin, []

    def killed(work: Step, some: Rows) -> None:
        begin(work, some)
        begun.append(some)
        if len(begun) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Step, "begin", killed)
        with pytest.raises(KeyboardInterrupt):
            here.projector().rebuild()
    assert here.reporting.building.count(INCIDENTS) == 4
    assert (dump(here.reporting.live), here.at) == (before, at)
    here.projector().rebuild()
    assert dump(here.reporting.live) == before


@pytest.mark.slow
def test_a_rebuild_by_several_processes_is_that_by_one(here: Office) -> None:
    here.tell(opening("NAMES", contract="late", time="2026-11-02T09:00:00Z"))
    here.tell(*(opening(f"R{number}", time="2026-11-02T09:00:00Z") for number in range(40)))
    here.tell(*(charge(f"R{number}", time="2026-11-02T11:30:00Z") for number in range(0, 40, 3)))
    catch_up(here)
    at, readings = here.at, (LITERAL, Reading.parse("unit=clock,window=quarter"))
    made = []
    for processes in (1, 2):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(rebuilding, "STREAMS_AT_ONCE", 7)
            build(
                here.ledger, here.reporting, readings, 9, here.clock,
                position=at.position, as_of=at.as_of, processes=processes,
            )  # fmt: skip
        made.append(dump(here.reporting.building))
    assert made[0] == made[1]
    assert len(made[0]["incidents"]) == 2 * 42


@pytest.mark.slow
def test_a_fact_that_one_of_several_processes_cannot_read_stops_the_rebuild_with_its_position(here: Office) -> None:
    here.tell(*(opening(f"R{number}", time="2026-11-02T09:00:00Z") for number in range(9)))
    spoil(here, 9, "{}")
    with pytest.raises(Stopped, match="position 9") as stopped:
        build(here.ledger, here.reporting, (LITERAL,), 9, here.clock, processes=2)
    assert stopped.value.position == 9


def test_facts_recorded_during_a_rebuild_are_in_it(here: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = Step.begin

    def meanwhile(work: Step, some: Rows) -> None:
        begin(work, some)
        if not here.reporting.live.values(INCIDENTS, "incident", {"incident": "MEANWHILE"}):
            here.tell(opening("MEANWHILE", time="2026-11-02T09:00:00Z"))
            here.tell(buy(package="MEANWHILE", time="2026-11-02T09:00:00Z"))

    monkeypatch.setattr(Step, "begin", meanwhile)
    here.projector().rebuild()
    assert incident(here, "MEANWHILE")["coverage"] == "guaranteed"
    same_as_built(here)


def test_readers_never_see_a_half_of_a_rebuild(here: Office) -> None:
    """While tables are swapped again and again, whoever reads several of them sees those of one generation, whole."""
    here.tell(*(opening(f"S{number}", time="2026-11-02T09:00:00Z") for number in range(30)))
    catch_up(here)
    generations: set[int] = set()
    wrong: list[object] = []
    done = threading.Event()

    def read() -> None:
        reader = here.another()
        try:
            while not done.is_set():
                with reader.snapshot():
                    at = checkpoint(reader.live)
                    counted = [reader.live.count(table) for table in (INCIDENTS, QUEUE, WINDOWS, PENALTIES, CREDITS)]
                    again = checkpoint(reader.live)
                if at is None or at != again or counted != [31, 31, 1, 1, 1]:
                    wrong.append((at, again, counted))
                else:
                    generations.add(at.generation)
        except StoreError as error:
            wrong.append(error)
        finally:
            reader.close()

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    projector = here.projector()
    for _ in range(6):
        projector.rebuild()
    done.set()
    for reader in readers:
        reader.join(timeout=60)
    assert not wrong
    assert len(generations) > 1


def test_tables_of_other_rules_or_readings_have_to_be_built_anew(here: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    assert here.projector().outdated() is None
    assert here.projector((LITERAL, Reading.parse("rate=words"))).outdated() is not None
    monkeypatch.setattr(checkpoints, "RULES_VERSION", "next")
    why = here.projector().outdated()
    assert why is not None
    assert "rules" in why
    here.tell(charge(time="2026-11-02T08:30:00Z"))
    with pytest.raises(StoreError, match=r"rules .* verbale rebuild"):
        here.projector().step()


def test_live_tables_of_other_rules_answer_no_report(here: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Question(LITERAL, here.clock.now, here.clock.now)
    assert from_live("breach", here.ledger, here.reporting, asked) is not None
    monkeypatch.setattr("adapters.live_tables.report_from_tables.RULES_VERSION", "next")
    assert from_live("breach", here.ledger, here.reporting, asked) is None


@pytest.mark.parametrize(
    ("as_of", "known_on", "reading"),
    [
        pytest.param("2026-11-02T11:00:00Z", None, "literal", id="before the tables"),
        pytest.param(None, "2026-11-02T11:00:00Z", "literal", id="known before"),
        pytest.param(None, None, "rate=words", id="another reading"),
    ],
)
def test_a_question_that_live_tables_do_not_answer_is_left_to_a_replay(
    here: Office, as_of: str | None, known_on: str | None, reading: str
) -> None:
    known = read_instant(known_on) if known_on else here.clock.now
    asked = Question(Reading.parse(reading), read_instant(as_of) if as_of else known, known)
    assert from_live("breach", here.ledger, here.reporting, asked) is None


def test_facts_not_projected_yet_are_left_to_a_replay(here: Office) -> None:
    here.tell(charge(time="2026-11-02T08:30:00Z"))
    asked = Question(LITERAL, here.clock.now, here.clock.now)
    assert from_live("compliance", here.ledger, here.reporting, asked) is None
    catch_up(here)
    assert from_live("compliance", here.ledger, here.reporting, asked) is not None


# --- the tables themselves --------------------------------------------------------------------------------------


def test_a_set_that_was_never_finished_takes_no_step(here: Office) -> None:
    with here.reporting.transaction():
        here.reporting.create()
        here.reporting.swap("t")
    with pytest.raises(StoreError, match="not whole"):
        here.projector().step()
    assert here.projector().outdated() is not None


def test_a_place_without_tables_is_said_to_have_none(tmp_path: Path, postgres_url: str) -> None:
    with pytest.raises(NoTables, match="verbale project"):
        SqliteReporting(tmp_path / "none.db")
    with pytest.raises(NoTables, match="verbale project"):
        PostgresReporting(postgres_location(postgres_url))


def test_what_is_not_ours_is_left_as_it_is(tmp_path: Path, here: Office) -> None:
    text = tmp_path / "letter.txt"
    text.write_text("not a database, and longer than the hundred bytes that a header has: " + "x" * 100)
    with pytest.raises(StoreError):
        SqliteReporting(text, create=True)
    assert text.read_text().startswith("not a database")
    if isinstance(here.place, Path):
        with pytest.raises(ForeignTables):
            SqliteReporting(here.place, create=True)
    else:
        with pytest.raises(ForeignTables):
            PostgresReporting(postgres_location(here.place), postgres_location(here.place).schema, create=True)


def test_every_row_says_from_which_ledger_it_comes(here: Office) -> None:
    for table in PUBLIC:
        assert table.columns[0].name == "ledger"
        assert here.reporting.live.values(table, "ledger") in (["main"], [])


def test_sqlite_s_tables_have_the_types_declared(tmp_path: Path) -> None:
    with office("sqlite", tmp_path) as here:
        here.projector().rebuild()
        for table in TABLES:
            found = here.reporting.run(f"PRAGMA table_xinfo({table.name})")
            assert [(name, bool(not_null)) for _, name, _, not_null, *_ in found] == [
                (column.name, not column.optional) for column in table.columns
            ]
            assert all(kind for _, _, kind, *_ in found)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Office]:
    """An office on PostgreSQL, with live tables."""
    with office("postgres", tmp_path) as found:
        found.tell(*contract_in_force(), opening(time="2026-11-02T08:00:00Z"))
        found.projector().rebuild()
        yield found


def test_postgresql_s_tables_have_honest_types_and_say_what_they_mean(server: Office) -> None:
    schema = postgres_location(str(server.place)).reporting_schema
    types = {
        ColumnKind.INSTANT: "timestamptz",
        ColumnKind.FLAG: "bool",
        ColumnKind.INTEGERS: "_int8",
        ColumnKind.JSON: "jsonb",
    }
    types |= {ColumnKind.TEXT: "text", ColumnKind.INTEGER: "int8", ColumnKind.SHARE: "text"}
    types |= {ColumnKind.HOURS: "numeric", ColumnKind.EURO: "numeric"}
    with owner(str(server.place)) as connection:
        for table in TABLES:
            found = connection.execute(
                "SELECT column_name, udt_name, col_description(%s::regclass, ordinal_position) "
                "FROM information_schema.columns WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
                (f"{schema}.{table.name}", schema, table.name),
            ).fetchall()
            assert found == [(column.name, types[column.kind], column.meaning) for column in table.columns]
            said = connection.execute("SELECT obj_description(%s::regclass)", (f"{schema}.{table.name}",)).fetchone()
            assert said == (table.meaning,)


def test_postgresql_s_reader_reads_the_public_tables_and_nothing_else(server: Office) -> None:
    place = postgres_location(str(server.place))
    with owner(str(server.place)) as connection:
        connection.execute(f"SET ROLE {place.reader}".encode())
        for table in TABLES:
            allowed = connection.execute(
                "SELECT has_table_privilege(%s, 'SELECT'), has_table_privilege(%s, 'INSERT, UPDATE, DELETE, TRUNCATE')",
                (f"{place.reporting_schema}.{table.name}",) * 2,
            ).fetchone()
            assert allowed == (table.public, False)
        assert connection.execute("SELECT has_schema_privilege(%s, 'USAGE')", (place.schema,)).fetchone() == (False,)


def test_postgresql_s_reader_still_reads_after_a_rebuild(server: Office) -> None:
    server.projector().rebuild()
    test_postgresql_s_reader_reads_the_public_tables_and_nothing_else(server)


def test_a_view_built_on_old_tables_is_named_by_the_rebuild_and_not_dropped(server: Office) -> None:
    schema = postgres_location(str(server.place)).reporting_schema
    with owner(str(server.place)) as connection:
        connection.execute(f"CREATE VIEW my_late AS SELECT incident FROM {schema}.incidents WHERE breach".encode())
        kept = server.projector().rebuild()
        assert kept is not None
        assert "my_late" in kept
        assert f"{schema}_retired_" in kept
        assert connection.execute("SELECT count(*) FROM my_late").fetchone() == (1,)
        connection.execute("DROP VIEW my_late")
    assert server.projector().rebuild() is None


def test_hours_stand_beside_the_microseconds(here: Office) -> None:
    here.tell(charge(time="2026-11-02T08:30:00Z"))
    catch_up(here)
    name = here.reporting.name("live", INCIDENTS)
    ((hours, target),) = here.reporting.run(f"SELECT charge_net_hours, charge_target_hours FROM {name}")
    assert (float(hours), float(target)) == (0.5, 2.0)


def test_the_names_of_a_set_being_built_are_its_own(here: Office) -> None:
    live, building = ({here.reporting.name(of, table) for table in TABLES} for of in ("live", NEXT))
    assert not live & building


def test_findings_are_kept_as_they_are(here: Office) -> None:
    here.tell(opening("ODD", contract="nobody's", time="2026-11-02T09:00:00Z"))
    catch_up(here)
    (finding,) = incident(here, "ODD")["findings"]
    assert finding["code"] == "contract_unsigned"
    assert "nobody's" in json.dumps(finding)


# --- what stands around the fold --------------------------------------------------------------------------------


def test_one_process_builds_at_a_time(here: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = Step.begin
    refused: list[str] = []

    def meanwhile(work: Step, some: Rows) -> None:
        begin(work, some)
        other = here.another()
        with pytest.raises(BeingBuilt) as error:
            Projector(here.ledger, other, here.clock).rebuild()
        refused.append(str(error.value))
        other.close()

    with monkeypatch.context() as patched:
        patched.setattr(Step, "begin", meanwhile)
        here.projector().rebuild()
    assert refused
    assert here.projector().rebuild(unless_current=True) is None
    assert here.at.generation == 2
    same_as_built(here)


def test_ids_at_the_end_of_unicode_are_in_a_rebuild_too(here: Office) -> None:
    here.tell(opening("\U0010ffffLAST", time="2026-11-02T09:00:00Z"), *contract_in_force("\U0010ffff"))
    catch_up(here)
    assert "\U0010ffffLAST" in here.reporting.live.values(INCIDENTS, "incident")
    same_as_built(here)
    here.projector().rebuild()
    assert "\U0010ffff" in here.reporting.live.values(WINDOWS, "contract")


@pytest.mark.parametrize(
    "id", ["it's", 'a "b"', "100%", "what?", "back\\slash", "emoji 🙂", "%s", "{}", "a;DROP TABLE x--"]
)
def test_odd_ids_are_found_again(here: Office, id: str) -> None:
    here.tell(
        *contract_in_force(id, customers=[id]), opening(id, contract=None, customer=id, time="2026-11-02T09:00:00Z")
    )
    catch_up(here)
    here.tell(charge(id, time="2026-11-02T09:10:00Z"))
    catch_up(here)
    assert incident(here, id)["charge_verdict"] == "met"
    same_as_built(here)


def unsay(here: Office, after: int) -> None:
    """Take away the facts after a position, as restoring an older copy does."""
    key = "rowid" if isinstance(here.place, Path) else "notification_id"
    for table, where in (("seal", "position"), ("stored_events", key)):
        if isinstance(here.place, Path):
            change(here.place, f"DROP TRIGGER IF EXISTS {table}_DELETE_refused")
        else:
            change(here.place, f"ALTER TABLE {table} DISABLE TRIGGER USER")
        change(here.place, f"DELETE FROM {table} WHERE {where} > {after}")


def test_a_store_restored_from_an_older_copy_is_noticed_by_the_next_step(here: Office) -> None:
    here.tell(opening("GONE", time="2026-11-02T09:00:00Z"))
    projector = here.projector()
    projector.step()
    unsay(here, 5)
    with pytest.raises(OutdatedTables, match="another log"):
        projector.step()
    here.tell(opening("OTHER", time="2026-11-02T09:00:00Z"), opening("MORE", time="2026-11-02T09:00:00Z"))
    with pytest.raises(OutdatedTables, match="another log"):
        projector.step()
    projector.rebuild()
    assert set(here.reporting.live.values(INCIDENTS, "incident")) == {INCIDENT, "OTHER", "MORE"}


def test_a_projector_whose_clock_ran_ahead_is_no_reason_to_build_in_turn(here: Office) -> None:
    """Two projectors whose clocks differ would build the tables for ever: it is said, and a rebuild puts it right."""
    right = here.clock.now
    here.clock.now += 300 * 24 * HOUR
    here.projector().step()
    here.clock.now = right
    assert here.projector().outdated() is None
    assert not here.projector().step()
    (remark,) = [one for one in remarks(here.ledger, here.reporting, right) if "ran ahead" in one.wrong]
    assert "verbale rebuild" in remark.do
    here.projector().rebuild()
    assert here.at.as_of == right


def test_tables_of_a_newer_program_are_left_to_it(here: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "RULES_VERSION", "0")
    with pytest.raises(NewerStore, match="upgrade"):
        here.projector().outdated()
    with pytest.raises(NewerStore, match="upgrade"):
        here.projector().step()
    monkeypatch.undo()
    here.reporting.run(f"ALTER TABLE {here.reporting.live.name(CASES)} ADD COLUMN weight INTEGER")
    with pytest.raises(NewerStore, match="upgrade"):
        here.projector().outdated()


def test_a_set_that_another_has_begun_to_build_is_left_to_it(here: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever became of the lock: no set is finished by two."""
    monkeypatch.setattr(rebuilding, "STREAMS_AT_ONCE", 4)
    here.tell(*(opening(f"R{number}", time="2026-11-02T09:00:00Z") for number in range(9)))
    catch_up(here)
    before, begin = dump(here.reporting.live), Step.begin

    def robbed(work: Step, some: Rows) -> None:
        begin(work, some)
        here.reporting.building.remove(BUILDER, {})
        here.reporting.building.load(BUILDER, [("another",)])

    with monkeypatch.context() as patched:
        patched.setattr(Step, "begin", robbed)
        with pytest.raises(BeingBuilt, match="leaves them to it"):
            here.projector().rebuild()
    assert dump(here.reporting.live) == before
    here.projector().rebuild()
    assert dump(here.reporting.live) == before


@pytest.mark.parametrize("position", [6, 7, 8])
def test_a_fact_taken_away_stops_the_projection_where_it_was(here: Office, position: int) -> None:
    here.tell(*(opening(f"G{number}", time="2026-11-02T09:00:00Z") for number in range(3)))
    key = "rowid" if isinstance(here.place, Path) else "notification_id"
    if isinstance(here.place, Path):
        change(here.place, "PRAGMA foreign_keys = OFF; ".strip("; "))
        change(here.place, "DROP TRIGGER IF EXISTS stored_events_DELETE_refused")
    else:
        change(here.place, "ALTER TABLE stored_events DISABLE TRIGGER USER")
    change(here.place, f"DELETE FROM stored_events WHERE {key} = {position}")
    with pytest.raises(Stopped, match=f"position {position}: the fact at this position is gone"):
        catch_up(here)
    assert (here.at.position, here.at.stopped_at) == (position - 1, position)
    with pytest.raises(Stopped, match=f"position {position}"):
        here.projector().rebuild()


def test_the_first_of_several_facts_that_cannot_be_read_is_named_at_a_first_build(here: Office, tmp_path: Path) -> None:
    with office("sqlite" if isinstance(here.place, Path) else "postgres", tmp_path) as fresh:
        fresh.tell(*contract_in_force(), opening("B", time="2026-11-02T09:00:00Z"))
        fresh.tell(opening("C", time="2026-11-02T09:00:00Z"), opening("A", time="2026-11-02T09:00:00Z"))
        for position in (6, 7):
            spoil(fresh, position, "{}")
        with pytest.raises(Stopped, match="position 6"):
            fresh.projector().rebuild()
        assert fresh.reporting.live.values(INCIDENTS, "incident") == ["B"]
        assert (fresh.at.position, fresh.at.stopped_at) == (5, 6)


def test_a_rebuild_succeeds_whatever_became_of_the_row_that_counts_them(here: Office) -> None:
    for _ in range(3):
        here.reporting.live.remove(LEDGERS, {})
        here.projector().rebuild()
    same_as_built(here)


def test_tables_of_an_earlier_make_are_built_anew(here: Office) -> None:
    here.reporting.run(f"ALTER TABLE {here.reporting.live.name(LEDGERS)} DROP COLUMN leaf_hash")
    here.reporting.run(f"DROP TABLE {here.reporting.live.name(CREDITS)}")
    again = here.another()
    projector = Projector(here.ledger, again, here.clock)
    assert "another make" in str(projector.outdated())
    asked = Question(LITERAL, here.clock.now, here.clock.now)
    assert from_live("breach", here.ledger, again, asked) is None
    projector.rebuild()
    assert projector.outdated() is None
    assert here.at.generation == 2
    again.close()
    same_as_built(here)


def test_tables_of_an_earlier_make_are_built_anew_though_facts_come_meanwhile(
    here: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.reporting.run(f"ALTER TABLE {here.reporting.live.name(LEDGERS)} DROP COLUMN leaf_hash")
    begin = Step.begin

    def meanwhile(work: Step, some: Rows) -> None:
        begin(work, some)
        here.tell(opening("MEANWHILE", time="2026-11-02T09:00:00Z"))

    with monkeypatch.context() as patched:
        patched.setattr(Step, "begin", meanwhile)
        here.projector().rebuild()
    assert incident(here, "MEANWHILE")["coverage"] == "guaranteed"
    same_as_built(here)


def test_a_running_projector_leaves_tables_of_another_make_alone(here: Office) -> None:
    projector = here.projector()
    projector.step()
    here.projector().rebuild()
    here.reporting.run(f"ALTER TABLE {here.reporting.live.name(LEDGERS)} RENAME COLUMN rules TO rules_were")
    column = f"rules TEXT DEFAULT '{RULES_VERSION}' NOT NULL"
    here.reporting.run(f"ALTER TABLE {here.reporting.live.name(LEDGERS)} ADD COLUMN {column}")
    here.tell(charge(time="2026-11-02T08:30:00Z"))
    with pytest.raises(StoreError, match="newer Verbale"):
        projector.step()


def test_a_swap_waits_for_whoever_reads(here: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than it waits at a time: it asks again, and the work of building is not lost."""
    monkeypatch.setattr("adapters.retries.SWAP_PAUSE", 0.05)
    monkeypatch.setattr("adapters.live_tables.postgres.SWAP_WAITS", "50ms")
    reading, done = threading.Event(), threading.Event()
    seen: list[int] = []

    def read() -> None:
        reader = here.another()
        with reader.snapshot():
            seen.append(reader.live.count(INCIDENTS))
            reading.set()
            done.wait(timeout=1.0)
            seen.append(reader.live.count(INCIDENTS))
        reader.close()

    thread = threading.Thread(target=read)
    thread.start()
    reading.wait(timeout=60)
    here.projector().rebuild()
    done.set()
    thread.join(timeout=60)
    assert seen == [1, 1]
    assert here.at.generation == 2


def test_a_view_on_sqlite_s_tables_goes_on_with_the_new_ones(tmp_path: Path) -> None:
    with office("sqlite", tmp_path) as here:
        here.tell(*contract_in_force(), opening(time="2026-11-02T08:00:00Z"))
        here.projector().rebuild()
        here.reporting.run("CREATE VIEW late AS SELECT incident FROM incidents WHERE breach")
        for number in range(3):
            here.tell(opening(f"V{number}", time="2026-11-02T08:00:00Z"))
            here.projector().rebuild()
            assert len(here.reporting.run("SELECT * FROM late")) == number + 2


def test_facts_of_a_contract_dated_ahead_are_announced_by_its_rows(here: Office) -> None:
    ahead = read_instant(NOON) + 3 * MINUTE
    here.tell(buy(package="B", time="2026-11-02T12:03:00Z"))
    catch_up(here)
    for table in (CREDITS, WINDOWS, PENALTIES):
        (stored,) = here.reporting.live.rows(table)
        assert stored["changes_at"] == ahead


def test_a_fact_that_cannot_be_read_before_there_are_tables_leaves_those_up_to_it(here: Office, tmp_path: Path) -> None:
    kind = "sqlite" if isinstance(here.place, Path) else "postgres"
    with office(kind, tmp_path) as fresh:
        fresh.tell(*contract_in_force(), opening("GOOD", time="2026-11-02T09:00:00Z"))
        fresh.tell(opening("BAD", time="2026-11-02T09:00:00Z"), opening("AFTER", time="2026-11-02T09:00:00Z"))
        spoil(fresh, 6, "{}")
        with pytest.raises(Stopped, match="position 6"):
            fresh.projector().rebuild()
        assert fresh.reporting.live.values(INCIDENTS, "incident") == ["GOOD"]
        with pytest.raises(Stopped, match="position 6"):
            fresh.projector().step()
        assert (fresh.at.position, fresh.at.stopped_at) == (5, 6)


def test_a_fact_without_a_seal_is_one_that_cannot_be_read(here: Office) -> None:
    key = "rowid" if isinstance(here.place, Path) else "notification_id"
    columns = f"{key}, originator_id, originator_version, topic, state"
    copied = f"6, 'incident-BY-HAND', 1, topic, state FROM stored_events WHERE {key} = 5"
    change(here.place, f"INSERT INTO stored_events ({columns}) SELECT {copied}")
    with pytest.raises(Stopped, match=r"position 6.*has no seal"):
        here.projector().step()


def test_a_contract_that_cannot_be_counted_stops_the_projection_and_is_named(
    here: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.tell(opening("GOOD", time="2026-11-02T09:00:00Z"), buy(package="B", time="2026-11-02T09:00:00Z"))

    def fails(*_: Any, **__: Any) -> None:
        raise ArithmeticError("no such sum")

    monkeypatch.setattr("adapters.live_tables.contract_tallies.credit_row", fails)
    with pytest.raises(Stopped, match=f"contract {CONTRACT} cannot be counted .*no such sum") as stopped:
        here.projector().step()
    assert stopped.value.position == 7
    assert (here.at.position, here.at.stopped_at) == (6, 7)


def test_a_report_from_live_tables_speaks_of_their_position_alone(
    here: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    position = type(here.ledger.store).position

    def overtaken(store: Any, known_on: int | None = None) -> int:
        found = position(store, known_on)
        here.tell(opening(f"LATE{found}", time="2026-11-02T09:00:00Z"))
        return found

    monkeypatch.setattr(type(here.ledger.store), "position", overtaken)
    report = from_live("compliance", here.ledger, here.reporting, Question(LITERAL, here.clock.now, here.clock.now))
    assert report is not None
    assert report.manifest["position"] == 5
    assert [row["incident"] for row in report.rows] == [INCIDENT]


@pytest.mark.parametrize("name", ["sales_next", "{schema}_reporting_v1_next"])
def test_a_schema_of_somebody_else_is_never_dropped(server: Office, name: str) -> None:
    place = postgres_location(str(server.place))
    theirs = name.format(schema=place.schema)
    with owner(str(server.place)) as connection:
        connection.execute(f"CREATE SCHEMA {theirs}".encode())
        connection.execute(f"CREATE TABLE {theirs}.orders (id int)".encode())
        try:
            made = server.reporting
            if name == "sales_next":
                made = PostgresReporting(place, "sales", create=True)
            with pytest.raises(ForeignTables, match=theirs):
                build(server.ledger, made, (LITERAL,), 9, server.clock)
            made.close()
            assert connection.execute(f"SELECT count(*) FROM {theirs}.orders".encode()).fetchone() == (0,)
        finally:
            connection.execute(f"SET client_min_messages = error; DROP SCHEMA {theirs} CASCADE".encode())


@pytest.mark.parametrize("schema", ["reporting_v1", "x_reporting_v1", "foo_next", "a_retired_1", "pg_x", "a" * 31])
def test_evidence_is_not_kept_where_live_tables_come_and_go(schema: str) -> None:
    with pytest.raises(StoreError, match="cannot name a schema"):
        postgres_location(f"postgresql://h/d?schema={schema}")
