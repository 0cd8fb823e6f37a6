"""Compliance of each incident: coverage, both clocks, who is responsible (A2-A6, G2, G3).

One incident in, one row out; the rows are what ratios, penalties and the queue are counted from.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from domain.coverage import CoverageDecision
from domain.incident import IncidentReassessed
from domain.terms import Clock, Priority
from domain.values import Responsibility
from domain.working_time import WorkingCalendar
from projections.as_of import IncidentAsOf, Replay
from projections.clocks import Judged, Suspended, Verdict, earliest, judge, span, suspensions
from projections.history import Finding

UNDISCLOSED = "undisclosed_system"
"""The code of the finding that an incident is no case, because of what the customer had not told of (S1)."""
NO_CALENDAR = Judged(None, None, None, None, Verdict.BEST_EFFORT, None, None)
"""A clock of a request under no contract: there is no calendar to measure it in."""


@dataclass(frozen=True, slots=True)
class ClockRow:
    """One clock of one incident: its verdict, and to whom a breach of it is due."""

    judged: Judged
    responsible: Responsibility

    @property
    def breached(self) -> bool:
        """Whether the guaranteed time was exceeded, by whosever fault."""
        return self.judged.verdict is Verdict.BREACHED

    @property
    def suppliers_breach(self) -> bool:
        """Whether it was exceeded for reasons of the supplier (A4, P1)."""
        return self.breached and self.responsible is Responsibility.SUPPLIER


@dataclass(frozen=True, slots=True)
class ComplianceRow:
    """One incident judged; `versions` are those of its stream that prove it.

    `changes_at`: when time alone may change any of it but what running clocks count.
    """

    incident: str
    contract: str | None
    opened_at: int
    answer: CoverageDecision
    priority: Priority | None
    charge: ClockRow
    intervention: ClockRow
    open: bool
    findings: tuple[Finding, ...]
    versions: tuple[int, ...]
    changes_at: int | None = None

    @property
    def clocks(self) -> tuple[ClockRow, ClockRow]:
        """Both clocks, charge first."""
        return self.charge, self.intervention

    @property
    def breach(self) -> bool:
        """Whether the incident is a supplier's breach: at least one breached clock is the supplier's."""
        return any(clock.suppliers_breach for clock in self.clocks)

    @property
    def responsible(self) -> Responsibility | None:
        """Whose the breach is: the supplier's if one clock's is; None where no clock is breached."""
        if self.breach:
            return Responsibility.SUPPLIER
        return next((clock.responsible for clock in self.clocks if clock.breached), None)

    @property
    def undecided(self) -> bool:
        """Whether it holds a clock that is still running, or that the calendars do not reach."""
        return any(not clock.judged.verdict.decided for clock in self.clocks)

    @property
    def excluded(self) -> bool:
        """Whether the reading makes it no case, because the system that it affects was not disclosed (S1)."""
        return any(finding.code == UNDISCLOSED for finding in self.findings)


def compliance(replay: Replay, incidents: Iterable[IncidentAsOf] | None = None) -> list[ComplianceRow]:
    """Every incident told (or those given), judged; by contract, opening, id."""
    rows = (judge_incident(told, replay) for told in (replay.incidents() if incidents is None else incidents))
    return sorted(rows, key=lambda row: (row.contract or "", row.opened_at, row.incident))


def judge_incident(told: IncidentAsOf, replay: Replay) -> ComplianceRow:
    """One incident judged under the telling's reading, as of its instant."""
    clocks = {clock: _judge_clock(told, clock, replay) for clock in Clock}
    findings = [*told.findings, *_calendar_findings(told, clocks, replay.as_of)]
    if is_excluded(told, replay):
        clocks = {clock: judged.as_no_case() for clock, judged in clocks.items()}
        findings.append(_undisclosed(told))
    return ComplianceRow(
        incident=told.incident.id,
        contract=told.contract_name,
        opened_at=told.opened.at,
        answer=told.answer,
        priority=priority(told, replay),
        charge=ClockRow(clocks[Clock.CHARGE], _responsible(told, Clock.CHARGE)),
        intervention=ClockRow(clocks[Clock.INTERVENTION], _responsible(told, Clock.INTERVENTION)),
        open=told.incident.open,
        findings=tuple(findings),
        versions=told.versions,
        changes_at=earliest(*(judged.recheck_at for judged in clocks.values()), told.next_at),
    )


def priority(told: IncidentAsOf, replay: Replay, clock: Clock = Clock.INTERVENTION) -> Priority | None:
    """The priority that a clock's target follows from (A2): as declared, or (a reading) as last reassessed."""
    if told.contract is None or told.contract.contract.signed is None:
        return None
    assessment = ruling_reassessment(told, clock, replay) or told.opened
    return told.contract.contract.signed.terms.matrix.priority(assessment.impact, assessment.urgency)


def ruling_reassessment(told: IncidentAsOf, clock: Clock, replay: Replay) -> IncidentReassessed | None:
    """The reassessment that rules a clock under reading `latest`: the last one not after its stop (A2)."""
    if replay.reading.reassessment == "declared" or told.contract is None:
        return None
    end = span(told.incident, clock, told.ends_with, replay.as_of).end
    by_then = [fact for fact in told.incident.reassessments if fact.at <= end]
    return by_then[-1] if by_then else None


def target(told: IncidentAsOf, clock: Clock, replay: Replay) -> int | None:
    """The guaranteed time of a clock in working microseconds, by the levels in force at the opening (A3, A6)."""
    ruling = priority(told, replay, clock)
    if told.contract is None or ruling is None or not told.answer.guaranteed:
        return None
    return told.contract.contract.levels(told.opened.at).level(ruling).target(clock)


def counting_suspensions(told: IncidentAsOf, replay: Replay) -> list[Suspended]:
    """The suspensions that stop the clocks under the telling's reading (A4)."""
    return suspensions(told.incident) if replay.reading.suspensions == "excluded" else []


def is_excluded(told: IncidentAsOf, replay: Replay) -> bool:
    """Whether the telling's reading makes it no case: its system was not declared at its opening (S1)."""
    return replay.reading.undisclosed == "excluded" and told.disclosed is False


def calendar_of(told: IncidentAsOf) -> WorkingCalendar | None:
    """The working calendar that an incident's clocks run in."""
    return told.contract.calendar(told.hours) if told.contract else None


def _judge_clock(told: IncidentAsOf, clock: Clock, replay: Replay) -> Judged:
    calendar = calendar_of(told)
    if calendar is None:
        return NO_CALENDAR
    reassessed = ruling_reassessment(told, clock, replay)
    return judge(
        calendar,
        span(told.incident, clock, told.ends_with, replay.as_of),
        counting_suspensions(told, replay),
        target(told, clock, replay),
        contract_end=told.ends_with,
        retargeted_at=reassessed.at if reassessed else None,
    )


def _responsible(told: IncidentAsOf, clock: Clock) -> Responsibility:
    attributed = [fact.party for fact in told.incident.attributions if fact.clock is clock]
    return attributed[-1] if attributed else Responsibility.SUPPLIER


def _undisclosed(told: IncidentAsOf) -> Finding:
    system, contract = told.opened.system, told.contract_name
    text = f"affects system {system}, which was not declared under {contract} when it was opened: it is no case"
    return Finding(UNDISCLOSED, "S1", text, told.opening_versions)


def _calendar_findings(told: IncidentAsOf, clocks: Mapping[Clock, Judged], as_of: int) -> list[Finding]:
    calendar = calendar_of(told)
    if calendar is None or told.contract is None:
        return []
    if any(judged.net_us is None or judged.suspended_us is None for judged in clocks.values()):
        years = calendar.years_text
        text = f"a clock runs outside the years that the adopted calendars cover ({years}): adopt one that covers them"
        return [Finding("calendar_does_not_cover", "H1", text)]
    longest = clocks[Clock.INTERVENTION]
    end = longest.accrued.at if longest.stopped else as_of
    if end is None:
        return []
    found = []
    if calendar.judged_by_later(told.opened.at, end):
        text = "some of its days are judged by a calendar adopted only after they had begun"
        found.append(Finding("calendar_adopted_later", "H1", text))
    if any(start < end and told.opened.at < close for start, close in told.contract.extended_too_late(told.hours)):
        text = "some of its days an extension would reach that was agreed only after they had begun: it does not count"
        found.append(Finding("extension_agreed_later", "H4", text))
    return found
