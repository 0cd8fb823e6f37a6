"""The two clocks of an incident judged: what counted, when it is due, and the verdict (A3, A4, A5, H3).

A clock runs in working time from the opening to its stop. What counts is net: working time elapsed less the working
time of suspensions that are not the supplier's. Judged on net, never on the due instant.
"""

from enum import StrEnum
from typing import NamedTuple

from domain.interval import earliest
from projections.clock_inputs import ClockInputs, Span, VoidCause
from projections.clock_run import Accrued, ClockRun


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


class Judged(NamedTuple):
    """A clock judged. Durations in working microseconds, instants in microseconds UTC.

    `changes_at`: when time alone will change the verdict. `decided_at`: when it became met or breached. `stopped`:
    whether it has ended; a clock that is breached may still be running. `recheck_at`: when time alone may change
    anything of it but the time it counts while it runs; until then that follows from `accrued` and the calendar.
    `void_cause`: why it is void, where it is.
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
    void_cause: VoidCause | None = None

    @property
    def exceeded(self) -> bool:
        """Whether more than the target has counted, whether it is a case or not."""
        return self.target_us is not None and self.net_us is not None and self.net_us > self.target_us

    def as_no_case(self, cause: VoidCause) -> "Judged":
        """The same measurements with the verdict `void`; `best_effort` is kept.

        It is looked at again when it would have been (`recheck_at`): `exceeded` still changes.
        """
        if self.verdict is Verdict.BEST_EFFORT:
            return self._replace(changes_at=None, decided_at=None)
        return self._replace(verdict=Verdict.VOID, changes_at=None, decided_at=None, void_cause=cause)


UNMEASURED = Judged(None, None, None, None, Verdict.BEST_EFFORT, None, None)
"""A clock of a request under no contract: there is no calendar to measure it in."""


def judge(inputs: ClockInputs) -> Judged:
    """Judge one clock; without a target it is best effort, and only measured."""
    if inputs.calendar is None:
        return UNMEASURED
    span, target = inputs.span, inputs.target_us
    run = ClockRun(inputs.calendar, span, inputs.suspended)
    net, accrued = run.net(), run.accrued()
    recheck_at = None if span.ended else earliest(inputs.contract_end, run.beyond_the_calendars())
    if net is None:
        return _beyond_the_calendars(run, inputs, accrued, recheck_at)
    suspended_us = run.suspended(net)
    if target is None:
        verdict = Verdict.BEST_EFFORT
        return Judged(None, net, suspended_us, None, verdict, None, None, span.ended, accrued, recheck_at)
    due = run.reaches(target)
    verdict = _verdict(span, net, target)
    changes_at = decided_at = None
    if verdict is Verdict.BREACHED:
        decided_at = max(run.reaches(target + 1) or span.end, inputs.retargeted_at or span.start)
    elif verdict is Verdict.MET:
        decided_at = span.end
    elif verdict is Verdict.RUNNING:
        beyond = None if run.suspended_at_end else run.beyond_the_calendars()
        changes_at = earliest(run.reaches(target + 1), inputs.contract_end, beyond)
    recheck_at = earliest(recheck_at, changes_at)
    void_cause = span.void if verdict is Verdict.VOID else None
    return Judged(
        target, net, suspended_us, due, verdict, changes_at, decided_at, span.ended, accrued, recheck_at, void_cause
    )


def _beyond_the_calendars(run: ClockRun, inputs: ClockInputs, accrued: Accrued, recheck_at: int | None) -> Judged:
    """A clock of which some time is not known: breached where what is known exceeds the target, else undecided (H1)."""
    target, ended = inputs.target_us, inputs.span.ended
    if target is None:
        return Judged(None, None, None, None, Verdict.BEST_EFFORT, None, None, ended, accrued, recheck_at)
    due, exceeded_at = run.due_within_the_calendars(target), run.reached_within_the_calendars(target + 1)
    if exceeded_at is None:
        return Judged(target, None, None, due, Verdict.UNDECIDED, None, None, ended, accrued, recheck_at)
    decided_at = max(exceeded_at, inputs.retargeted_at or exceeded_at)
    return Judged(target, None, None, due, Verdict.BREACHED, None, decided_at, ended, accrued, recheck_at)


def _verdict(span: Span, net: int, target: int) -> Verdict:
    if net > target:
        return Verdict.BREACHED
    if span.stopped:
        return Verdict.MET
    return Verdict.RUNNING if span.void is None else Verdict.VOID
