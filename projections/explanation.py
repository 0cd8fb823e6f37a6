"""An incident explained: every slice of its clocks, counted or not and why, adding up to net (A3, A4, H3)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from domain.contract_facts import (
    CalendarAdopted,
    ContractRenewed,
    ContractSigned,
    ContractTerminated,
    CoverageExtended,
    OptionActivated,
    OptionEnded,
    ServiceLevelRevised,
)
from domain.coverage import CoverageDecision
from domain.facts import Fact
from domain.incident import (
    ClockResumed,
    ClockSuspended,
    IncidentClosed,
    IncidentReassessed,
    IncidentReopened,
    IncidentTakenInCharge,
    ResponsibilityAttributed,
)
from domain.terms import Clock, Priority
from domain.values import Responsibility, moment
from domain.working_time import OutsideCoverage, Segment, WorkingCalendar
from projections.as_of import ContractAsOf, IncidentAsOf, Replay
from projections.clocks import Judged, Span, Suspended, parts, span
from projections.compliance import (
    ComplianceRow,
    calendar_of,
    counting_suspensions,
    judge_incident,
    ruling_reassessment,
)

Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch of a clock: `counted_us` working microseconds count towards net, for the reason and clause given.

    `why` is working, closed, holiday or suspended; `detail` the holiday's name or the cause. `window` is the working
    window it lies in.
    """

    start: int
    end: int
    day: date
    window: Interval | None
    why: str
    detail: str | None
    clause: str
    counted_us: int
    net_us: int


@dataclass(frozen=True, slots=True)
class ClockExplained:
    """One clock, slice by slice; the counted slices add up to `judged.net_us`."""

    clock: Clock
    judged: Judged
    span: Span
    slices: tuple[Slice, ...]
    versions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """An incident, its two clocks, and the versions of each stream that the verdict rests on."""

    row: ComplianceRow
    answer: CoverageDecision
    priority: Priority | None
    time_zone: str
    terms_source: str | None
    clocks: tuple[ClockExplained, ...]
    streams: dict[str, tuple[int, ...]]


def explain(incident: str, replay: Replay) -> Explanation | None:
    """The incident explained, or None where its opening is not told."""
    told = replay.incident(incident)
    if told is None:
        return None
    row = judge_incident(told, replay)
    signed = told.contract.contract.signed if told.contract else None
    return Explanation(
        row=row,
        answer=told.answer,
        priority=row.priority,
        time_zone=signed.terms.time_zone if signed else "Europe/Rome",
        terms_source=signed.terms.source if signed else None,
        clocks=tuple(_clock(told, clock, replay, row) for clock in Clock),
        streams=_streams(told, row),
    )


def _clock(told: IncidentAsOf, clock: Clock, replay: Replay, row: ComplianceRow) -> ClockExplained:
    judged = (row.charge if clock is Clock.CHARGE else row.intervention).judged
    where = span(told.incident, clock, told.ends_with, replay.as_of)
    calendar = calendar_of(told)
    paused = counting_suspensions(told, replay)
    slices = tuple(_slices(calendar, where, paused)) if calendar and judged.net_us is not None else ()
    return ClockExplained(clock, judged, where, slices, _used(told, clock, where, replay))


def _slices(calendar: WorkingCalendar, where: Span, paused: Sequence[Suspended]) -> Iterator[Slice]:
    net = 0
    waiting: Slice | None = None
    for start, end, cause in parts(where, paused):
        for part in _segments(calendar, start, end, cause):
            why, detail, clause = _why(part, cause)
            counted = part.end - part.start if why == "working" else 0
            net += counted
            piece = Slice(part.start, part.end, part.day, part.window, why, detail, clause, counted, net)
            if waiting and _same_closure(waiting, piece):
                waiting = replace(waiting, end=piece.end)
                continue
            if waiting:
                yield waiting
            waiting = piece
    if waiting:
        yield waiting


def _segments(calendar: WorkingCalendar, start: int, end: int, cause: Responsibility | None) -> Iterator[Segment]:
    try:
        yield from list(calendar.segments(start, end))
    except OutsideCoverage:
        if cause is None:
            raise
        # Beyond the calendars it is enough to know that the clock stood still.
        day = moment(start).astimezone(calendar.zone).date()
        yield Segment(start, end, day, (start, end), None)


def _same_closure(left: Slice, right: Slice) -> bool:
    """One night or weekend reads as one slice, not as one for each day it touches."""
    return left.why == right.why == "closed"


def _why(part: Segment, cause: Responsibility | None) -> tuple[str, str | None, str]:
    if part.window is not None:
        if cause:
            return "suspended", str(cause), "A4"
        return "working", None, "H4" if part.agreed else "H3"
    return ("holiday", part.holiday, "H1") if part.holiday else ("closed", None, "H1")


def _used(told: IncidentAsOf, clock: Clock, where: Span, replay: Replay) -> tuple[int, ...]:
    """The versions of the incident's facts that this clock rests on."""
    reassessed = ruling_reassessment(told, clock, replay)
    used = (fact for fact in told.facts if _matters(fact.fact, clock, where, reassessed))
    return tuple(sorted(version for fact in used for version in fact.versions))


def _matters(fact: Fact, clock: Clock, where: Span, reassessed: IncidentReassessed | None) -> bool:
    match fact:
        case ClockSuspended() | ClockResumed():
            return fact.at <= where.end
        case ResponsibilityAttributed():
            return fact.clock is clock
        case IncidentReassessed():
            return fact is reassessed
        case IncidentReopened():
            return False
        case IncidentTakenInCharge() if clock is Clock.INTERVENTION:
            return False
        case IncidentClosed(reason=reason) if reason.void != where.void:
            return False
        case _:
            return fact.at in (where.start, where.end)


def _streams(told: IncidentAsOf, row: ComplianceRow) -> dict[str, tuple[int, ...]]:
    streams = {f"incident-{told.incident.id}": row.versions}
    if told.contract is not None:
        about_system = told.contract.versions_about(told.opened.system) if told.opened.system else ()
        streams[f"contract-{told.contract.contract.id}"] = tuple(
            sorted({*_contract_versions(told.contract), *about_system})
        )
        streams[f"credits-{told.contract.contract.id}"] = tuple(
            version
            for fact in told.contract.account_facts
            if fact.fact.at <= told.opened.at
            for version in fact.versions
        )
    return streams


def _contract_versions(contract: ContractAsOf) -> tuple[int, ...]:
    return contract.versions(
        ContractSigned,
        ContractRenewed,
        OptionActivated,
        OptionEnded,
        ServiceLevelRevised,
        CalendarAdopted,
        CoverageExtended,
        ContractTerminated,
    )
