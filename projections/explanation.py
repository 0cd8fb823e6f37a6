"""An incident explained: every slice of its clocks, counted or not and why, adding up to net (A3, A4, H3).

Judging and explaining take the same `ClockInputs`, made once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

from domain.coverage import CoverageDecision
from domain.facts import Fact
from domain.incident_facts import (
    ClockResumed,
    ClockSuspended,
    IncidentClosed,
    IncidentReassessed,
    IncidentReopened,
    IncidentTakenInCharge,
    ResponsibilityAttributed,
)
from domain.terms import Clock, Priority
from domain.values import moment
from domain.working_time import OutsideCoverage, Segment, WorkingCalendar
from domain.zone_rules import Zone
from projections.as_of import IncidentAsOf
from projections.clock_inputs import ClockInputs, Span, Suspended, clock_inputs
from projections.clock_run import parts
from projections.clocks import Judged
from projections.compliance import ComplianceRow, judge_clocks
from projections.replay import Replay


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch of a clock: `counted_us` working microseconds count towards net, for the reason and clause given.

    `why` is working, closed, holiday, suspended or withdrawn (void by the customer's word, and reopened since);
    `detail` the holiday's name or the cause. `window` is the working window it lies in.
    """

    start: int
    end: int
    day: date
    window: tuple[int, int] | None
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
    zone: Zone
    terms_source: str | None
    clocks: tuple[ClockExplained, ...]
    streams: dict[str, tuple[int, ...]]


def explain(name: str, replay: Replay) -> Explanation | None:
    """The incident of that name explained, or None where its opening does not count (yet)."""
    incident = replay.incident(name)
    if incident is None:
        return None
    inputs = clock_inputs(incident, replay.reading, replay.as_of)
    row = judge_clocks(incident, inputs, replay)
    signed = incident.contract.contract.signed if incident.contract else None
    return Explanation(
        row=row,
        answer=incident.decision,
        priority=row.priority,
        zone=incident.contract.contract.zone if incident.contract else ZoneInfo("Europe/Rome"),
        terms_source=signed.terms.source if signed else None,
        clocks=(
            _clock(incident, Clock.CHARGE, inputs[Clock.CHARGE], row.charge.judged),
            _clock(incident, Clock.INTERVENTION, inputs[Clock.INTERVENTION], row.intervention.judged),
        ),
        streams=_streams(incident, row),
    )


def _clock(incident: IncidentAsOf, clock: Clock, inputs: ClockInputs, judged: Judged) -> ClockExplained:
    slices: tuple[Slice, ...] = ()
    if inputs.calendar is not None and judged.net_us is not None:
        slices = tuple(_slices(inputs.calendar, inputs.span, inputs.suspended))
    return ClockExplained(clock, judged, inputs.span, slices, _used(incident, clock, inputs))


def _slices(calendar: WorkingCalendar, span: Span, suspended: Sequence[Suspended]) -> Iterator[Slice]:
    net = 0
    waiting: Slice | None = None
    for start, end, pause in parts(span, suspended):
        for part in _segments(calendar, start, end, pause):
            why, detail, clause = _why(part, pause)
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


def _segments(calendar: WorkingCalendar, start: int, end: int, pause: Suspended | None) -> Iterator[Segment]:
    try:
        yield from list(calendar.segments(start, end))
    except OutsideCoverage:
        if pause is None:
            raise
        # Beyond the calendars it is enough to know that the clock stood still.
        day = moment(start).astimezone(calendar.zone).date()
        yield Segment(start, end, day, (start, end), None)


def _same_closure(left: Slice, right: Slice) -> bool:
    """One night or weekend reads as one slice, not as one for each day it touches."""
    return left.why == right.why == "closed"


def _why(part: Segment, pause: Suspended | None) -> tuple[str, str | None, str]:
    if part.window is not None:
        if pause:
            return ("withdrawn", None, "P1") if pause.withdrawn else ("suspended", str(pause.cause), "A4")
        return "working", None, "H4" if part.agreed else "H3"
    return ("holiday", part.holiday, "H1") if part.holiday else ("closed", None, "H1")


def _used(incident: IncidentAsOf, clock: Clock, inputs: ClockInputs) -> tuple[int, ...]:
    """The versions of the incident's facts that this clock rests on."""
    used = (one for one in incident.facts if _matters(one.fact, clock, inputs))
    return tuple(sorted(version for one in used for version in one.versions))


def _matters(fact: Fact, clock: Clock, inputs: ClockInputs) -> bool:
    span = inputs.span
    match fact:
        case ClockSuspended() | ClockResumed():
            return fact.at <= span.end
        case ResponsibilityAttributed():
            return fact.clock is clock
        case IncidentReassessed():
            return fact is inputs.reassessed
        case IncidentReopened():
            return False
        case IncidentTakenInCharge() if clock is Clock.INTERVENTION:
            return False
        case IncidentClosed(reason=reason) if reason.void is not (span.void is not None):
            return False
        case _:
            return fact.at in (span.start, span.end)


def _streams(incident: IncidentAsOf, row: ComplianceRow) -> dict[str, tuple[int, ...]]:
    streams = {f"incident-{incident.incident.id}": row.versions}
    if (contract := incident.contract) is not None:
        basis = contract.basis(incident.opened.at)
        about_system = contract.versions_about(incident.opened.system) if incident.opened.system else ()
        of_contract = {*basis.contract, *basis.calendar, *about_system}
        streams[f"contract-{contract.contract.id}"] = tuple(sorted(of_contract))
        streams[f"credits-{contract.contract.id}"] = tuple(basis.credits)
    return streams
