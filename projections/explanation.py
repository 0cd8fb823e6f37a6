"""An incident explained: every slice of its clocks, counted or not and why, adding up to net (A3, A4, H3)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from domain.contract import CalendarAdopted, ContractSigned, ServiceLevelRevised
from domain.coverage import Answer
from domain.facts import Fact
from domain.incident import (
    ClockResumed,
    ClockSuspended,
    IncidentClosed,
    IncidentReassessed,
    IncidentReopened,
    ResponsibilityAttributed,
)
from domain.terms import Clock, Priority
from domain.working_time import Stretch, WorkingCalendar
from projections.clocks import Judged, Span, Suspended, span, suspensions
from projections.compliance import ComplianceRow, calendar_of, judge_incident, ruling_reassessment
from projections.history import ContractTold, IncidentTold, Telling

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
    answer: Answer
    priority: Priority | None
    time_zone: str
    terms_source: str | None
    clocks: tuple[ClockExplained, ...]
    streams: dict[str, tuple[int, ...]]


def explain(incident: str, telling: Telling) -> Explanation | None:
    """The incident explained, or None where its opening is not told."""
    told = telling.incident(incident)
    if told is None:
        return None
    row = judge_incident(told, telling)
    signed = told.contract.contract.signed if told.contract else None
    return Explanation(
        row=row,
        answer=told.answer,
        priority=row.priority,
        time_zone=signed.terms.time_zone if signed else "Europe/Rome",
        terms_source=signed.terms.source if signed else None,
        clocks=tuple(_clock(told, clock, telling, row) for clock in Clock),
        streams=_streams(told, row),
    )


def _clock(told: IncidentTold, clock: Clock, telling: Telling, row: ComplianceRow) -> ClockExplained:
    judged = (row.charge if clock is Clock.CHARGE else row.intervention).judged
    where = span(told.incident, clock, told.ends_with, telling.as_of)
    calendar = calendar_of(told)
    paused = suspensions(told.incident) if telling.reading.suspensions == "excluded" else []
    slices = tuple(_slices(calendar, where, paused)) if calendar and judged.suspended_us is not None else ()
    return ClockExplained(clock, judged, where, slices, _used(told, clock, where, telling))


def _slices(calendar: WorkingCalendar, where: Span, paused: Sequence[Suspended]) -> Iterator[Slice]:
    net = 0
    waiting: Slice | None = None
    for part, cause in _cut(calendar.stretches(where.start, where.end), paused):
        why, detail, clause = _why(part, cause)
        counted = part.end - part.start if why == "working" else 0
        net += counted
        piece = Slice(part.start, part.end, part.day, part.window, why, detail, clause, counted, net)
        if waiting and _same_closure(waiting, piece):
            waiting = Slice(waiting.start, piece.end, waiting.day, None, why, detail, clause, 0, net)
            continue
        if waiting:
            yield waiting
        waiting = piece
    if waiting:
        yield waiting


def _same_closure(left: Slice, right: Slice) -> bool:
    """One night or weekend reads as one slice, not as one for each day it touches."""
    return left.why == right.why == "closed"


def _cut(parts: Iterator[Stretch], paused: Sequence[Suspended]) -> Iterator[tuple[Stretch, str | None]]:
    """Stretches cut again where a suspension begins or ends, each with the cause that suspends it."""
    for part in parts:
        edges = {part.start, part.end}
        edges.update(edge for pause in paused for edge in (pause.start, pause.end) if edge is not None)
        inside = sorted(edge for edge in edges if part.start <= edge <= part.end)
        for start, end in pairwise(inside):
            cause = next((p.cause for p in paused if p.start <= start and (p.end is None or start < p.end)), None)
            yield part._replace(start=start, end=end), str(cause) if cause else None


def _why(part: Stretch, cause: str | None) -> tuple[str, str | None, str]:
    if part.window is None:
        return ("holiday", part.holiday, "H1") if part.holiday else ("closed", None, "H1")
    return ("suspended", cause, "A4") if cause else ("working", None, "H3")


def _used(told: IncidentTold, clock: Clock, where: Span, telling: Telling) -> tuple[int, ...]:
    """The versions of the incident's facts that this clock rests on."""
    reassessed = ruling_reassessment(told, clock, telling)
    return tuple(sorted(fact.version for fact in told.facts if _matters(fact.fact, clock, where, reassessed)))


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
        case IncidentClosed(reason=reason) if reason.void != where.void:
            return False
        case _:
            return fact.at in (where.start, where.end)


def _streams(told: IncidentTold, row: ComplianceRow) -> dict[str, tuple[int, ...]]:
    streams = {f"incident-{told.incident.id}": row.versions}
    if told.contract is not None:
        streams[f"contract-{told.contract.contract.id}"] = _contract_versions(told.contract)
        streams[f"credits-{told.contract.contract.id}"] = tuple(
            fact.version for fact in told.contract.account_facts if fact.fact.at <= told.opened.at
        )
    return streams


def _contract_versions(contract: ContractTold) -> tuple[int, ...]:
    kinds = (ContractSigned, ServiceLevelRevised, CalendarAdopted)
    return tuple(sorted(version for kind in kinds for version in contract.versions(kind)))
