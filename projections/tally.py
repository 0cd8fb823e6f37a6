"""What one request adds to the ratio of its window: its cases, and who is not counted and why (P1)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from domain.coverage import BestEffortReason, Requester
from domain.interval import Interval
from projections.clock_inputs import VoidCause
from projections.clocks import Verdict
from projections.compliance import ClockRow, ComplianceRow
from projections.readings import Reading
from projections.tolerance import Case


class WindowTally(NamedTuple):
    """What is counted in a window, in the units of the reading: requests, or their clocks.

    `cases` (n) are those decided, `late` those of them beyond their time, `breaches` (b) those late for reasons of the
    supplier. Undecided are those `running` and those that no calendar covers (`uncovered`). Not counted: `best_effort`;
    void because the contract ended, the request was a duplicate or withdrawn; `undisclosed`, left out by the reading.
    `one_sided` counts the facts told by one party alone, `recorded_after` those recorded after the window had ended.
    """

    cases: int = 0
    breaches: int = 0
    late: int = 0
    running: int = 0
    uncovered: int = 0
    best_effort: int = 0
    contract_ended: int = 0
    duplicate: int = 0
    withdrawn: int = 0
    undisclosed: int = 0
    one_sided: int = 0
    recorded_after: int = 0

    @property
    def undecided(self) -> int:
        """How many units hold a clock that is not decided yet."""
        return self.running + self.uncovered

    @property
    def void(self) -> int:
        """How many units count for nobody, for whatever cause."""
        return self.contract_ended + self.duplicate + self.withdrawn + self.undisclosed

    def plus(self, other: "WindowTally", times: int = 1) -> "WindowTally":
        """The sum; with `times` -1, the difference."""
        return WindowTally(*(mine + times * its for mine, its in zip(self, other, strict=True)))


NOTHING_COUNTED = WindowTally()


@dataclass(frozen=True, slots=True)
class WindowShare:
    """What one request adds to its window, or all of them together.

    `last_recorded_at`: when the last of the facts told after the window's end was recorded (microseconds UTC).
    """

    cases: tuple[Case, ...] = ()
    tally: WindowTally = NOTHING_COUNTED
    last_recorded_at: int | None = None

    @classmethod
    def total(cls, shares: Iterable["WindowShare"]) -> "WindowShare":
        """What several add together; their cases are left out."""
        tally, last = NOTHING_COUNTED, None
        for one in shares:
            tally = tally.plus(one.tally)
            last = max((at for at in (last, one.last_recorded_at) if at is not None), default=None)
        return cls((), tally, last)


def share(row: ComplianceRow, reading: Reading, window: Interval) -> WindowShare:
    """What one request adds to the window of its opening."""
    counted = tuple(cases(row, reading))
    after = [at for at in row.recorded_at if window.ended_by(at)]
    tally = WindowTally(
        cases=len(counted),
        breaches=sum(case.breach_at is not None for case in counted),
        one_sided=sum(said.counts and said.one_sided for said in row.statements),
        recorded_after=len(after),
    )
    not_counted = WindowTally(**_not_counted(row, reading, bool(counted)))
    return WindowShare(counted, tally.plus(not_counted), max(after, default=None))


def cases(row: ComplianceRow, reading: Reading) -> list[Case]:
    """The cases that one incident makes, once decided.

    Unit `incident`: one, as soon as one clock is breached, or when both are met. Unit `clock`: one for each clock
    decided. A best-effort request is no case, but under population `handled` the customer's own is (one for each clock
    with unit `clock`), at its opening and never in breach. What is void, or excluded by the reading (S1), is none.
    """
    if row.void:
        return []
    if not row.answer.guaranteed:
        each = Case(row.incident, row.opened_at, None)
        return [each] * (len(row.clocks) if reading.unit == "clock" else 1) if _handled(row, reading) else []
    decided = [(clock, at) for clock in row.clocks if (at := clock.judged.decided_at) is not None]
    if reading.unit == "clock":
        return [Case(row.incident, at, at if clock.suppliers_breach else None) for clock, at in decided]
    breached = [at for clock, at in decided if clock.breached]
    if breached:
        suppliers = [at for clock, at in decided if clock.suppliers_breach]
        return [Case(row.incident, min(breached), min(suppliers, default=None))]
    if len(decided) == len(row.clocks):
        return [Case(row.incident, max(at for _, at in decided), None)]
    return []


def _handled(row: ComplianceRow, reading: Reading) -> bool:
    """Whether the population `handled` counts a best-effort request: the customer's own, under a contract."""
    own = row.requested_by is Requester.CUSTOMER
    under = row.answer.contract is not None and row.answer.reason is not BestEffortReason.NO_CONTRACT
    return reading.population == "handled" and own and under


def _not_counted(row: ComplianceRow, reading: Reading, is_case: bool) -> dict[str, int]:
    """The units late, undecided, or not counted, by the name of their place in the tally."""
    units: dict[str, int] = {}
    for name in _units(row, reading, is_case):
        units[name] = units.get(name, 0) + 1
    return units


def _units(row: ComplianceRow, reading: Reading, is_case: bool) -> list[str]:
    each = [_place(clock, row) for clock in row.clocks]
    if not row.answer.guaranteed:
        each = [] if is_case else [_void_place(row.void) if row.void else "best_effort"] * len(row.clocks)
    if reading.unit == "clock":
        return [place for place in each if place]
    late, undecided, left_out = (_first(each, places) for places in (("late",), UNDECIDED, LEFT_OUT))
    return [*late, *undecided] or ([] if is_case else left_out)


UNDECIDED = ("running", "uncovered")
LEFT_OUT = ("contract_ended", "duplicate", "withdrawn", "undisclosed", "best_effort")


def _first(found: Sequence[str], places: Sequence[str]) -> list[str]:
    return [place for place in places if place in found][:1]


def _place(clock: ClockRow, row: ComplianceRow) -> str:
    """Where a clock of a guaranteed request is counted beside the cases; "" where it is met."""
    match clock.judged.verdict:
        case Verdict.BREACHED:
            return "late"
        case Verdict.RUNNING:
            return "running"
        case Verdict.UNDECIDED:
            return "uncovered"
        case Verdict.VOID:
            return _void_place(clock.judged.void_cause or row.void)
        case _:
            return ""


def _void_place(cause: VoidCause | None) -> str:
    return "undisclosed" if cause is VoidCause.UNDISCLOSED_SYSTEM else str(cause)
