"""Rows of the reporting tables, as they are written and read back: the order of values is that of the columns."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction

from adapters.tables import Values
from domain.coverage import Answer, BestEffortReason, Coverage
from domain.facts import Responsibility
from domain.terms import PenaltyClause, Priority
from domain.working_time import WorkingCalendar
from projections.breach import BreachRow, Count, Window
from projections.clocks import Judged, Reckoned, Verdict
from projections.compliance import ClockRow, ComplianceRow
from projections.credit_balance import CreditRow
from projections.engine import Standing
from projections.history import Finding
from projections.passing import Case, Day, Passing
from projections.penalty import PenaltyRow
from projections.queue import QueueRow, Tier


def incident_values(ledger: str, reading: str, standing: Standing) -> Values:
    """A row of `incidents`."""
    row, opened = standing.row, standing.opened
    return (
        ledger,
        reading,
        row.incident,
        row.contract,
        opened.contract,
        opened.customer,
        opened.system,
        opened.data_centre,
        row.opened_at,
        standing.window.start if standing.window else None,
        row.answer.coverage.value,
        row.answer.reason.value if row.answer.reason else None,
        row.answer.contract,
        row.priority and int(row.priority),
        *_clock_values(row.charge),
        *_clock_values(row.intervention),
        row.responsible.value if row.responsible else None,
        row.breach,
        standing.share.undecided,
        row.open,
        [{**finding._asdict(), "versions": list(finding.versions)} for finding in row.findings],
        list(row.versions),
        row.changes_at,
    )


def _clock_values(clock: ClockRow) -> Values:
    judged, reckoned = clock.judged, clock.judged.reckoned
    return (
        judged.target_us,
        reckoned.net_us,
        reckoned.suspended_us,
        reckoned.at,
        reckoned.state,
        judged.due,
        judged.verdict.value,
        judged.decided_at,
        judged.changes_at,
        clock.responsible.value,
    )


HEAD, CLOCK_COLUMNS = 14, 10


Calendars = Callable[[str | None, bool], WorkingCalendar | None]
"""The working calendar of a contract, for data-centre services or not."""


def incident_row(values: Values, calendars: Calendars, as_of: int) -> ComplianceRow:
    """The row of `incidents` read back, with what its clocks have counted by `as_of`."""
    head, clocks, tail = values[:HEAD], values[HEAD : HEAD + 2 * CLOCK_COLUMNS], values[HEAD + 2 * CLOCK_COLUMNS :]
    (_, _, incident, contract, _, _, _, data_centre, opened_at, _, coverage, reason, covered_by, priority) = head
    _, _, _, is_open, findings, versions, changes_at = tail
    calendar = calendars(contract, data_centre)
    return ComplianceRow(
        incident=incident,
        contract=contract,
        opened_at=opened_at,
        answer=_answer(coverage, reason, covered_by),
        priority=Priority(priority) if priority is not None else None,
        charge=_clock_row(clocks[:CLOCK_COLUMNS], calendar, as_of),
        intervention=_clock_row(clocks[CLOCK_COLUMNS:], calendar, as_of),
        open=is_open,
        findings=tuple(Finding(f["code"], f["clause"], f["text"], tuple(f["versions"])) for f in findings),
        versions=tuple(versions),
        changes_at=changes_at,
    )


def _answer(coverage: str, reason: str | None, contract: str | None) -> Answer:
    why = BestEffortReason(reason) if reason else None
    return Answer.model_construct(coverage=Coverage(coverage), reason=why, contract=contract)


def _clock_row(values: Values, calendar: WorkingCalendar | None, as_of: int) -> ClockRow:
    target, net, suspended, at, state, due, verdict, decided_at, changes_at, responsible = values
    reckoned = Reckoned(at, net, suspended, state)
    now = reckoned.measured(calendar, as_of)
    judged = Judged(target, *now, due, Verdict(verdict), changes_at, decided_at, state == "ended", reckoned)
    return ClockRow(judged, Responsibility(responsible))


def case_values(ledger: str, reading: str, contract: str, window_from: int, cases: Sequence[Case]) -> list[Values]:
    """Rows of `cases`, of one incident."""
    return [
        (ledger, reading, case.incident, number, contract, window_from, case.at, case.breach_at)
        for number, case in enumerate(cases, 1)
    ]


def case_row(values: Values) -> Case:
    """The row of `cases` read back."""
    _, _, incident, _, _, _, at, breach_at = values
    return Case(incident, at, breach_at)


def window_values(ledger: str, reading: str, row: BreachRow) -> Values:
    """A row of `windows`."""
    return (
        ledger,
        reading,
        row.contract,
        row.window.start,
        row.window.end,
        *row.count,
        row.tolerance.numerator,
        row.tolerance.denominator,
        row.headroom,
        row.passed,
        row.settled,
        row.passing.at if row.passing else None,
        row.passing.incident if row.passing else None,
        list(row.versions),
        row.changes_at,
    )


def window_row(values: Values) -> BreachRow:
    """The row of `windows` read back."""
    (_, _, contract, start, end, cases, breaches, undecided, above, below, _, _, settled, at, by, versions, changes) = (
        values
    )
    return BreachRow(
        contract=contract,
        window=Window(start, end),
        count=Count(cases, breaches, undecided),
        tolerance=Fraction(above, below),
        settled=settled,
        passing=Passing(at, by) if at is not None else None,
        changes_at=changes,
        versions=tuple(versions),
    )


def day_values(reading: str, contract: str, window_from: int, day: Day) -> Values:
    """A row of `days`."""
    return (reading, contract, window_from, *day)


def penalty_values(ledger: str, reading: str, row: PenaltyRow) -> Values:
    """A row of `penalties`."""
    return (
        ledger,
        reading,
        row.contract,
        row.passing.at if row.passing else None,
        row.passing.incident if row.passing else None,
        row.window.start if row.window else None,
        row.window.end if row.window else None,
        cents(row.base),
        row.rate.numerator,
        row.rate.denominator,
        cents(row.maximum_penalty),
        row.clause.figures.numerator,
        row.clause.figures.denominator,
        row.clause.words.numerator,
        row.clause.words.denominator,
        row.settled,
        cents(row.claimed),
        cents(row.waived),
        cents(row.settled_amount),
        cents(row.outstanding),
        list(row.versions),
        list(row.purchases),
        row.changes_at,
    )


def penalty_row(values: Values) -> PenaltyRow:
    """The row of `penalties` read back."""
    (_, _, contract, at, by, start, end, base, above, below, _, *rest) = values
    (figures, figures_of, words, words_of, settled, claimed, waived, paid, _, versions, purchases, changes_at) = rest
    clause = PenaltyClause.model_construct(figures=Fraction(figures, figures_of), words=Fraction(words, words_of))
    return PenaltyRow(
        contract=contract,
        clause=clause,
        rate=Fraction(above, below),
        passing=Passing(at, by) if at is not None else None,
        window=Window(start, end) if start is not None else None,
        base=amount(base),
        settled=settled,
        claimed=amount(claimed),
        waived=amount(waived),
        settled_amount=amount(paid),
        changes_at=changes_at,
        versions=tuple(versions),
        purchases=tuple(purchases),
    )


def credit_values(ledger: str, reading: str, row: CreditRow) -> Values:
    """A row of `credits`."""
    minutes = (row.bought, row.consumed, row.expired, row.left, row.shortfall)
    return (ledger, reading, row.contract, *minutes, cents(row.value), list(row.versions), row.changes_at)


def credit_row(values: Values) -> CreditRow:
    """The row of `credits` read back."""
    (_, _, contract, bought, consumed, expired, left, shortfall, value, versions, changes_at) = values
    return CreditRow(contract, bought, consumed, expired, left, shortfall, amount(value), changes_at, tuple(versions))


def queue_values(ledger: str, reading: str, row: QueueRow) -> Values:
    """A row of `queue`."""
    return (
        ledger,
        reading,
        row.incident,
        row.contract,
        int(row.tier),
        row.answer.coverage.value,
        row.answer.reason.value if row.answer.reason else None,
        row.answer.contract,
        row.due,
        row.priority and int(row.priority),
        row.opened_at,
        list(row.versions),
        row.changes_at,
    )


def queue_row(values: Values) -> QueueRow:
    """The row of `queue` read back."""
    (_, _, incident, contract, tier, coverage, reason, covered_by, due, priority, opened_at, versions, changes_at) = (
        values
    )
    return QueueRow(
        incident=incident,
        contract=contract,
        tier=Tier(tier),
        answer=_answer(coverage, reason, covered_by),
        due=due,
        priority=Priority(priority) if priority is not None else None,
        opened_at=opened_at,
        versions=tuple(versions),
        changes_at=changes_at,
    )


def cents(euro: Decimal) -> int:
    """Euro with two places as whole cents."""
    return int(euro.scaleb(2))


def amount(whole_cents: int) -> Decimal:
    """Whole cents as euro with two places."""
    return Decimal(whole_cents).scaleb(-2)
