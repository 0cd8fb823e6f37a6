"""Reports read from the live tables, where these answer the question; a replay answers every other one.

They do when they hold every fact asked about and no other, under that reading, and when time alone has changed no row
since they were judged. What running clocks have counted since is measured here, by the calendar.
"""

from collections.abc import Sequence

from adapters.live_tables import rows as tabular
from adapters.live_tables.checkpoint import Checkpoint, checkpoint, made_from
from adapters.live_tables.reporting import Reporting
from adapters.live_tables.schema import (
    CASES,
    COMMITMENTS,
    CONNECTED_SYSTEMS,
    CREDITS,
    EFFECTS,
    INCIDENTS,
    PENALTIES,
    QUEUE,
    WINDOWS,
)
from adapters.live_tables.tables import TableSet, Where
from adapters.reports.report import (
    LIVE_TABLES,
    JsonRow,
    Question,
    Report,
    ReportName,
    breach_row_json,
    check,
    commitment_row_json,
    compliance_row_json,
    credit_row_json,
    in_window,
    last_instant_of,
    manifest,
    no_such_contract,
    penalty_row_json,
    queue_row_json,
    system_line_json,
)
from adapters.store.ledger import Ledger
from domain.calendar_rules import ServiceHours
from domain.working_time import WorkingCalendar
from projections import RULES_VERSION
from projections.breach import BreachRow
from projections.connected_systems import lines
from projections.history import History
from projections.queue import in_order
from projections.replay import Replay


def from_live(name: ReportName, ledger: Ledger, reporting: Reporting, asked: Question) -> Report | None:
    """The report as the live tables tell it, or None where they do not answer the question.

    Raises BadQuestion, NotOnRecord, StoreError.
    """
    check(name, asked)
    if not reporting.exists() or not reporting.fits:
        return None
    with reporting.snapshot():
        at = checkpoint(reporting.live)
        if at is None or not _answers(ledger, at, asked):
            return None
        return _Answering(ledger, reporting.live, at.position, asked).report(name)


def _answers(ledger: Ledger, at: Checkpoint, asked: Question) -> bool:
    if at.rules != RULES_VERSION or asked.reading.name not in at.readings or not made_from(ledger, at):
        return False
    if at.position != ledger.store.position(asked.known_on) or at.as_of > asked.as_of:
        return False
    return at.next_change is None or at.next_change > asked.as_of


class _Answering:
    """One question put to the live tables."""

    def __init__(self, ledger: Ledger, live: TableSet, position: int, asked: Question) -> None:
        self._ledger, self._live, self._asked = ledger, live, asked
        contracts = map(ledger.entry, ledger.store.rows_by_stream("contract-", position))
        self._replay = Replay(History.of(contracts, position), asked.reading, asked.as_of)

    @property
    def _where(self) -> Where:
        contract = {} if self._asked.contract is None else {"contract": self._asked.contract}
        return {"reading": self._asked.reading.name, **contract}

    def report(self, name: ReportName) -> Report:
        """The whole report."""
        self._check_contract()
        rows = self._rows(name)
        made = manifest(name, self._ledger, self._replay, self._asked, LIVE_TABLES)
        return Report(name, made, rows, self._asked)

    def _rows(self, name: ReportName) -> list[JsonRow]:
        match name:
            case "compliance":
                return self._compliance()
            case "breach":
                return self._breach()
            case "penalty":
                return self._penalty()
            case "credits":
                return self._credits()
            case "commitments":
                return self._commitments()
            case "systems":
                return self._systems()
            case "queue":
                return self._queue()

    def _check_contract(self) -> None:
        name = self._asked.contract
        on_record = name is None or name in self._replay.history.contracts
        if not on_record and not any(
            self._live.values(table, "contract", self._where) for table in (CREDITS, INCIDENTS)
        ):
            raise no_such_contract(str(name))

    def _calendar(self, contract: str | None, data_centre: bool) -> WorkingCalendar | None:
        hours = ServiceHours.DATA_CENTRE if data_centre else ServiceHours.STANDARD
        return self._replay.contract(contract).calendar(hours) if contract is not None else None

    def _compliance(self) -> list[JsonRow]:
        as_of = self._asked.as_of
        rows = [tabular.incident_row(v, self._calendar, as_of) for v in self._live.read(INCIDENTS, self._where)]
        rows.sort(key=lambda row: (row.contract or "", row.opened_at, row.incident))
        return [compliance_row_json(row) for row in in_window(rows, self._replay, self._asked)]

    def _breach(self) -> list[JsonRow]:
        rows = map(tabular.window_row, self._live.read(WINDOWS, self._where, order="contract, window_from_at"))
        day = self._asked.window_day
        held = [row for row in rows if day is None or row.window.holds(last_instant_of(day))]
        return [breach_row_json(row, self._late(row)) for row in held]

    def _late(self, row: BreachRow) -> Sequence[str]:
        where = {"reading": self._asked.reading.name, "contract": row.contract, "window_from_at": row.window.start}
        cases = map(tabular.case_row, self._live.read(CASES, where))
        return sorted({case.incident for case in cases if case.breach_at is not None})

    def _penalty(self) -> list[JsonRow]:
        return [
            penalty_row_json(tabular.penalty_row(v)) for v in self._live.read(PENALTIES, self._where, order="contract")
        ]

    def _credits(self) -> list[JsonRow]:
        return [credit_row_json(tabular.credit_row(v)) for v in self._live.read(CREDITS, self._where, order="contract")]

    def _commitments(self) -> list[JsonRow]:
        rows = self._live.read(COMMITMENTS, self._where, order="contract, number")
        return [commitment_row_json(tabular.commitment_row(values)) for values in rows]

    def _systems(self) -> list[JsonRow]:
        systems = map(tabular.system_row, self._live.read(CONNECTED_SYSTEMS, self._where))
        effects = map(tabular.effect_row, self._live.read(EFFECTS, self._where))
        return [system_line_json(line) for line in lines(systems, list(effects))]

    def _queue(self) -> list[JsonRow]:
        rows = in_order(map(tabular.queue_row, self._live.read(QUEUE, self._where)))
        return [queue_row_json(row, rank) for rank, row in enumerate(rows, 1)]
