"""How much a clock has counted along its span: working time less that of suspensions (A4, H3)."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from domain.working_time import OutsideCoverage, WorkingCalendar
from projections.clock_inputs import Span, Suspended


class Accrued(NamedTuple):
    """What a clock had counted at the last instant at which it started, was suspended or ended.

    Until the next fact this does not change, though the clock may run on: what it counts since follows from the
    calendar alone. Durations in working microseconds, None beyond the calendars; `at` is None where there is no
    calendar.
    """

    at: int | None
    net_us: int | None
    suspended_us: int | None
    state: Literal["running", "suspended", "ended"]

    def measured(self, calendar: WorkingCalendar | None, as_of: int) -> tuple[int | None, int | None]:
        """Net and suspended working time at `as_of`, an instant before which no other fact is dated."""
        if self.at is None or calendar is None or self.state == "ended" or self.net_us is None:
            return self.net_us, self.suspended_us
        try:
            since = calendar.elapsed(self.at, as_of)
        except OutsideCoverage:
            return (None, None) if self.state == "running" else (self.net_us, None)
        if self.state == "running":
            return self.net_us + since, self.suspended_us
        return self.net_us, None if self.suspended_us is None else self.suspended_us + since


def parts(span: Span, suspended: Sequence[Suspended]) -> Iterator[tuple[int, int, Suspended | None]]:
    """A span cut where a suspension begins or ends, each part with what suspends it (None: it runs)."""
    start = span.start
    for pause in suspended:
        if pause.start >= span.end:
            break
        if start < pause.start:
            yield start, pause.start, None
        start = span.end if pause.end is None else min(pause.end, span.end)
        yield pause.start, start, pause
    if start < span.end:
        yield start, span.end, None


class ClockRun:
    """Net working time along a span: the parts in which the clock ran, each with the working time in it."""

    def __init__(self, calendar: WorkingCalendar, span: Span, suspended: Sequence[Suspended]) -> None:
        self.calendar = calendar
        self.span = span
        lasting = next((pause for pause in suspended if pause.start <= span.end and not pause.ended_by(span.end)), None)
        self.suspended_at_end = lasting is not None
        resumed = (pause.end for pause in suspended if pause.end is not None and pause.end <= span.end)
        self.turned_at = lasting.start if lasting else max(resumed, default=span.start)
        try:
            self.covered_until: int | None = calendar.covered_until(span.start)
        except OutsideCoverage:
            self.covered_until = None
        self.whole_us = self._worked(span.start, span.end)
        ran = [(start, end) for start, end, pause in parts(span, suspended) if pause is None]
        self._ran = ran
        if ran == [(span.start, span.end)]:
            worked = [(span.start, self.whole_us)]
        else:
            worked = [(start, self._worked(start, end)) for start, end in ran]
        known = [(start, amount) for start, amount in worked if amount is not None]
        self.ran = known if self.covered_until is not None and len(known) == len(worked) else None

    def _worked(self, start: int, end: int) -> int | None:
        try:
            return self.calendar.elapsed(start, end)
        except OutsideCoverage:
            return None

    def net(self) -> int | None:
        """Working microseconds in which the clock ran; None beyond the calendars."""
        return None if self.ran is None else sum(worked for _, worked in self.ran)

    def suspended(self, net: int) -> int | None:
        """Working microseconds in which it was suspended; None beyond the calendars."""
        return None if self.whole_us is None else self.whole_us - net

    def beyond_the_calendars(self) -> int | None:
        """When working time since the start is no longer known; None where it is not known now."""
        covered = self.covered_until
        return covered + 1 if covered is not None and covered >= self.span.end else None

    def accrued(self) -> Accrued:
        """What had been counted when the clock last started, was suspended or ended."""
        state: Literal["running", "suspended", "ended"] = "suspended" if self.suspended_at_end else "running"
        at = self.turned_at
        if self.span.ended:
            state, at = "ended", self.span.end
        if self.ran is None:
            return Accrued(at, None, None, state)
        net = sum(worked for start, worked in self.ran if start < at)
        until_then = self.whole_us if at == self.span.end else self._worked(self.span.start, at)
        return Accrued(at, net, None if until_then is None else until_then - net, state)

    def reached_within_the_calendars(self, amount: int) -> int | None:
        """When the time that is known reaches `amount`, though some of the span lies beyond the calendars; or None.

        What is not known can only add to it: a breach proven stays one.
        """
        for start, end in self._ran:
            for covered in self.calendar.covered_parts(start, end):
                worked = self.calendar.elapsed(*covered)
                if worked >= amount:
                    return self.calendar.due(covered[0], amount)
                amount -= worked
        return None

    def due_within_the_calendars(self, amount: int) -> int | None:
        """The instant at which net reaches `amount`, where all time until then is known; else None."""
        found = self.reached_within_the_calendars(amount)
        return found if found is not None and self.covered_until is not None and found <= self.covered_until else None

    def reaches(self, amount: int) -> int | None:
        """The earliest instant at which net reaches `amount`; None while suspended or beyond the calendars."""
        for start, worked in self.ran or ():
            if worked >= amount:
                return self.calendar.due(start, amount)
            amount -= worked
        if self.suspended_at_end:
            return None
        try:
            return self.calendar.due(self.span.end, amount)
        except OutsideCoverage:
            return None
