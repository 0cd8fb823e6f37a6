"""Breach ratio of each window of each contract against its tolerance (P1).

"Il 90% dei casi": cases are counted when decided, and a window is settled once it has ended with nothing undecided.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

from domain.contract import Contract
from domain.contract_facts import ContractRenewed, ContractSigned, ContractTerminated
from domain.local_time import local_midnight
from domain.periods import months_later
from domain.values import moment
from projections.as_of import ContractAsOf, Replay
from projections.clocks import earliest
from projections.compliance import ComplianceRow
from projections.readings import Reading, WindowKind
from projections.tolerance import Case, Passing, by_day, every_day, excess, passed_for_good


class Window(NamedTuple):
    """Half-open, in microseconds UTC; `end` is None while the contract has none."""

    start: int
    end: int | None

    def holds(self, instant: int) -> bool:
        """Whether an instant is in it."""
        return self.start <= instant and (self.end is None or instant < self.end)


class Count(NamedTuple):
    """What is counted in a window: cases decided (n), those that are the supplier's breaches (b), units undecided."""

    cases: int = 0
    breaches: int = 0
    undecided: int = 0


@dataclass(frozen=True, slots=True)
class Share:
    """What one incident adds to the counts of the window of its opening."""

    cases: tuple[Case, ...] = ()
    undecided: int = 0


@dataclass(frozen=True, slots=True)
class BreachRow:
    """The ratio of one window, and when it passed its tolerance for good (if it has).

    `changes_at`: when time alone may change it: the window ends, one of its incidents changes, a fact on record of the
    contract is told. `versions`: those of the contract's facts that it rests on.
    """

    contract: str
    window: Window
    count: Count
    tolerance: Fraction
    settled: bool
    passing: Passing | None = None
    changes_at: int | None = None
    versions: tuple[int, ...] = ()

    @property
    def cases(self) -> int:
        """n: the cases decided."""
        return self.count.cases

    @property
    def breaches(self) -> int:
        """b: those that are the supplier's breaches."""
        return self.count.breaches

    @property
    def undecided(self) -> int:
        """How many units hold a clock that is not decided yet."""
        return self.count.undecided

    @property
    def ratio(self) -> str | None:
        """b/n, unreduced; None where there is no case."""
        return f"{self.breaches}/{self.cases}" if self.cases else None

    @property
    def passed(self) -> bool:
        """Whether the ratio exceeds the tolerance: exactly the tolerance does not."""
        return exceeds(self.breaches, self.cases, self.tolerance)

    @property
    def headroom(self) -> int | None:
        """The largest k >= 0 with (b + k)/(n + k) within the tolerance; None when passed."""
        if self.passed:
            return None
        return int((self.tolerance * self.cases - self.breaches) / (1 - self.tolerance))


def exceeds(breaches: int, cases: int, tolerance: Fraction) -> bool:
    """Whether b/n is more than the tolerance (P1). No cases: no ratio, not exceeded."""
    return excess(breaches, cases, tolerance) > 0


def breach(replay: Replay, rows: Sequence[ComplianceRow]) -> list[BreachRow]:
    """Every window begun by as_of, of every signed contract; by contract, then window."""
    inside = by_window(replay, rows)
    return [
        _counted(told, window, inside.get((told.contract.id, window.start), ()), replay)
        for told in replay.signed_contracts
        for window in windows(told.contract, replay.reading.window, replay.as_of)
    ]


def by_window(replay: Replay, rows: Iterable[ComplianceRow]) -> Mapping[tuple[str, int], Sequence[ComplianceRow]]:
    """The incidents that belong to each window, by contract and beginning of the window."""
    inside: dict[tuple[str, int], list[ComplianceRow]] = defaultdict(list)
    begun: dict[str, list[Window]] = {}
    for row in rows:
        if row.contract is None:
            continue
        if row.contract not in begun:
            begun[row.contract] = windows(replay.contract(row.contract).contract, replay.reading.window, replay.as_of)
        if window := holding(begun[row.contract], row.opened_at):
            inside[row.contract, window.start].append(row)
    return inside


def late_in(rows: Iterable[ComplianceRow], reading: Reading) -> list[str]:
    """The incidents among some, by id, that are cases in breach for reasons of the supplier."""
    late = (case for row in rows for case in cases(row, reading) if case.breach_at is not None)
    return sorted({case.incident for case in late})


def holding(begun: Sequence[Window], instant: int) -> Window | None:
    """The window that holds an instant, of windows in order."""
    index = bisect_right(begun, instant, key=lambda window: window.start) - 1
    return begun[index] if index >= 0 and begun[index].holds(instant) else None


def _counted(told: ContractAsOf, window: Window, rows: Sequence[ComplianceRow], replay: Replay) -> BreachRow:
    shares = [share(row, replay.reading) for row in rows]
    cases = [case for each in shares for case in each.cases]
    count = Count(len(cases), sum(c.breach_at is not None for c in cases), sum(each.undecided for each in shares))
    tolerance, of_day = tolerance_of(told), by_day(cases)
    passing = passed_for_good(every_day(cases, tolerance), lambda day: of_day[day], tolerance)
    next_change = earliest(*(row.changes_at for row in rows))
    return breach_row(told, window, count, passing, next_change, replay.as_of)


def breach_row(
    told: ContractAsOf, window: Window, count: Count, passing: Passing | None, next_change: int | None, as_of: int
) -> BreachRow:
    """The row of one window from what is counted in it; `next_change`: the first of its incidents' `changes_at`."""
    ended = window.end is not None and window.end <= as_of
    return BreachRow(
        contract=told.contract.id,
        window=window,
        count=count,
        tolerance=tolerance_of(told),
        settled=ended and count.undecided == 0,
        passing=passing,
        changes_at=earliest(None if ended else window.end, next_change, told.next_at),
        versions=told.versions(ContractSigned, ContractRenewed, ContractTerminated),
    )


def tolerance_of(told: ContractAsOf) -> Fraction:
    """The tolerance that was signed (P1)."""
    if told.contract.signed is None:
        raise ValueError(f"contract {told.contract.id} is not signed: it has no tolerance")
    return told.contract.signed.terms.tolerance


def share(row: ComplianceRow, reading: Reading) -> Share:
    """What one incident adds to its window."""
    return Share(tuple(cases(row, reading)), undecided_units(row, reading))


def cases(row: ComplianceRow, reading: Reading) -> list[Case]:
    """The cases that one incident makes, once decided.

    Unit `incident`: one, as soon as one clock is breached, or when both are met. Unit `clock`: one for each clock
    decided. A best-effort request is no case, but under population `handled` it is (one for each clock with unit
    `clock`), at its opening and never in breach. One that the reading excludes (S1) is none in any case.
    """
    if row.excluded:
        return []
    if not row.answer.guaranteed:
        handled = reading.population == "handled" and row.answer.contract is not None
        each = Case(row.incident, row.opened_at, None)
        return [each] * (len(row.clocks) if reading.unit == "clock" else 1) if handled else []
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


def undecided_units(row: ComplianceRow, reading: Reading) -> int:
    """How many units of this incident hold a clock not decided yet: the incident, or each clock."""
    if not row.answer.guaranteed:
        return 0
    undecided = sum(not clock.judged.verdict.decided for clock in row.clocks)
    return undecided if reading.unit == "clock" else min(undecided, 1)


def windows(contract: Contract, kind: WindowKind, as_of: int) -> list[Window]:
    """The windows of a contract begun by `as_of`: half-open at its local midnights, clipped to the contract."""
    if contract.signed is None:
        return []
    zone, first_day = _first_day(contract.signed)
    start, end = local_midnight(zone, first_day), contract.end
    found = []
    for day in _later_starts(kind, first_day):
        following = local_midnight(zone, day) if day else None
        clipped = min((edge for edge in (following, end) if edge is not None), default=None)
        if start > as_of or (end is not None and start >= end):
            break
        found.append(Window(start, clipped))
        if following is None:
            break
        start = following
    return found


def next_edge(contract: Contract, kind: WindowKind, as_of: int) -> int | None:
    """The first instant after `as_of` at which a window of the contract begins or ends; None where none does."""
    if contract.signed is None:
        return None
    begun = windows(contract, kind, as_of)
    edge = begun[-1].end if begun else local_midnight(*_first_day(contract.signed))
    return edge if edge is not None and edge > as_of else None


def _first_day(signed: ContractSigned) -> tuple[ZoneInfo, date]:
    zone = ZoneInfo(signed.terms.time_zone)
    return zone, moment(signed.in_force_from).astimezone(zone).date()


def _later_starts(kind: WindowKind, first_day: date) -> Iterator[date | None]:
    """The first days of the second window and of those after it; None where there is no second."""
    match kind:
        case "contract_year":
            yield from (months_later(first_day, 12 * years) for years in range(1, date.max.year - first_day.year))
        case "calendar_year":
            yield from (date(year, 1, 1) for year in range(first_day.year + 1, date.max.year))
        case "quarter":
            day = date(first_day.year, (first_day.month - 1) // 3 * 3 + 1, 1)
            while day.year < date.max.year:
                day = (day + timedelta(days=95)).replace(day=1)
                yield day
        case "whole_contract":
            yield None
