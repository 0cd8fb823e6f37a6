"""What the clocks of one incident are judged by, and explained from: made once, so that the two cannot disagree.

A clock runs from the opening to its stop (A5), in the working calendar of its contract (H3), but for suspensions that
are not the supplier's (A4), against the time guaranteed for its priority at the opening (A2, A3, A6).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from domain.incident import Incident
from domain.incident_facts import (
    ClockSuspended,
    ClosingReason,
    IncidentClosed,
    IncidentReassessed,
    IncidentResolved,
)
from domain.interval import Interval
from domain.terms import Clock, Priority
from domain.values import Responsibility
from domain.working_time import WorkingCalendar
from projections.as_of import IncidentAsOf
from projections.readings import Reading


class VoidCause(StrEnum):
    """Why a clock or a request is not counted: how its contract or the request itself ended, or what it affects."""

    CONTRACT_ENDED = "contract_ended"
    DUPLICATE = ClosingReason.DUPLICATE.value
    WITHDRAWN = ClosingReason.WITHDRAWN.value
    UNDISCLOSED_SYSTEM = "undisclosed_system"


@dataclass(frozen=True, slots=True)
class Suspended(Interval):
    """A time for which the clocks do not run, and by whose cause; without an end while it lasts.

    `withdrawn`: the request was void then, by the customer's word, and has been reopened since.
    """

    cause: Responsibility
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Span(Interval):
    """Where a clock starts and ends, and how it ended: at its stop, void, or not yet (at as_of)."""

    end: int
    stopped: bool
    void: VoidCause | None

    @property
    def ended(self) -> bool:
        """Whether it runs no more."""
        return self.stopped or self.void is not None


class ClockInputs(NamedTuple):
    """What one clock is judged by. Instants in microseconds UTC, `target_us` in working microseconds.

    `calendar` is None under no contract, `target_us` where no time is guaranteed. `contract_end`: when the end of the
    contract will void the clock (G2). `reassessed`: the reassessment that the priority follows from, if the reading
    admits any.
    """

    calendar: WorkingCalendar | None
    span: Span
    suspended: Sequence[Suspended]
    priority: Priority | None
    target_us: int | None
    contract_end: int | None
    reassessed: IncidentReassessed | None

    @property
    def retargeted_at(self) -> int | None:
        """When a reassessment set the target: a clock already beyond it is breached only then. None at the opening."""
        return self.reassessed.at if self.reassessed else None


def clock_inputs(incident: IncidentAsOf, reading: Reading, as_of: int) -> Mapping[Clock, ClockInputs]:
    """What each clock of an incident is judged by under a reading, as of an instant."""
    calendar = incident.contract.calendar(incident.hours) if incident.contract else None
    suspended = not_running(incident.incident, reading)
    found = {}
    for clock in Clock:
        end = incident.ends_with
        where = span(incident.incident, clock, end, as_of)
        reassessed = _ruling_reassessment(incident, where, reading)
        priority = _priority(incident, reassessed)
        target = _target(incident, clock, priority)
        found[clock] = ClockInputs(calendar, where, suspended, priority, target, end, reassessed)
    return found


def not_running(incident: Incident, reading: Reading) -> list[Suspended]:
    """The times for which the clocks stop, in order, none within another.

    While it was void by the customer's word a request asked nothing of anybody, under every reading.
    """
    suspended = suspended_intervals(incident) if reading.suspensions == "excluded" else []
    withdrawn = [Suspended(one.start, one.end, Responsibility.CUSTOMER, True) for one in incident.withdrawn_intervals]
    if not withdrawn:
        return suspended
    found: list[Suspended] = []
    for pause in sorted([*suspended, *withdrawn], key=lambda one: (one.start, not one.withdrawn)):
        last = found[-1] if found else None
        if last is None or last.ended_by(pause.start):
            found.append(pause)
        elif last.end is not None and (pause.end is None or pause.end > last.end):
            found.append(replace(pause, start=last.end))
    return found


def suspended_intervals(incident: Incident) -> list[Suspended]:
    """The times for which the clocks stop, in order; suspensions that the supplier caused stop nothing (A4).

    Suspending again replaces the cause, resuming ends every suspension.
    """
    found: list[Suspended] = []
    lasting: ClockSuspended | None = None
    for fact in incident.suspensions:
        if lasting and lasting.at < fact.at:
            found.append(Suspended(lasting.at, fact.at, lasting.cause))
        lasting = fact if isinstance(fact, ClockSuspended) and fact.cause is not Responsibility.SUPPLIER else None
    return [*found, Suspended(lasting.at, None, lasting.cause)] if lasting else found


def span(incident: Incident, clock: Clock, contract_end: int | None, as_of: int) -> Span:
    """From the opening to the earliest fact that stops this clock, or to what voids it, or to `as_of` (A5).

    A stop at the very instant that would void it is a stop. Raises ValueError for an incident without an opening.
    """
    if incident.opened is None:
        raise ValueError("an incident without opening has no clocks")
    stops = [fact.at for fact in incident.interventions]
    stops += [fact.at for fact in incident.endings if isinstance(fact, IncidentResolved)]
    stops += [fact.at for fact in incident.endings if isinstance(fact, IncidentClosed) and not fact.reason.void]
    if clock is Clock.CHARGE:
        stops += [fact.at for fact in incident.charges if not fact.automatic]
    voids = [(fact.at, VoidCause(fact.reason.value)) for fact in incident.void_closings]
    if contract_end is not None and contract_end <= as_of:
        voids.append((contract_end, VoidCause.CONTRACT_ENDED))
    stop, void = min(stops, default=None), min(voids, default=None, key=lambda one: one[0])
    start = incident.opened.at
    if stop is not None and (void is None or stop <= void[0]):
        return Span(start, stop, stopped=True, void=None)
    if void is not None:
        return Span(start, max(start, void[0]), stopped=False, void=void[1])
    return Span(start, as_of, stopped=False, void=None)


def _ruling_reassessment(incident: IncidentAsOf, where: Span, reading: Reading) -> IncidentReassessed | None:
    """The reassessment that rules a clock under reading `latest`: of those not after its stop the last one (A2).

    One that leaves the priority as it was decides nothing.
    """
    if reading.reassessment == "declared" or incident.contract is None:
        return None
    ruling, priority = None, _priority(incident, None)
    for fact in incident.incident.reassessments:
        if fact.at <= where.end and _priority(incident, fact) != priority:
            ruling, priority = fact, _priority(incident, fact)
    return ruling


def _priority(incident: IncidentAsOf, reassessed: IncidentReassessed | None) -> Priority | None:
    """The priority that a target follows from (A2): as declared, or as reassessed. None under no contract."""
    signed = incident.contract.contract.signed if incident.contract else None
    assessment = reassessed or incident.opened
    return signed.terms.matrix.priority(assessment.impact, assessment.urgency) if signed else None


def _target(incident: IncidentAsOf, clock: Clock, priority: Priority | None) -> int | None:
    """The guaranteed time of a clock in working microseconds, by the levels in force at the opening (A3, A6)."""
    if incident.contract is None or priority is None or not incident.decision.guaranteed:
        return None
    return incident.contract.contract.levels(incident.opened.at).level(priority).target(clock)
