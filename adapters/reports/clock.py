"""One clock of a request (A3-A5): its figures, and what live tables keep so that a report can measure it."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from adapters.reports.columns import Column, JsonRow, R, instant, lifted, text, working_time
from adapters.reports.live_table import Stored
from adapters.reports.wording import Writing, duration
from domain.terms import Clock
from domain.values import Responsibility
from domain.working_time import WorkingCalendar
from projections.clock_inputs import VoidCause
from projections.clock_run import Accrued
from projections.clocks import Judged, Verdict
from projections.compliance import ClockRow, ComplianceRow

SHORT = {Clock.CHARGE: "TPC", Clock.INTERVENTION: "TI"}
"""What the contract calls the guaranteed time of each clock."""


def clock_columns() -> tuple[Column[Judged], ...]:
    """The figures of a clock, without its name."""
    return (
        working_time(
            "target_us", "guaranteed time; none for best effort", lambda clock: clock.target_us, optional=True
        ),
        working_time(
            "net_us", "what has counted; none where calendars do not reach", lambda c: c.net_us, optional=True
        ),
        working_time("suspended_us", "what suspensions have taken", lambda clock: clock.suspended_us, optional=True),
        instant("due", "when net reaches the target; none while suspended", lambda clock: clock.due, optional=True),
        text("verdict", "met, running, breached, void, undecided or best_effort", lambda clock: clock.verdict.value),
        text(
            "void_cause",
            "why it is void: contract_ended, duplicate, withdrawn or undisclosed_system; none where it is not",
            lambda clock: clock.void_cause.value if clock.void_cause else None,
            optional=True,
        ),
        instant("changes_at", "when time alone will change the verdict", lambda clock: clock.changes_at, optional=True),
    )


def of_clock(clock: Clock) -> tuple[Column[ComplianceRow], ...]:
    """The figures of one clock of a request."""
    return _named(clock, clock_columns(), _JUDGED[clock])


def figures_when_last_moved(clock: Clock) -> tuple[Column[ComplianceRow], ...]:
    """What a clock had counted when it last started, was suspended or ended, in place of what it has by now."""
    columns: tuple[Column[Judged], ...] = (
        working_time(
            "net_us",
            f"what had counted by {clock}_counted_at; none where calendars do not reach",
            lambda judged: judged.accrued.net_us,
            optional=True,
        ),
        working_time(
            "suspended_us",
            f"what suspensions had taken by {clock}_counted_at",
            lambda judged: judged.accrued.suspended_us,
            optional=True,
        ),
    )
    return _named(clock, columns, _JUDGED[clock])


def running_state(clock: Clock) -> tuple[Column[ComplianceRow], ...]:
    """Further columns of a live table, from which a report measures a running clock."""
    columns: tuple[Column[Judged], ...] = (
        instant(
            "counted_at",
            "when the clock last started, was suspended or ended; what a running clock counts since then "
            "is the working time since",
            lambda judged: judged.accrued.at,
            optional=True,
        ),
        text("state", "running, suspended or ended", lambda judged: judged.accrued.state),
        instant("decided_at", "when it became met or breached", lambda judged: judged.decided_at, optional=True),
    )
    whose: Column[ClockRow] = text("responsible", "to whom a breach of it is due", lambda row: row.responsible.value)
    return *_named(clock, columns, _JUDGED[clock]), *_named(clock, [whose], _CLOCKS[clock])


_CLOCKS: dict[Clock, Callable[[ComplianceRow], ClockRow]] = {
    Clock.CHARGE: lambda row: row.charge,
    Clock.INTERVENTION: lambda row: row.intervention,
}
_JUDGED: dict[Clock, Callable[[ComplianceRow], Judged]] = {
    Clock.CHARGE: lambda row: row.charge.judged,
    Clock.INTERVENTION: lambda row: row.intervention.judged,
}


def _named(
    clock: Clock, columns: Iterable[Column[R]], of: Callable[[ComplianceRow], R]
) -> tuple[Column[ComplianceRow], ...]:
    """The columns under the name of the clock, and with what the contract calls its time."""
    return tuple(
        replace(column, place=f"{clock}.{column.place}", meaning=f"{SHORT[clock]}: {column.meaning}")
        for column in lifted(columns, of)
    )


def clock_of(stored: Stored, clock: Clock, calendar: WorkingCalendar | None, as_of: int) -> ClockRow:
    """A clock of a row of `incidents` read back, with what it has counted by `as_of`."""
    counted_at, net, suspended, state = (
        stored[f"{clock}_{name}"] for name in ("counted_at", "net_us", "suspended_us", "state")
    )
    accrued = Accrued(counted_at, net, suspended, state)
    net_now, suspended_now = accrued.measured(calendar, as_of)
    judged = Judged(
        target_us=stored[f"{clock}_target_us"],
        net_us=net_now,
        suspended_us=suspended_now,
        due=stored[f"{clock}_due"],
        verdict=Verdict(stored[f"{clock}_verdict"]),
        changes_at=stored[f"{clock}_changes_at"],
        decided_at=stored[f"{clock}_decided_at"],
        stopped=state == "ended",
        accrued=accrued,
        void_cause=VoidCause(cause) if (cause := stored[f"{clock}_void_cause"]) else None,
    )
    return ClockRow(judged, Responsibility(stored[f"{clock}_responsible"]))


def verdict_of(clock: JsonRow, writing: Writing) -> str:
    """The verdict; of a clock that is not counted, also why."""
    said, cause = writing.say(clock["verdict"]), clock["void_cause"]
    return f"{said} ({writing.say(f'void because {cause}')})" if cause else said


def net_and_target(clock: JsonRow) -> str:
    """What has counted, and the guaranteed time where there is one."""
    net = "-" if clock["net_us"] is None else duration(clock["net_us"])
    return net if clock["target_us"] is None else f"{net} / {duration(clock['target_us'])}"
