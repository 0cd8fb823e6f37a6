"""The two clocks of an incident: what ran, what did not count, and the verdict (A3, A4, A5, H3).

A clock runs in working time from the opening to its stop. What counts is net: working time elapsed less the working
time of suspensions that are not the supplier's. Judged on net, never on the due instant.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Literal, NamedTuple

from domain.incident import ClockSuspended, Incident, IncidentClosed, IncidentResolved
from domain.terms import Clock
from domain.values import Responsibility
from domain.working_time import OutsideCoverage, WorkingCalendar


class Verdict(StrEnum):
    """What a clock shows. BEST_EFFORT: no time is guaranteed. UNDECIDED: the calendars do not reach."""

    MET = "met"
    RUNNING = "running"
    BREACHED = "breached"
    VOID = "void"
    UNDECIDED = "undecided"
    BEST_EFFORT = "best_effort"

    @property
    def decided(self) -> bool:
        """Whether no more time can change it."""
        return self not in (Verdict.RUNNING, Verdict.UNDECIDED)


class Suspended(NamedTuple):
    """An interval in which the clocks do not run, and by whose cause; `end` is None while it lasts."""

    start: int
    end: int | None
    cause: Responsibility


class Span(NamedTuple):
    """Where a clock starts and ends, and how it ended: at its stop, void, or not yet (at as_of)."""

    start: int
    end: int
    stopped: bool
    void: bool


class Accrued(NamedTuple):
    """What a clock had counted at the last instant at which it started, was suspended or ended.

    Until the next fact this does not change, though the clock may run on: what it counts since follows from the
    calendar alone. Durations are None beyond the calendars, `at` where there is no calendar.
    """

    at: int | None
    net_us: int | None
    suspended_us: int | None
    state: Literal["running", "suspended", "ended"]

    def measured(self, calendar: WorkingCalendar | None, as_of: int) -> tuple[int | None, int | None]:
        """Net and suspended working time at `as_of`, an instant before which nothing else was told."""
        if self.at is None or calendar is None or self.state == "ended" or self.net_us is None:
            return self.net_us, self.suspended_us
        try:
            since = calendar.elapsed(self.at, as_of)
        except OutsideCoverage:
            return (None, None) if self.state == "running" else (self.net_us, None)
        if self.state == "running":
            return self.net_us + since, self.suspended_us
        return self.net_us, None if self.suspended_us is None else self.suspended_us + since


class Judged(NamedTuple):
    """A clock judged. Durations in working microseconds, instants in microseconds UTC.

    `changes_at`: when time alone will change the verdict. `decided_at`: when it became met or breached. `stopped`:
    whether it has ended; a clock that is breached may still be running. `recheck_at`: when time alone may change
    anything of it but the time it counts while it runs; until then `accrued` and the calendar tell all.
    """

    target_us: int | None
    net_us: int | None
    suspended_us: int | None
    due: int | None
    verdict: Verdict
    changes_at: int | None
    decided_at: int | None
    stopped: bool = False
    accrued: Accrued = Accrued(None, None, None, "ended")
    recheck_at: int | None = None

    @property
    def exceeded(self) -> bool:
        """Whether more than the target has counted, be it of a case or of none."""
        return self.target_us is not None and self.net_us is not None and self.net_us > self.target_us

    def as_no_case(self) -> "Judged":
        """The same measured, with the verdict `void`; a best effort stays one.

        It is looked at again when it would have been (`recheck_at`): `exceeded` still changes.
        """
        verdict = self.verdict if self.verdict is Verdict.BEST_EFFORT else Verdict.VOID
        return self._replace(verdict=verdict, changes_at=None, decided_at=None)


def suspensions(incident: Incident) -> list[Suspended]:
    """The suspensions that stop the clocks, in order; those caused by the supplier stop nothing (A4).

    The last one told rules: suspending again replaces the cause, resuming ends all.
    """
    intervals: list[Suspended] = []
    running: tuple[int, Responsibility] | None = None
    for fact in incident.suspensions:
        if running and running[0] < fact.at:
            intervals.append(Suspended(running[0], fact.at, running[1]))
        counting = isinstance(fact, ClockSuspended) and fact.cause is not Responsibility.SUPPLIER
        running = (fact.at, fact.cause) if counting and isinstance(fact, ClockSuspended) else None
    return [*intervals, Suspended(running[0], None, running[1])] if running else intervals


def span(incident: Incident, clock: Clock, contract_end: int | None, as_of: int) -> Span:
    """From the opening to the earliest fact that stops this clock, or to what voids it, or to `as_of` (A5).

    A stop at the very instant that would void it is a stop.
    """
    if incident.opened is None:
        raise ValueError("an incident without opening has no clocks")
    stops = [fact.at for fact in incident.interventions]
    stops += [fact.at for fact in incident.endings if isinstance(fact, IncidentResolved)]
    stops += [fact.at for fact in incident.endings if isinstance(fact, IncidentClosed) and not fact.reason.void]
    if clock is Clock.CHARGE:
        stops += [fact.at for fact in incident.charges]
    voids = [fact.at for fact in incident.endings if isinstance(fact, IncidentClosed) and fact.reason.void]
    if contract_end is not None and contract_end <= as_of:
        voids.append(contract_end)
    stop, void = min(stops, default=None), min(voids, default=None)
    start = incident.opened.at
    if stop is not None and (void is None or stop <= void):
        return Span(start, stop, stopped=True, void=False)
    if void is not None:
        return Span(start, max(start, void), stopped=False, void=True)
    return Span(start, as_of, stopped=False, void=False)


def judge(
    calendar: WorkingCalendar,
    span: Span,
    suspended: Sequence[Suspended],
    target: int | None,
    *,
    contract_end: int | None = None,
    retargeted_at: int | None = None,
) -> Judged:
    """Judge one clock against `target` working microseconds (None: best effort, only measured).

    `retargeted_at`: the target was set by a reassessment then, and a net already beyond it is breached only then.
    """
    run, ended = _ClockRun(calendar, span, suspended), span.stopped or span.void
    net, accrued = run.net(), run.accrued(ended=ended)
    recheck_at = None if ended else earliest(contract_end, run.beyond_the_calendars())
    if net is None:
        verdict = Verdict.BEST_EFFORT if target is None else Verdict.UNDECIDED
        return Judged(target, None, None, None, verdict, None, None, ended, accrued, recheck_at)
    suspended_us = run.suspended(net)
    if target is None:
        verdict = Verdict.BEST_EFFORT
        return Judged(None, net, suspended_us, None, verdict, None, None, ended, accrued, recheck_at)
    due = run.reaches(target)
    verdict = _verdict(span, net, target)
    changes_at = decided_at = None
    if verdict is Verdict.BREACHED:
        decided_at = max(run.reaches(target + 1) or span.end, retargeted_at or span.start)
    elif verdict is Verdict.MET:
        decided_at = span.end
    elif verdict is Verdict.RUNNING:
        beyond = None if run.suspended_at_end else run.beyond_the_calendars()
        changes_at = earliest(run.reaches(target + 1), contract_end, beyond)
    recheck_at = earliest(recheck_at, changes_at)
    return Judged(target, net, suspended_us, due, verdict, changes_at, decided_at, ended, accrued, recheck_at)


def earliest(*instants: int | None) -> int | None:
    """The first of some instants, those that never come (None) left out; None where none comes."""
    return min((instant for instant in instants if instant is not None), default=None)


def _verdict(span: Span, net: int, target: int) -> Verdict:
    if net > target:
        return Verdict.BREACHED
    if span.stopped:
        return Verdict.MET
    return Verdict.VOID if span.void else Verdict.RUNNING


def parts(span: Span, suspended: Sequence[Suspended]) -> Iterator[tuple[int, int, Responsibility | None]]:
    """A span cut where a suspension begins or ends, each part with the cause that suspends it (None: it runs)."""
    start = span.start
    for pause in suspended:
        if pause.start >= span.end:
            break
        if start < pause.start:
            yield start, pause.start, None
        start = span.end if pause.end is None else min(pause.end, span.end)
        yield pause.start, start, pause.cause
    if start < span.end:
        yield start, span.end, None


class _ClockRun:
    """Net working time along a span: the segments in which the clock ran, each with the working time in it."""

    def __init__(self, calendar: WorkingCalendar, span: Span, suspended: Sequence[Suspended]) -> None:
        self.calendar = calendar
        self.start, self.end = span.start, span.end
        lasting = [p.start for p in suspended if p.start <= span.end and (p.end is None or span.end < p.end)]
        self.suspended_at_end = bool(lasting)
        resumed = (p.end for p in suspended if p.end is not None and p.end <= span.end)
        self.turned_at = lasting[0] if lasting else max(resumed, default=span.start)
        try:
            self.until: int | None = calendar.covered_until(span.start)
        except OutsideCoverage:
            self.until = None
        self.whole = self._worked(span.start, span.end)
        worked = [
            (start, self.whole if (start, end) == span[:2] else self._worked(start, end))
            for start, end, cause in parts(span, suspended)
            if cause is None
        ]
        told = [(start, amount) for start, amount in worked if amount is not None]
        self.ran = told if self.until is not None and len(told) == len(worked) else None

    def _worked(self, start: int, end: int) -> int | None:
        try:
            return self.calendar.elapsed(start, end)
        except OutsideCoverage:
            return None

    def net(self) -> int | None:
        """Working time in which the clock ran; None beyond the calendars."""
        return None if self.ran is None else sum(worked for _, worked in self.ran)

    def suspended(self, net: int) -> int | None:
        """Working time in which it was suspended; None beyond the calendars."""
        return None if self.whole is None else self.whole - net

    def beyond_the_calendars(self) -> int | None:
        """When working time since the start can no longer be told; None where it cannot be told already."""
        return self.until + 1 if self.until is not None and self.until >= self.end else None

    def accrued(self, *, ended: bool) -> Accrued:
        """What had been counted when the clock last started, was suspended or ended."""
        state: Literal["running", "suspended", "ended"] = "suspended" if self.suspended_at_end else "running"
        at = self.turned_at
        if ended:
            state, at = "ended", self.end
        if self.ran is None:
            return Accrued(at, None, None, state)
        net = sum(worked for start, worked in self.ran if start < at)
        until_then = self.whole if at == self.end else self._worked(self.start, at)
        return Accrued(at, net, None if until_then is None else until_then - net, state)

    def reaches(self, amount: int) -> int | None:
        """The earliest instant at which net reaches `amount`; None while suspended or beyond the calendars."""
        for start, worked in self.ran or ():
            if worked >= amount:
                return self.calendar.due(start, amount)
            amount -= worked
        if self.suspended_at_end:
            return None
        try:
            return self.calendar.due(self.end, amount)
        except OutsideCoverage:
            return None
