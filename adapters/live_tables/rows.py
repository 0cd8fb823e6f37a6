"""Rows of the reporting tables, as they are written and read back: the order of values is that of the columns."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from adapters.live_tables.schema import Values
from domain.coverage import BestEffortReason, Coverage, CoverageDecision
from domain.interval import Interval
from domain.periods import Period
from domain.terms import PenaltyClause, Priority
from domain.values import Responsibility, instant_text, read_instant
from domain.working_time import WorkingCalendar
from projections.breach import BreachRow, Count
from projections.clock_run import Accrued
from projections.clocks import Judged, Verdict
from projections.commitments import CommitmentRow
from projections.compliance import ClockRow, ComplianceRow
from projections.connected_systems import EffectRow, SystemRow
from projections.contracts_known import JudgedIncident
from projections.credit_balance import CreditRow
from projections.dues import Commitment
from projections.findings import Finding
from projections.penalty import PenaltyRow
from projections.performances import Performance
from projections.queue import QueueRow, Tier
from projections.tolerance import Case, Day, Passing


def incident_values(ledger: str, reading: str, standing: JudgedIncident) -> Values:
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
        [finding_told(finding) for finding in row.findings],
        list(row.versions),
        row.changes_at,
    )


def _clock_values(clock: ClockRow) -> Values:
    judged, accrued = clock.judged, clock.judged.accrued
    return (
        judged.target_us,
        accrued.net_us,
        accrued.suspended_us,
        accrued.at,
        accrued.state,
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
        findings=tuple(map(_finding, findings)),
        versions=tuple(versions),
        changes_at=changes_at,
    )


def _answer(coverage: str, reason: str | None, contract: str | None) -> CoverageDecision:
    why = BestEffortReason(reason) if reason else None
    return CoverageDecision.model_construct(coverage=Coverage(coverage), reason=why, contract=contract)


def _clock_row(values: Values, calendar: WorkingCalendar | None, as_of: int) -> ClockRow:
    target, net, suspended, at, state, due, verdict, decided_at, changes_at, responsible = values
    accrued = Accrued(at, net, suspended, state)
    now = accrued.measured(calendar, as_of)
    judged = Judged(target, *now, due, Verdict(verdict), changes_at, decided_at, state == "ended", accrued)
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
        window=Interval(start, end),
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
        window=Interval(start, end) if start is not None else None,
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


def system_values(ledger: str, reading: str, row: SystemRow) -> Values:
    """A row of `connected_systems`."""
    return (
        ledger,
        reading,
        row.contract,
        row.system,
        row.disclosure.start,
        row.disclosure.end,
        list(row.versions),
        row.changes_at,
    )


def system_row(values: Values) -> SystemRow:
    """The row of `connected_systems` read back."""
    (_, _, contract, system, declared_at, withdrawn_at, versions, changes_at) = values
    return SystemRow(contract, system, Interval(declared_at, withdrawn_at), changes_at, tuple(versions))


def effect_values(ledger: str, reading: str, row: EffectRow) -> Values:
    """A row of `effects`."""
    return (
        ledger,
        reading,
        row.incident,
        row.contract,
        row.system,
        row.opened_at,
        row.disclosed,
        row.disclosure and row.disclosure.start,
        row.disclosure and row.disclosure.end,
        row.late,
        row.breach,
        row.excluded,
        list(row.versions),
        list(row.declared),
        row.changes_at,
    )


def effect_row(values: Values) -> EffectRow:
    """The row of `effects` read back."""
    (_, _, incident, contract, system, opened_at, disclosed, declared_at, withdrawn_at, *rest) = values
    late, breach, excluded, versions, declared, changes_at = rest
    return EffectRow(
        incident=incident,
        contract=contract,
        system=system,
        opened_at=opened_at,
        disclosed=disclosed,
        disclosure=None if declared_at is None else Interval(declared_at, withdrawn_at),
        late=late,
        breach=breach,
        excluded=excluded,
        versions=tuple(versions),
        declared=tuple(declared),
        changes_at=changes_at,
    )


def commitment_values(ledger: str, reading: str, number: int, row: CommitmentRow) -> Values:
    """A row of `commitments`."""
    return (
        ledger,
        reading,
        row.contract,
        number,
        row.commitment.service.value,
        row.commitment.value,
        row.activity,
        row.period and row.period.start,
        row.period and row.period.end,
        row.cut_short,
        row.commitment.unit,
        row.due,
        row.done,
        row.open,
        row.missed,
        row.exceeded,
        row.outside,
        row.late,
        row.settled,
        [deed_told(performance) for performance in row.performances],
        list(row.monitoring),
        [finding_told(finding) for finding in row.findings],
        list(row.versions),
        row.changes_at,
    )


def commitment_row(values: Values) -> CommitmentRow:
    """The row of `commitments` read back."""
    (_, _, contract, _, _, commitment, activity, start, end, cut_short, _, due, *rest) = values
    settled, deeds, monitoring, findings, versions, changes_at = rest[-6:]
    return CommitmentRow(
        contract=contract,
        commitment=Commitment(commitment),
        activity=activity,
        period=None if start is None else Period(start, end, whole=not cut_short),
        due=due,
        performances=tuple(map(_performance, deeds)),
        settled=settled,
        monitoring=tuple(monitoring),
        findings=tuple(map(_finding, findings)),
        changes_at=changes_at,
        versions=tuple(versions),
    )


def deed_told(performance: Performance) -> dict[str, Any]:
    """Something done, as JSON tells it."""
    told = {name: list(value) if isinstance(value, tuple) else value for name, value in performance._asdict().items()}
    return {**told, "at": instant_text(performance.at)}


def _performance(told: dict[str, Any]) -> Performance:
    lists = {name: tuple(told[name]) for name in ("about", "by", "versions")}
    return Performance(**{**told, **lists, "at": read_instant(told["at"])})


def finding_told(finding: Finding) -> dict[str, Any]:
    """A finding, as JSON tells it."""
    return {**finding._asdict(), "versions": list(finding.versions)}


def _finding(told: dict[str, Any]) -> Finding:
    return Finding(told["code"], told["clause"], told["text"], tuple(told["versions"]))


def cents(euro: Decimal) -> int:
    """Euro with two places as whole cents."""
    return int(euro.scaleb(2))


def amount(whole_cents: int) -> Decimal:
    """Whole cents as euro with two places."""
    return Decimal(whole_cents).scaleb(-2)
