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

from domain.contract import Contract, ContractSigned, ContractTerminated
from domain.facts import moment
from domain.working_time import local_midnight
from projections.compliance import ComplianceRow
from projections.history import ContractTold, Telling
from projections.readings import Reading, WindowKind


class Window(NamedTuple):
    """Half-open, in microseconds UTC; `end` is None while the contract has none."""

    start: int
    end: int | None

    def holds(self, instant: int) -> bool:
        """Whether an instant is in it."""
        return self.start <= instant and (self.end is None or instant < self.end)


class Case(NamedTuple):
    """One case of the ratio: when it became one, and since when it is a supplier's breach (if it is)."""

    incident: str
    at: int
    breach_at: int | None


@dataclass(frozen=True, slots=True)
class BreachRow:
    """The ratio of one window; `cases_decided` are the cases behind it, `versions` those of the contract's facts."""

    contract: str
    window: Window
    cases_decided: tuple[Case, ...]
    undecided: int
    tolerance: Fraction
    settled: bool
    versions: tuple[int, ...] = ()

    @property
    def late(self) -> list[str]:
        """The incidents in breach for reasons of the supplier, by id."""
        return sorted({case.incident for case in self.cases_decided if case.breach_at is not None})

    @property
    def cases(self) -> int:
        """n: the cases decided."""
        return len(self.cases_decided)

    @property
    def breaches(self) -> int:
        """b: those that are the supplier's breaches."""
        return sum(case.breach_at is not None for case in self.cases_decided)

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
    return cases > 0 and Fraction(breaches, cases) > tolerance


def breach(telling: Telling, rows: Iterable[ComplianceRow]) -> list[BreachRow]:
    """Every window begun by as_of, of every signed contract; by contract, then window."""
    by_contract: Mapping[str, list[ComplianceRow]] = defaultdict(list)
    for row in rows:
        if row.contract is not None:
            by_contract[row.contract].append(row)
    return [
        window_row
        for told in telling.signed_contracts
        for window_row in _of_contract(told, by_contract.get(told.contract.id, ()), telling)
    ]


def _of_contract(told: ContractTold, rows: Sequence[ComplianceRow], telling: Telling) -> list[BreachRow]:
    contract = told.contract
    if contract.signed is None:
        return []
    reading, tolerance = telling.reading, contract.signed.terms.tolerance
    begun = windows(contract, reading.window, telling.as_of)
    inside: Mapping[int, list[ComplianceRow]] = defaultdict(list)
    starts = [window.start for window in begun]
    for row in rows:
        index = bisect_right(starts, row.opened_at) - 1
        if index >= 0 and begun[index].holds(row.opened_at):
            inside[index].append(row)
    return [
        _row(told, window, inside.get(index, ()), tolerance, reading, telling.as_of)
        for index, window in enumerate(begun)
    ]


def _row(
    told: ContractTold,
    window: Window,
    rows: Sequence[ComplianceRow],
    tolerance: Fraction,
    reading: Reading,
    as_of: int,
) -> BreachRow:
    undecided = sum(undecided_units(row, reading) for row in rows)
    ended = window.end is not None and window.end <= as_of
    found = tuple(case for row in rows for case in cases(row, reading))
    settled, versions = ended and undecided == 0, told.versions(ContractSigned, ContractTerminated)
    return BreachRow(told.contract.id, window, found, undecided, tolerance, settled, versions)


def cases(row: ComplianceRow, reading: Reading) -> list[Case]:
    """The cases that one incident makes, once decided.

    Unit `incident`: one, as soon as one clock is breached, or when both are met. Unit `clock`: one for each clock
    decided. A best-effort request is no case, but under population `handled` it is (one for each clock with unit
    `clock`), at its opening and never in breach.
    """
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
    zone = ZoneInfo(contract.signed.terms.time_zone)
    first_day = moment(contract.signed.in_force_from).astimezone(zone).date()
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


def _later_starts(kind: WindowKind, first_day: date) -> Iterator[date | None]:
    """The first days of the second window and of those after it; None where there is no second."""
    match kind:
        case "contract_year":
            yield from (_anniversary(first_day, years) for years in range(1, date.max.year - first_day.year))
        case "calendar_year":
            yield from (date(year, 1, 1) for year in range(first_day.year + 1, date.max.year))
        case "quarter":
            day = date(first_day.year, (first_day.month - 1) // 3 * 3 + 1, 1)
            while day.year < date.max.year:
                day = (day + timedelta(days=95)).replace(day=1)
                yield day
        case "whole_contract":
            yield None


def _anniversary(day: date, years: int) -> date:
    """The same day some years later; 29 February falls on the 28th in common years."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
