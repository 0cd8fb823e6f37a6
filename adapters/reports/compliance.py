"""Compliance: each request with both its clocks (A2-A6, G2)."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from adapters.reports.clock import (
    clock_of,
    figures_when_last_moved,
    net_and_target,
    of_clock,
    running_state,
    verdict_of,
)
from adapters.reports.columns import (
    EVENTUAL,
    Column,
    evidence,
    flag,
    instant,
    integer,
    lifted,
    listed,
    replaced,
    text,
)
from adapters.reports.filters import by_contract, by_instant
from adapters.reports.live_table import LEDGER, READING, Index, Stored, Table, kept
from adapters.reports.live_tables_protocol import LiveTables
from adapters.reports.parts import (
    coverage_of,
    finding_json,
    finding_of,
    priority_of,
    tally_columns,
)
from adapters.reports.question import Question, last_instant_of
from adapters.reports.replay import Replayed, of_contract
from adapters.reports.report import Definition, Report
from adapters.reports.screen import FINDINGS, ScreenColumn, at, findings, plain, word
from adapters.reports.statements import statement_json, statement_of, who_says_so
from adapters.reports.wording import Writing, runs
from domain.coverage import Requester
from domain.terms import Clock
from domain.working_time import WorkingCalendar
from projections.as_of import Basis
from projections.clock_inputs import VoidCause
from projections.compliance import ComplianceRow
from projections.contracts_known import JudgedIncident
from projections.replay import Replay

OF_REQUEST: tuple[Column[ComplianceRow], ...] = (
    text("incident", "the id of the request", lambda row: row.incident),
    text(
        "contract",
        "the contract it comes under, or names though nobody has signed it",
        lambda row: row.contract,
        optional=True,
    ),
    instant("opened_at", "when it came in", lambda row: row.opened_at),
    text("coverage", "guaranteed or best_effort (G2)", lambda row: row.answer.coverage.value),
    text(
        "coverage_reason",
        "why it is best effort",
        lambda row: row.answer.reason.value if row.answer.reason else None,
        optional=True,
    ),
    integer(
        "priority",
        "1 (highest) to 5, by the matrix (A2)",
        lambda row: row.priority and int(row.priority),
        optional=True,
    ),
    *of_clock(Clock.CHARGE),
    *of_clock(Clock.INTERVENTION),
    text(
        "responsible",
        "to whom the breach is due; none where no clock is breached",
        lambda row: row.responsible.value if row.responsible else None,
        optional=True,
    ),
    flag("breach", "whether it is in breach for reasons of the supplier", lambda row: row.breach),
    listed(
        "findings",
        "what a reader has to know: code, clause, text, versions",
        lambda row: [finding_json(finding) for finding in row.findings],
    ),
    text(
        "no_case",
        "why it is no case of anybody's: duplicate, withdrawn or undisclosed_system",
        lambda row: row.void.value if row.void else None,
        optional=True,
    ),
    listed(
        "statements",
        "what a party may contest: version, type, by whom told, who agrees, its source, how late it was told (us), and "
        "whether the reading counts it",
        lambda row: [statement_json(said) for said in row.statements],
    ),
    *evidence("incident", "incident", lambda row: row.incident, lambda row: list(row.versions)),
)


class RowWithBasis(NamedTuple):
    """A request judged, and what the judgement rests on beside its own facts; nothing under no contract."""

    row: ComplianceRow
    basis: Basis | None


COLUMNS: tuple[Column[RowWithBasis], ...] = (
    *lifted(OF_REQUEST, lambda found: found.row),
    text(
        "evidence.contract",
        "the versions of the contract's facts that it rests on: signature, renewals, options, levels, end",
        lambda found: found.basis and runs(found.basis.contract),
        optional=True,
    ),
    text(
        "evidence.calendar",
        "the versions of the contract's facts that make its working hours: calendars and extensions",
        lambda found: found.basis and runs(found.basis.calendar),
        optional=True,
    ),
    text(
        "evidence.credits",
        "the versions of the account's facts dated by its opening",
        lambda found: found.basis and runs(found.basis.credits),
        optional=True,
    ),
)

# --- in the live tables -----------------------------------------------------------------------------------------


_KEPT = (
    *kept(replaced(OF_REQUEST, *figures_when_last_moved(Clock.CHARGE), *figures_when_last_moved(Clock.INTERVENTION))),
    *running_state(Clock.CHARGE),
    *running_state(Clock.INTERVENTION),
    text(
        "coverage_contract", "the signed contract that it comes under", lambda row: row.answer.contract, optional=True
    ),
    flag("open", "whether somebody still has to deal with it", lambda row: row.open),
    instant("changes_at", EVENTUAL, lambda row: row.changes_at, optional=True),
)

INCIDENTS: Table[JudgedIncident] = Table(
    "incidents",
    "Compliance: each request with both its clocks (A2-A6, G2). One row an incident and reading.",
    ("ledger", "reading", "incident"),
    (
        LEDGER,
        READING,
        *lifted(_KEPT, lambda judged: judged.row),
        text(
            "contract_named",
            "the contract that the request itself names",
            lambda judged: judged.opened.contract,
            optional=True,
        ),
        text(
            "customer",
            "the customer key that the request carries",
            lambda judged: judged.opened.customer,
            optional=True,
        ),
        text(
            "system",
            "the connected system that the request affects (S1)",
            lambda judged: judged.opened.system,
            optional=True,
        ),
        flag("data_centre", "whether data-centre hours apply to it (H2)", lambda judged: judged.opened.data_centre),
        instant(
            "window_from",
            "the beginning of the window (P1) that it belongs to",
            lambda judged: judged.window.start if judged.window else None,
            optional=True,
        ),
        text(
            "recorded_under",
            "the contract under which its opening was recorded",
            lambda judged: judged.row.recorded_under,
            optional=True,
        ),
        text("requested_by", "customer, supplier or monitoring (A1)", lambda judged: judged.opened.requested_by.value),
        *lifted(tally_columns("counted."), lambda judged: judged.share.tally),
        instant(
            "last_recorded_at",
            "when the last of its facts that came after the end of its window was recorded",
            lambda judged: judged.share.last_recorded_at,
            optional=True,
        ),
    ),
    (
        Index(("reading", "contract", "window_from", "changes_at")),
        Index(("reading", "contract", "window_from", "last_recorded_at")),
        Index(("contract", "opened_at")),
        Index(("recorded_under",)),
        Index(("customer",)),
        Index(("system",)),
    ),
)


def row_of(stored: Stored, calendar: WorkingCalendar | None, as_of: int) -> ComplianceRow:
    """A row of `incidents` read back, with what its clocks have counted by `as_of`."""
    return ComplianceRow(
        incident=stored["incident"],
        contract=stored["contract"],
        opened_at=stored["opened_at"],
        answer=coverage_of(stored),
        priority=priority_of(stored),
        charge=clock_of(stored, Clock.CHARGE, calendar, as_of),
        intervention=clock_of(stored, Clock.INTERVENTION, calendar, as_of),
        open=stored["open"],
        findings=tuple(map(finding_of, stored["findings"])),
        versions=tuple(stored["evidence_versions"]),
        changes_at=stored["changes_at"],
        statements=tuple(map(statement_of, stored["statements"])),
        requested_by=Requester(stored["requested_by"]),
        void=VoidCause(stored["no_case"]) if stored["no_case"] else None,
        recorded_under=stored["recorded_under"],
    )


# --- the report -------------------------------------------------------------------------------------------------


def _from_replay(replayed: Replayed) -> list[RowWithBasis]:
    rows = _in_window(of_contract(replayed.judged(), replayed.asked), replayed.replay, replayed.asked)
    return list(_with_basis(rows, replayed.replay))


def _from_live(live: LiveTables) -> list[RowWithBasis]:
    rows = [
        row_of(stored, live.calendar(stored["contract"], stored["data_centre"]), live.asked.as_of)
        for stored in live.rows(INCIDENTS)
    ]
    rows.sort(key=lambda row: (row.contract or "", row.opened_at, row.incident))
    return list(_with_basis(_in_window(rows, live.replay, live.asked), live.replay_with_credits()))


def _with_basis(rows: Iterable[ComplianceRow], replay: Replay) -> Iterator[RowWithBasis]:
    for row in rows:
        under = replay.contract(row.answer.contract) if row.answer.contract is not None else None
        yield RowWithBasis(row, under.basis(row.opened_at) if under else None)


def _in_window(rows: list[ComplianceRow], replay: Replay, asked: Question) -> list[ComplianceRow]:
    """The incidents of the window that holds the day asked about; all where none is."""
    if asked.window_day is None:
        return rows
    end_of_day = last_instant_of(asked.window_day)
    holding = {
        name: [
            window
            for window in replay.contract(name).windows(asked.reading.window, asked.as_of)
            if window.holds(end_of_day)
        ]
        for name in {row.contract for row in rows if row.contract}
    }
    return [row for row in rows if any(window.holds(row.opened_at) for window in holding.get(row.contract or "", ()))]


def _notes(report: Report[RowWithBasis], writing: Writing) -> list[str]:
    late, say = sum(found.row.breach for found in report.found), writing.say
    counted = f"{len(report.found)} {say('requests')}, {late} {say('late by the supplier')}"
    told = {row["incident"]: who_says_so(row["statements"], writing) for row in report.rows}
    said = [f"  {incident}: {by}" for incident, by in told.items() if by]
    heading = [say("Told by the parties:")] if said else []
    return ["", counted, *heading, *said, *findings(report.rows, writing)]


REPORT: Definition[RowWithBasis] = Definition(
    name="compliance",
    title="Compliance",
    columns=COLUMNS,
    screen=(
        plain("incident"),
        plain("contract"),
        at("opened_at", "opened"),
        plain("priority", "P"),
        ScreenColumn("coverage", lambda row, writing: writing.say(row["coverage_reason"] or row["coverage"])),
        ScreenColumn("TPC net/target", lambda row, _: net_and_target(row["charge"])),
        ScreenColumn("verdict", lambda row, writing: verdict_of(row["charge"], writing)),
        ScreenColumn("TI net/target", lambda row, _: net_and_target(row["intervention"])),
        ScreenColumn("verdict", lambda row, writing: verdict_of(row["intervention"], writing)),
        word("responsible", "breach of"),
        FINDINGS,
    ),
    filters={
        "late": lambda found, _: found.row.breach,
        "priority": lambda found, wanted: found.row.priority == wanted,
        **by_contract(lambda found: found.row.contract),
        **by_instant(lambda found: found.row.opened_at),
    },
    windowed=True,
    notes=_notes,
    from_replay=_from_replay,
    from_live=_from_live,
    tables=(INCIDENTS,),
    not_kept_live={
        "evidence_contract": "the same for every request of a contract: it follows from the contract's facts",
        "evidence_calendar": "the same for every request of a contract: it follows from the contract's facts",
        "evidence_credits": "it follows from the account's facts, as of the opening",
    },
)
